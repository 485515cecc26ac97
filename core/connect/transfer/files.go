package transfer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/pkg/sftp"
)

// side is where files are: this workstation or the system.
type side interface {
	Stat(name string) (fs.FileInfo, error)
	List(name string) ([]fs.FileInfo, error)
	Join(dir, name string) string
	Base(name string) string
	// Open opens a file for reading, or for writing: made when it is missing,
	// and emptied when fresh is set.
	Open(name string, write, fresh bool, mode fs.FileMode) (file, error)
	MakeDir(name string, mode fs.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
	Times(name string, mode fs.FileMode, modified time.Time) error
}

type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Close() error
}

type local struct{}

func (local) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

func (local) List(name string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var out []fs.FileInfo
	for _, e := range entries {
		fi, err := os.Stat(filepath.Join(name, e.Name())) // links are followed, as by scp -r
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone, or a link to nowhere
		}
		if err != nil {
			return nil, err
		}
		out = append(out, named{fi, e.Name()})
	}
	return out, nil
}

// named is what a link leads to, under the name of the link.
type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

func (local) Join(dir, name string) string { return filepath.Join(dir, name) }
func (local) Base(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	return filepath.Base(name)
}

func (local) Open(name string, write, fresh bool, mode fs.FileMode) (file, error) {
	return os.OpenFile(name, flags(write, fresh), mode)
}

func flags(write, fresh bool) int {
	switch {
	case !write:
		return os.O_RDONLY
	case fresh:
		return os.O_RDWR | os.O_CREATE | os.O_TRUNC
	}
	return os.O_RDWR | os.O_CREATE
}

func (local) MakeDir(name string, mode fs.FileMode) error {
	err := os.Mkdir(name, mode|0o700)
	if errors.Is(err, fs.ErrExist) {
		if fi, statErr := os.Stat(name); statErr == nil && fi.IsDir() {
			return nil
		}
	}
	return err
}

func (local) Rename(from, to string) error { return os.Rename(from, to) }
func (local) Remove(name string) error     { return os.Remove(name) }

func (local) Times(name string, mode fs.FileMode, modified time.Time) error {
	if err := os.Chmod(name, mode.Perm()); err != nil {
		return err
	}
	return os.Chtimes(name, modified, modified)
}

// remote is the system, over one SFTP channel.
type remote struct{ c *sftp.Client }

func (r remote) Stat(name string) (fs.FileInfo, error) { return r.c.Stat(name) }

func (r remote) List(name string) ([]fs.FileInfo, error) {
	list, err := r.c.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var out []fs.FileInfo
	for _, fi := range list {
		if fi.Mode()&fs.ModeSymlink == 0 {
			out = append(out, fi)
			continue
		}
		to, err := r.c.Stat(path.Join(name, fi.Name()))
		if err != nil {
			continue // a link to nowhere
		}
		out = append(out, named{to, fi.Name()})
	}
	return out, nil
}

func (remote) Join(dir, name string) string { return path.Join(dir, name) }
func (remote) Base(name string) string      { return path.Base(name) }

func (r remote) Open(name string, write, fresh bool, _ fs.FileMode) (file, error) {
	f := flags(write, fresh)
	if f&os.O_RDWR != 0 {
		// What is written is not read here: some policies allow only one way.
		f = f&^os.O_RDWR | os.O_WRONLY
	}
	return r.c.OpenFile(name, f)
}

func (r remote) MakeDir(name string, _ fs.FileMode) error {
	err := r.c.Mkdir(name)
	if err == nil {
		return nil
	}
	if fi, statErr := r.c.Stat(name); statErr == nil && fi.IsDir() {
		return nil
	}
	return err
}

func (r remote) Rename(from, to string) error { return r.c.PosixRename(from, to) }
func (r remote) Remove(name string) error     { return r.c.Remove(name) }

func (r remote) Times(name string, mode fs.FileMode, modified time.Time) error {
	if err := r.c.Chmod(name, mode.Perm()); err != nil {
		return err
	}
	return r.c.Chtimes(name, modified, modified)
}
