package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pumpBuffer is what one read of a pump takes at most.
const pumpBuffer = 64 << 10

// startPump copies between conn, which has no descriptor of its own or changes
// the bytes, and one end of a socket pair; it returns the other end, for the
// host. It takes over conn when it succeeds. The bytes of head go first.
//
// A half that ends is ended on the other side too, as far as that side can; a
// half that breaks breaks both. The host sees the end of the file in either
// case, which TLS and SSH above it tell apart.
func startPump(conn net.Conn, head []byte) (*os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket pair for the connection: %w", os.NewSyscallError("socketpair", err))
	}
	far := os.NewFile(uintptr(fds[1]), "pump-far")
	f := os.NewFile(uintptr(fds[0]), "pump-near")
	nc, err := net.FileConn(f)
	f.Close()
	if err != nil {
		far.Close()
		return nil, fmt.Errorf("make a socket pair for the connection: %w", err)
	}
	go pump(nc.(*net.UnixConn), conn, head)
	return far, nil
}

// pump runs until both directions have ended, one has broken, or the host has
// closed its end.
func pump(near *net.UnixConn, conn net.Conn, head []byte) {
	var closing sync.Once
	shut := func() {
		closing.Do(func() {
			near.Close()
			// Closing TLS may write; a peer that reads nothing must
			// not hold it.
			conn.SetDeadline(time.Now().Add(time.Second))
			conn.Close()
		})
	}
	var both sync.WaitGroup
	both.Go(func() {
		if err := copyHalf(conn, near); err != nil {
			shut()
			return
		}
		// The host sends no more. If it is gone altogether nobody reads
		// the answer either, and conn might stay silent for ever.
		go awaitHangup(near, shut)
	})
	both.Go(func() {
		if len(head) > 0 {
			if _, err := near.Write(head); err != nil {
				shut()
				return
			}
		}
		if err := copyHalf(near, conn); err != nil {
			shut()
		}
	})
	both.Wait()
	shut()
}

// copyHalf copies src to dst until src ends, and then ends dst's sending half.
func copyHalf(dst, src net.Conn) error {
	buf := make([]byte, pumpBuffer)
	// Plain reads and writes: io.Copy would hand over to ReadFrom methods,
	// which a wrapped connection may have inherited without meaning it.
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			if cw, ok := dst.(interface{ CloseWrite() error }); ok {
				return cw.CloseWrite()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// awaitHangup calls shut when the other end of near is closed, not only shut
// down for writing. It returns when near is closed here.
func awaitHangup(near *net.UnixConn, shut func()) {
	rc, err := near.SyscallConn()
	if err != nil {
		return
	}
	hangup := false
	err = rc.Read(func(fd uintptr) bool {
		p := []unix.PollFd{{Fd: int32(fd)}}
		if n, err := unix.Poll(p, 0); n > 0 && err == nil {
			hangup = p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		}
		return hangup
	})
	if hangup && err == nil {
		shut()
	}
}
