package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errNoCommand says that the system does not run the command that makes
// hashes.
var errNoCommand = errors.New("no command may be run")

// compare reports whether the hashes of both sides could be compared. A
// difference is a ChangedError.
func (r *run) compare(ctx context.Context, l *large) (bool, error) {
	here, there := l.part, l.it.from
	if r.p.upload {
		here, there = there, here
	}
	type answer struct {
		sum string
		err error
	}
	theirs := make(chan answer, 1)
	go func() {
		sum, err := r.t.remoteSum(ctx, there, l.it.size)
		theirs <- answer{sum, err}
	}()
	mine, err := localSum(here, l.it.size)
	a := <-theirs
	if err != nil {
		return false, err
	}
	if errors.Is(a.err, errNoCommand) && l.resumed {
		// What came in two halves is read back, however long it takes.
		a.sum, a.err = r.t.readBack(there, l.it.size)
		if a.err != nil {
			return false, fmt.Errorf("compare with what was there before: %w", plain(a.err))
		}
	}
	switch {
	case errors.Is(a.err, errNoCommand):
		return false, nil
	case a.err != nil:
		return false, a.err
	case a.sum != mine:
		return false, &ChangedError{l.it.from}
	}
	return true, nil
}

func localSum(name string, size int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sum(f, size)
}

func sum(r io.Reader, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.CopyN(h, r, size); err != nil {
		if errors.Is(err, io.EOF) {
			return "", errShorter
		}
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// remoteSum asks the system for the hash of the first bytes of a file: a log
// may have grown meanwhile.
func (t *Transfer) remoteSum(ctx context.Context, name string, size int64) (string, error) {
	s, err := t.client.NewSession()
	if err != nil {
		return "", errNoCommand
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	var out bytes.Buffer
	s.Stdout = &out
	if !strings.HasPrefix(name, "/") {
		name = "./" + name
	}
	if err := s.Run(fmt.Sprintf("head -c %d -- %s | sha256sum", size, quote(name))); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", errNoCommand
	}
	word, _, _ := strings.Cut(out.String(), " ")
	b, err := hex.DecodeString(word)
	if err != nil || len(b) != sha256.Size || [sha256.Size]byte(b) == sha256.Sum256(nil) {
		// No hash, or that of nothing: the file could not be read.
		return "", errNoCommand
	}
	return word, nil
}

func (t *Transfer) readBack(name string, size int64) (string, error) {
	f, err := t.first().c.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sum(f, size)
}

// quote makes one word for a shell of it.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
