package authorized

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/files"
)

// mark begins the comment of our lines.
const mark = "latchstring "

// Words at the end of a comment that say what must be taken away too.
const (
	madeFile = " made-file"
	madeDir  = " made-dir"
)

// maxSize bounds what is taken for an authorized_keys file.
const maxSize = 4 << 20

// editing keeps two connections from losing each other's line.
var editing sync.Mutex

// An Entry is a line that is in a file.
type Entry struct {
	tree *files.Tree
	path string
	line string
}

// Add puts a line for key to the front of the file. What is the comment by
// which it is found again.
func Add(t *files.Tree, name string, key ssh.PublicKey, until time.Time, what string) (*Entry, error) {
	editing.Lock()
	defer editing.Unlock()
	comment := mark + what
	if _, err := t.Stat(path.Dir(name), true); errors.Is(err, os.ErrNotExist) {
		if _, err := t.Mkdir(path.Dir(name), 0o700); err != nil {
			return nil, fmt.Errorf("making a place for keys: %w", err)
		}
		comment += madeDir
	}
	e := &Entry{tree: t, path: name}
	err := edit(t, name, func(old []byte, exists bool) ([]byte, bool) {
		if !exists {
			comment += madeFile
		}
		// The time is the machine's own: a Z is understood from OpenSSH 9.1 on only.
		e.line = fmt.Sprintf("restrict,pty,from=\"127.0.0.1,::1\",expiry-time=\"%s\" %s %s\n", until.Local().Format("200601021504"),
			strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), comment)
		return append([]byte(e.line), old...), false
	})
	if err != nil {
		return nil, fmt.Errorf("trusting a key in %s: %w", name, err)
	}
	return e, nil
}

// Remove takes the line out.
func (e *Entry) Remove() error {
	_, err := remove(e.tree, e.path, func(line []byte) bool { return string(line) == e.line })
	return err
}

// Clean takes out all lines that Latchstring left for a session, or for any if
// session is empty, and returns how many there were.
func Clean(t *files.Tree, name, session string) (int, error) {
	return remove(t, name, func(line []byte) bool {
		i := bytes.LastIndex(line, []byte(" "+mark))
		return i >= 0 && bytes.HasPrefix(line, []byte("restrict,pty,from=")) && (session == "" || bytes.HasPrefix(line[i+1+len(mark):], []byte(session+" ")))
	})
}

func remove(t *files.Tree, name string, ours func(line []byte) bool) (n int, err error) {
	editing.Lock()
	defer editing.Unlock()
	dir := false
	err = edit(t, name, func(old []byte, exists bool) ([]byte, bool) {
		n = 0
		var rest []byte
		file := false
		for line := range bytes.Lines(old) {
			if !ours(line) {
				rest = append(rest, line...)
				continue
			}
			n++
			file = file || bytes.Contains(line, []byte(madeFile))
			dir = dir || bytes.Contains(line, []byte(madeDir))
		}
		if n == 0 {
			return old, false
		}
		return rest, file && len(rest) == 0
	})
	if err != nil {
		return n, fmt.Errorf("taking keys out of %s: %w", name, err)
	}
	if dir {
		_, _ = t.Remove(path.Dir(name), true) // if nobody else put something there
	}
	return n, nil
}

// edit replaces the file by what change makes of it, or removes it. A file that
// somebody else changes meanwhile is read again.
func edit(t *files.Tree, name string, change func(old []byte, exists bool) (fresh []byte, drop bool)) error {
	for range 10 {
		old, info, err := read(t, name)
		if err != nil {
			return err
		}
		fresh, drop := change(old, info != nil)
		if info != nil && bytes.Equal(fresh, old) || info == nil && len(fresh) == 0 {
			return nil
		}
		target := name
		if real, err := t.Real(name); err == nil {
			target = real // behind a symbolic link, which stays
		}
		spare := ""
		if !drop {
			if spare, err = write(t, target, fresh, info); err != nil {
				return err
			}
		}
		now, err := t.Stat(target, true)
		if same := info == nil && errors.Is(err, os.ErrNotExist) || err == nil && info != nil &&
			os.SameFile(info, now) && info.ModTime().Equal(now.ModTime()) && info.Size() == now.Size(); !same {
			if spare != "" {
				_, _ = t.Remove(spare, false)
			}
			continue
		}
		if drop {
			_, err = t.Remove(target, false)
		} else {
			_, err = t.Rename(spare, target, true)
		}
		return err
	}
	return errors.New("somebody else keeps changing it")
}

func read(t *files.Tree, name string) ([]byte, os.FileInfo, error) {
	f, _, err := t.OpenRead(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(b) > maxSize {
		err = errors.New("it is too large for a file of keys")
	}
	return b, info, err
}

// write makes a file beside name, with the mode and owner of the old one.
func write(t *files.Tree, name string, b []byte, old os.FileInfo) (spare string, err error) {
	spare = path.Join(path.Dir(name), ".authorized_keys."+rand.Text()[:12])
	f, _, err := t.OpenWrite(spare, files.How{Exclusive: true, Mode: 0o600})
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_, _ = t.Remove(spare, false)
		}
	}()
	if _, err = f.Write(b); err != nil {
		return "", err
	}
	if old != nil {
		if st, ok := old.Sys().(*syscall.Stat_t); ok && (os.Geteuid() == 0 || int(st.Uid) == os.Geteuid()) {
			if err = f.Chown(int(st.Uid), int(st.Gid)); err != nil {
				return "", err
			}
		}
		if err = f.Chmod(old.Mode().Perm()); err != nil {
			return "", err
		}
	}
	return spare, f.Sync()
}
