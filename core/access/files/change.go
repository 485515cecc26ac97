package files

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

var (
	errNotRegular = errors.New("not a regular file")
	errMoved      = errors.New("its directory was moved meanwhile")
)

// at runs f on the place of a path, once the judge allowed to change it.
func (t *Tree) at(name string, follow bool, f func(p *place) error) (path string, err error) {
	err = t.as(func() error {
		p, err := find(name, follow)
		if err != nil {
			return err
		}
		defer p.close()
		path = p.real
		if err := t.judge.Upload(p.real); err != nil {
			return err
		}
		return f(p)
	})
	return path, err
}

// there is at for what exists.
func (t *Tree) there(op, name string, follow bool, f func(p *place) error) (string, error) {
	return t.at(name, follow, func(p *place) error {
		if !p.exists() {
			return p.error(op, unix.ENOENT)
		}
		if err := f(p); err != nil {
			return p.error(op, err)
		}
		return nil
	})
}

// Mkdir makes a directory.
func (t *Tree) Mkdir(name string, mode os.FileMode) (string, error) {
	return t.at(name, false, func(p *place) error {
		if p.exists() {
			return p.error("mkdir", unix.EEXIST)
		}
		if err := unix.Mkdirat(p.dir, p.base, uint32(mode.Perm())); err != nil {
			return p.error("mkdir", err)
		}
		return nil
	})
}

// Remove removes a file, or with dir an empty directory.
func (t *Tree) Remove(name string, dir bool) (string, error) {
	flags := 0
	if dir {
		flags = unix.AT_REMOVEDIR
	}
	return t.there("remove", name, false, func(p *place) error { return unix.Unlinkat(p.dir, p.base, flags) })
}

// Symlink makes a symbolic link that says target.
func (t *Tree) Symlink(target, name string) (string, error) {
	return t.at(name, false, func(p *place) error {
		if err := unix.Symlinkat(target, p.dir, p.base); err != nil {
			return p.error("symlink", err)
		}
		return nil
	})
}

// Rename moves a file, or a directory with all that is in it, each of which is
// judged. It replaces another one only if asked to.
func (t *Tree) Rename(from, to string, replace bool) (string, error) {
	flags := uint(unix.RENAME_NOREPLACE)
	if replace {
		flags = 0
	}
	return t.both("rename", from, to, func(a, b *place) error {
		err := unix.Renameat2(a.dir, a.base, b.dir, b.base, flags)
		if !replace && (err == unix.EINVAL || err == unix.ENOSYS) && !b.exists() { // a file system that does not know the flag
			err = unix.Renameat(a.dir, a.base, b.dir, b.base)
		}
		return err
	})
}

// Link makes a second name for a file.
func (t *Tree) Link(from, to string) (string, error) {
	return t.both("link", from, to, func(a, b *place) error { return unix.Linkat(a.dir, a.base, b.dir, b.base, 0) })
}

// moving lets one move be judged and done at a time, in all connections: what was
// seen in a directory could else be joined by something else before it is moved.
var moving sync.Mutex

// both runs f on two places that may be changed, unless that made something
// downloadable which is not.
func (t *Tree) both(op, from, to string, f func(a, b *place) error) (path string, err error) {
	moving.Lock()
	defer moving.Unlock()
	path, err = t.there(op, from, false, func(a *place) error {
		b, err := find(to, false)
		if err != nil {
			return err
		}
		defer b.close()
		if err := t.judge.Upload(b.real); err != nil {
			return err
		}
		if err := t.disclosed(a.real, b.real); err != nil {
			return err
		}
		if a.is(unix.S_IFDIR) {
			if err := t.moved(a, b.real); err != nil {
				return err
			}
		}
		return f(a, b)
	})
	return path, err
}

// disclosed is the refusal if something may be taken from one path and not from
// the other.
func (t *Tree) disclosed(from, to string) error {
	if t.judge.Download(to) != nil {
		return nil
	}
	return t.judge.Download(from)
}

// Chmod changes the permission bits (07777) of a file.
func (t *Tree) Chmod(name string, mode uint32) (string, error) {
	return t.there("chmod", name, true, func(p *place) error { return unix.Chmod(p.again(), mode&0o7777) })
}

// Chown changes the owner and group of a file.
func (t *Tree) Chown(name string, uid, gid int) (string, error) {
	return t.there("chown", name, true, func(p *place) error { return unix.Chown(p.again(), uid, gid) })
}

// Times changes when a file was read and changed last.
func (t *Tree) Times(name string, read, changed time.Time) (string, error) {
	ts := []unix.Timespec{unix.NsecToTimespec(read.UnixNano()), unix.NsecToTimespec(changed.UnixNano())}
	return t.there("utimes", name, true, func(p *place) error { return unix.UtimesNanoAt(unix.AT_FDCWD, p.again(), ts, 0) })
}

// Truncate changes the size of a regular file.
func (t *Tree) Truncate(name string, size int64) (string, error) {
	return t.there("truncate", name, true, func(p *place) error {
		if !p.is(unix.S_IFREG) {
			return errNotRegular
		}
		f, err := p.open(unix.O_WRONLY)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Truncate(size)
	})
}
