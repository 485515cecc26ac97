package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// How says how a file is opened for writing.
type How struct {
	Exclusive bool // it must not exist
	Truncate  bool
	Existing  bool // it must exist
	Mode      os.FileMode
}

// OpenRead opens a regular file for reading and returns its real path, also
// with an error that comes after that is known.
func (t *Tree) OpenRead(name string) (f *os.File, path string, err error) {
	err = t.as(func() error {
		p, err := find(name, true)
		if err != nil {
			return err
		}
		defer p.close()
		path = p.real
		if err := p.regular("open"); err != nil {
			return err
		}
		if err := t.judge.Download(p.real); err != nil {
			return err
		}
		f, err = p.open(unix.O_RDONLY)
		return err
	})
	return f, path, err
}

// OpenWrite opens a regular file for writing, and for reading if the user may
// read it, or makes it. It returns the real path.
func (t *Tree) OpenWrite(name string, how How) (f *os.File, path string, err error) {
	err = t.as(func() error {
		for try := 0; ; try++ {
			f, path, err = t.openWrite(name, how)
			// Somebody else may be making and removing the same file.
			if !os.IsExist(err) || how.Exclusive || try == 8 {
				return err
			}
		}
	})
	return f, path, err
}

func (t *Tree) openWrite(name string, how How) (*os.File, string, error) {
	p, err := find(name, true)
	if err != nil {
		return nil, "", err
	}
	defer p.close()
	if err := t.judge.Upload(p.real); err != nil {
		return nil, p.real, err
	}
	if !p.exists() {
		if how.Existing {
			return nil, p.real, p.error("open", unix.ENOENT)
		}
		f, err := p.create(how.Mode)
		return f, p.real, err
	}
	if how.Exclusive {
		return nil, p.real, p.error("create", unix.EEXIST)
	}
	if err := p.regular("open"); err != nil {
		return nil, p.real, err
	}
	f, err := p.open(unix.O_RDWR)
	if os.IsPermission(err) {
		f, err = p.open(unix.O_WRONLY)
	}
	if err == nil && how.Truncate {
		if err = f.Truncate(0); err != nil {
			f.Close()
		}
	}
	return f, p.real, err
}

func (p *place) error(op string, err error) error {
	return &os.PathError{Op: op, Path: p.real, Err: err}
}

func (p *place) regular(op string) error {
	switch {
	case !p.exists():
		return p.error(op, unix.ENOENT)
	case p.is(unix.S_IFDIR):
		return p.error(op, unix.EISDIR)
	case !p.is(unix.S_IFREG):
		return p.error(op, errNotRegular)
	}
	return nil
}

// open opens what the place holds, whatever has its name by now.
func (p *place) open(flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(p.again(), flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, p.error("open", err)
		}
		return os.NewFile(uintptr(fd), p.real), nil
	}
}

// create makes the file, and sees that it came to lie where the judge was told.
func (p *place) create(mode os.FileMode) (*os.File, error) {
	fd, err := open(p.dir, p.base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, uint32(mode.Perm()))
	if err != nil {
		return nil, p.error("create", err)
	}
	if at, err := realPath(fd); err != nil || at != p.real {
		_ = unix.Unlinkat(p.dir, p.base, 0)
		unix.Close(fd)
		return nil, p.error("create", errMoved)
	}
	return os.NewFile(uintptr(fd), p.real), nil
}
