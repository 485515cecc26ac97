package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socketPeer checks a descriptor that a transport handed over as a connection
// and says where it leads. It must be a connected TCP socket.
func socketPeer(f *os.File) (netip.AddrPort, error) {
	fd := int(f.Fd())
	if err := streamSocket(fd); err != nil {
		return netip.AddrPort{}, err
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("its family cannot be told: %w", err)
	}
	if domain != unix.AF_INET && domain != unix.AF_INET6 {
		return netip.AddrPort{}, fmt.Errorf("a socket of family %d, not of the Internet", domain)
	}
	if proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || proto != unix.IPPROTO_TCP {
		return netip.AddrPort{}, fmt.Errorf("a socket of protocol %d, not TCP", proto)
	}
	sa, err := unix.Getpeername(fd)
	if err != nil {
		return netip.AddrPort{}, errors.New("a socket that is not connected")
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("a socket with a peer of type %T", sa)
}

// pumpedPair checks a descriptor that a transport handed over as one end of a
// socket pair whose other end it pumps: made by the plugin itself, so that
// nobody else is at its other end.
func pumpedPair(f *os.File, pid int) error {
	fd := int(f.Fd())
	if err := streamSocket(fd); err != nil {
		return err
	}
	return ownPair(fd, pid)
}

func streamSocket(fd int) error {
	kind, err := kindOf(fd)
	if err != nil {
		return err
	}
	if kind != "a socket" {
		return fmt.Errorf("%s, not a socket", kind)
	}
	if typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || typ != unix.SOCK_STREAM {
		return fmt.Errorf("a socket of type %d, not a stream", typ)
	}
	if listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listening != 0 {
		return errors.New("a listening socket")
	}
	return nil
}

// ownPair checks that a stream socket is one end of a Unix socket pair that the
// process pid made.
func ownPair(fd, pid int) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_UNIX {
		return fmt.Errorf("a socket of family %d, not a socket pair", domain)
	}
	named, err := peerHasName(fd)
	if err != nil {
		return errors.New("a socket that is not connected")
	}
	if named {
		return errors.New("a socket that is connected to a service of this machine")
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(cred.Pid) != pid {
		return errors.New("a socket that leads to another process")
	}
	return nil
}

// peerHasName reports whether the peer of a Unix socket is bound to a name. The
// length of the address tells: package unix shows no name as "@", which also is
// the shortest abstract one.
func peerHasName(fd int) (bool, error) {
	var raw unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := unix.Syscall(unix.SYS_GETPEERNAME, uintptr(fd), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return false, errno
	}
	return size > uint32(unsafe.Sizeof(raw.Addr.Family)), nil
}

// kindOf says what a descriptor is open on.
func kindOf(fd int) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return "", fmt.Errorf("a descriptor that cannot be asked what it is: %w", err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "a file", nil
	case unix.S_IFDIR:
		return "a directory", nil
	case unix.S_IFIFO:
		return "a pipe", nil
	case unix.S_IFSOCK:
		return "a socket", nil
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device", nil
	}
	return "something else (an anonymous descriptor)", nil
}

// content is a checked descriptor of a collector.
type content struct {
	file *os.File
	path string // of a regular file on a file system; empty for what is streamed
	size int64  // of a regular file; -1 for what is streamed
}

// checkContent checks a descriptor that a collector handed over to be read: a
// regular file or the read end of a pipe, open for reading only, or one end of
// the plugin's own socket pair. It takes over f. A file is opened once more: the
// plugin holds a duplicate of the first one, with the same offset and flags.
func checkContent(f *os.File, pid int) (content, error) {
	fd := int(f.Fd())
	fail := func(err error) (content, error) {
		f.Close()
		return content{}, err
	}
	kind, err := kindOf(fd)
	if err != nil {
		return fail(err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fail(fmt.Errorf("%s whose flags cannot be read: %w", kind, err))
	}
	if flags&unix.O_PATH != 0 {
		return fail(errors.New("a descriptor that only names a path"))
	}
	switch kind {
	case "a file":
		if flags&unix.O_ACCMODE != unix.O_RDONLY {
			return fail(errors.New("a file that is open for writing"))
		}
		return reopened(f)
	case "a pipe":
		if flags&unix.O_ACCMODE != unix.O_RDONLY {
			return fail(errors.New("the writing end of a pipe"))
		}
		return content{file: f, size: -1}, nil
	case "a socket":
		if err := streamSocket(fd); err != nil {
			return fail(err)
		}
		if err := ownPair(fd, pid); err != nil {
			return fail(err)
		}
		return content{file: f, size: -1}, nil
	}
	return fail(errors.New(kind))
}

func reopened(f *os.File) (content, error) {
	defer f.Close()
	self := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	path, err := os.Readlink(self)
	if err != nil {
		return content{}, fmt.Errorf("a file whose path cannot be told: %w", err)
	}
	// Without blocking: the plugin may hold a lease on a file of its own.
	again, err := os.OpenFile(self, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return content{}, fmt.Errorf("a file that cannot be opened again: %w", err)
	}
	info, err := again.Stat()
	if err != nil {
		again.Close()
		return content{}, fmt.Errorf("a file that cannot be asked for its size: %w", err)
	}
	return content{file: again, path: path, size: info.Size()}, nil
}

// connOf makes a connection of a checked socket and closes f.
func connOf(f *os.File) (net.Conn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	if t, ok := c.(*net.TCPConn); ok { // what a dialled connection has, a handed one has not
		t.SetNoDelay(true)
		t.SetKeepAlive(true)
	}
	return c, nil
}
