package files

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links at the end of a path are followed.
const maxLinks = 40

// A place is where a path leads: a name in a directory, both held by
// descriptors, and what is there, if anything.
type place struct {
	dir  int    // O_PATH of the directory
	base string // the name in it; "." for the directory itself
	real string // the path of the whole, without links
	fd   int    // O_PATH of what is there; -1 if nothing is
	st   unix.Stat_t
}

func (p *place) close() {
	unix.Close(p.dir)
	if p.fd >= 0 {
		unix.Close(p.fd)
	}
}

func (p *place) exists() bool { return p.fd >= 0 }

func (p *place) is(kind uint32) bool { return p.exists() && p.st.Mode&unix.S_IFMT == kind }

// again is the name by which the kernel opens the descriptor itself anew.
func (p *place) again() string { return procPath(p.fd) }

func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// find looks a path up, in the thread of the user. A symbolic link at its end
// is followed if asked for.
func find(name string, follow bool) (*place, error) {
	if !path.IsAbs(name) || strings.ContainsRune(name, 0) {
		return nil, &os.PathError{Op: "look up", Path: name, Err: errors.New("not an absolute path")}
	}
	for range maxLinks {
		p, link, err := step(name, follow)
		if err != nil {
			return nil, &os.PathError{Op: "look up", Path: name, Err: err}
		}
		if link == "" {
			return p, nil
		}
		name = link
	}
	return nil, &os.PathError{Op: "look up", Path: name, Err: unix.ELOOP}
}

// step looks one path up. If there is a link to follow at its end it returns
// where that leads.
func step(name string, follow bool) (p *place, link string, err error) {
	trimmed := strings.TrimRight(name, "/")
	slash := strings.LastIndexByte(trimmed, '/')
	parent, base := "/", "."
	if slash >= 0 {
		parent, base = trimmed[:slash+1], trimmed[slash+1:]
	}
	if base == ".." {
		parent, base = trimmed, "."
	}
	dir, err := open(unix.AT_FDCWD, parent, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, "", err
	}
	p = &place{dir: dir, base: base, fd: -1}
	defer func() {
		if err != nil || link != "" {
			p.close()
			p = nil
		}
	}()
	if p.real, err = realPath(dir); err != nil {
		return p, "", err
	}
	if base != "." {
		p.real = path.Join(p.real, base)
	}
	fd, err := open(dir, base, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENOENT) {
		return p, "", nil
	}
	if err != nil {
		return p, "", err
	}
	p.fd = fd
	if err = unix.Fstat(fd, &p.st); err != nil {
		return p, "", err
	}
	if p.is(unix.S_IFLNK) && follow {
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(fd, "", b)
		if err != nil || n == 0 {
			return p, "", errors.Join(unix.ENOENT, err)
		}
		link = string(b[:n])
		if !path.IsAbs(link) {
			link = path.Dir(p.real) + "/" + link // not cleaned: `..` after a link means the link's target
		}
		return p, link, nil
	}
	_, err = realPath(fd)
	return p, "", err
}

// open is openat2 without the links of /proc that lead anywhere.
func open(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode), Resolve: unix.RESOLVE_NO_MAGICLINKS})
		switch err {
		case unix.EINTR, unix.EAGAIN:
			continue
		case unix.ENOSYS, unix.EPERM: // before Linux 5.6, or a filter that does not know it
			if fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, mode); err != unix.EPERM {
				return fd, err
			}
		}
		return fd, err
	}
}

// realPath is the path of a descriptor as the kernel has it.
func realPath(fd int) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlink(procPath(fd), b)
	if err != nil {
		return "", err
	}
	name := string(b[:n])
	if !path.IsAbs(name) {
		return "", fmt.Errorf("%q is not a file", name)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return "", err
	}
	if fs.Type == unix.PROC_SUPER_MAGIC && ofProcess(name) {
		return "", errors.New("files of processes are not for transfer")
	}
	return name, nil
}

// ofProcess reports whether a path on procfs may be below a process: /proc/self
// is this very agent, with its memory and its descriptors.
func ofProcess(name string) bool {
	rest, ok := strings.CutPrefix(name, "/proc/")
	if !ok {
		return name != "/proc" // mounted elsewhere: it cannot be told
	}
	return rest != "" && rest[0] >= '0' && rest[0] <= '9'
}
