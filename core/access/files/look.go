package files

import (
	"os"
	"path"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// Looking at names and metadata is not judged: what a user may see he sees.

// Stat describes a file, with follow what a symbolic link leads to.
func (t *Tree) Stat(name string, follow bool) (info os.FileInfo, err error) {
	err = t.as(func() error {
		p, err := find(name, follow)
		if err != nil {
			return err
		}
		defer p.close()
		if !p.exists() {
			return p.error("stat", unix.ENOENT)
		}
		info, err = describe(p.fd, p.real)
		return err
	})
	return info, err
}

// Real is the path of a file without links. What is missing at its end is kept
// as it was given.
func (t *Tree) Real(name string) (real string, err error) {
	err = t.as(func() error {
		p, err := find(name, true)
		if err != nil {
			return err
		}
		defer p.close()
		real = p.real
		return nil
	})
	return real, err
}

// describe closes nothing: the file it makes of fd is on a copy.
func describe(fd int, name string) (os.FileInfo, error) {
	twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(twin), name)
	defer f.Close()
	return f.Stat()
}

// ReadDir lists a directory, sorted, without following links in it.
func (t *Tree) ReadDir(name string) (infos []os.FileInfo, err error) {
	err = t.as(func() error {
		p, err := find(name, true)
		if err != nil {
			return err
		}
		defer p.close()
		if !p.is(unix.S_IFDIR) {
			return p.error("list", unix.ENOTDIR)
		}
		d, err := p.open(unix.O_RDONLY | unix.O_DIRECTORY)
		if err != nil {
			return err
		}
		defer d.Close()
		names, err := d.Readdirnames(-1)
		if err != nil {
			return err
		}
		sort.Strings(names)
		for _, n := range names {
			fd, err := open(p.fd, n, unix.O_PATH|unix.O_NOFOLLOW, 0)
			if err != nil {
				continue // removed meanwhile, or not searchable
			}
			if info, err := describe(fd, n); err == nil {
				infos = append(infos, info)
			}
			unix.Close(fd)
		}
		return nil
	})
	return infos, err
}

// Readlink returns what a symbolic link says.
func (t *Tree) Readlink(name string) (target string, err error) {
	err = t.as(func() error {
		p, err := find(name, false)
		if err != nil {
			return err
		}
		defer p.close()
		if !p.is(unix.S_IFLNK) {
			return p.error("readlink", unix.EINVAL)
		}
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(p.fd, "", b)
		target = string(b[:n])
		return err
	})
	return target, err
}

// StatFS describes the file system that a file is on.
func (t *Tree) StatFS(name string) (fs unix.Statfs_t, err error) {
	err = t.as(func() error {
		p, err := find(name, true)
		if err != nil {
			return err
		}
		defer p.close()
		if !p.exists() {
			return p.error("statfs", unix.ENOENT)
		}
		return unix.Fstatfs(p.fd, &fs)
	})
	return fs, err
}

// maxMatches bounds what a pattern can lead to.
const maxMatches = 10_000

// Glob finds the paths that match a pattern as a shell does, in order; a path
// without signs of a pattern is returned as it is.
func (t *Tree) Glob(pattern string) []string {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{pattern}
	}
	found := []string{"/"}
	for _, part := range strings.Split(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, `*?[\`) {
				next = append(next, path.Join(dir, part))
				continue
			}
			infos, _ := t.ReadDir(dir)
			for _, i := range infos {
				hidden := strings.HasPrefix(i.Name(), ".") && !strings.HasPrefix(part, ".")
				if ok, err := path.Match(part, i.Name()); ok && err == nil && !hidden && len(next) < maxMatches {
					next = append(next, path.Join(dir, i.Name()))
				}
			}
		}
		found = next
	}
	exist := found[:0]
	for _, name := range found {
		if _, err := t.Stat(name, false); err == nil {
			exist = append(exist, name)
		}
	}
	return exist
}
