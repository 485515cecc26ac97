package nowait

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// New is c with such reads and writes, or c itself where that cannot be.
func New(c net.Conn) net.Conn {
	s, ok := c.(Socket)
	if !ok {
		return c
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return c
	}
	n := &Conn{Socket: s}
	n.in.wait, n.in.call = raw.Read, n.in.read
	n.out.wait, n.out.call = raw.Write, n.out.write
	return n
}

// Read reads as that of the socket does.
func (c *Conn) Read(p []byte) (n int, err error) {
	w := &c.in
	w.Lock()
	defer w.Unlock()
	if len(p) == 0 || w.ordinary() {
		n, err = c.Socket.Read(p)
	} else {
		w.p, w.n, w.errno = p, 0, 0
		err = w.wait(w.call)
		w.p = nil
		n, err = w.n, c.failed("read", w.errno, err)
		if n == 0 && err == nil {
			err = io.EOF
		}
	}
	w.much = n >= small || n == len(p)
	return n, err
}

// Write writes as that of the socket does.
func (c *Conn) Write(p []byte) (n int, err error) {
	w := &c.out
	w.Lock()
	defer w.Unlock()
	if w.much = len(p) == 0 || len(p) >= small; w.ordinary() {
		return c.Socket.Write(p)
	}
	w.p, w.n, w.errno = p, 0, 0
	err = w.wait(w.call)
	w.p = nil
	return w.n, c.failed("write", w.errno, err)
}

// failed is the error of a call, as the socket would say it.
func (c *Conn) failed(op string, errno syscall.Errno, err error) error {
	if err != nil || errno == 0 {
		return err
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}

func (w *way) read(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&w.p[0])), uintptr(len(w.p)))
		switch errno {
		case 0:
			w.n = int(n)
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			w.row = 0
			return false
		default:
			w.errno = errno
			return true
		}
	}
}

func (w *way) write(fd uintptr) bool {
	for w.n < len(w.p) {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&w.p[w.n])), uintptr(len(w.p)-w.n))
		switch errno {
		case 0:
			w.n += int(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			w.row = 0
			return false
		default:
			w.errno = errno
			return true
		}
	}
	return true
}
