package bundle

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// Sealed is a finished bundle.
type Sealed struct {
	Path      string `json:"path"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"` // of the file as it lies there
	Encrypted bool   `json:"encrypted"`
}

// Check reads the file again and compares it with the hash.
func (s *Sealed) Check() error {
	f, err := os.Open(s.Path)
	if err != nil {
		return fmt.Errorf("check the sealed bundle: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("check the sealed bundle: %w", err)
	}
	if n != s.Size || hex.EncodeToString(h.Sum(nil)) != s.SHA256 {
		return &CheckError{filepath.Base(s.Path), []string{"it was changed after it was sealed"}}
	}
	return nil
}

// BaseName is the name of a bundle without its ending:
// latchstring-HOST-20261122T143000Z.
func BaseName(s System, created time.Time) string {
	host := strings.Map(func(r rune) rune {
		if r == '/' || checkElement(string(r)) != nil && r != '.' {
			return '-'
		}
		return r
	}, s.Host)
	if host = strings.Trim(host, ".-"); host == "" {
		host = "system"
	}
	if len(host) > 100 {
		host = host[:100]
	}
	return "latchstring-" + host + "-" + created.UTC().Format("20060102T150405Z")
}

// FileName is the name of the sealed file.
func (p *Packed) FileName(encrypted bool) string {
	name := p.Manifest.Name + "." + string(p.draft.o.Format)
	if encrypted {
		name += ".age"
	}
	return name
}

// Dir is a private folder, on the spool's file system, that goes with the
// draft: a place to seal to before something else takes the bundle over.
func (p *Packed) Dir() string { return p.draft.spool.dir }

// Seal encrypts the bundle to the recipients and puts it at path, which must
// not exist, 0600 and synced. Without recipients it is sealed in clear, which
// a caller must have been asked for.
func (p *Packed) Seal(ctx context.Context, path string, recipients ...age.Recipient) (_ *Sealed, err error) {
	dir := filepath.Dir(path)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s exists already; name another file or remove it", path)
	}
	in, err := os.Open(p.disk)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	defer in.Close()
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new-*") // O_EXCL, 0600
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", asSpaceError(dir, err, 0))
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
			err = asSpaceError(dir, err, 0)
		}
	}()
	h := sha256.New()
	count := &counter{w: io.MultiWriter(tmp, h)}
	buf := bufio.NewWriterSize(count, 256<<10)
	var w io.WriteCloser = nopCloser{buf}
	if len(recipients) > 0 {
		if w, err = age.Encrypt(buf, recipients...); err != nil {
			return nil, fmt.Errorf("encrypt: %w", err)
		}
	}
	p.draft.o.progress(Progress{Stage: Sealing, Files: len(p.Manifest.Files), Planned: len(p.Manifest.Files)})
	if _, err = io.Copy(w, &contextReader{ctx, in}); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err = w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err = buf.Flush(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err = tmp.Sync(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err = tmp.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err = renameNew(tmp.Name(), path); err != nil {
		return nil, err
	}
	if err = durable.SyncDir(dir); err != nil {
		return nil, err
	}
	return &Sealed{Path: path, Size: count.n, SHA256: hex.EncodeToString(h.Sum(nil)), Encrypted: len(recipients) > 0}, nil
}

// renameNew renames and never replaces.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a filesystem without it
		if _, serr := os.Lstat(to); serr == nil {
			err = unix.EEXIST
		} else {
			err = os.Rename(from, to)
		}
	}
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s exists already; name another file or remove it", to)
	}
	if err != nil {
		return fmt.Errorf("put bundle at %s: %w", to, err)
	}
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
