package splice

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipe is what splice(2) moves bytes through. It is empty while nobody uses it.
type pipe struct{ r, w int }

// A user who is not root has 64 MiB for pipes before new ones get two pages; a
// pipe's size counts the pieces that it holds, and those of TCP are larger than a
// page.
const (
	pipeSize = 256 << 10
	mostMove = 1 << 20
)

// pipes are those that wait for the next stream.
var pipes = make(chan pipe, 16)

func takePipe() (pipe, error) {
	select {
	case p := <-pipes:
		return p, nil
	default:
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return pipe{}, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	return pipe{fds[0], fds[1]}, nil
}

func (p pipe) put() {
	select {
	case pipes <- p:
	default:
		p.close()
	}
}

func (p pipe) close() {
	unix.Close(p.r)
	unix.Close(p.w)
}

// inKernel is stream without touching the bytes. Where the connections are no
// sockets, or no pipe is to be had, it has not begun.
func (h *half) inKernel() (done bool, err error) {
	from, to := socket(h.from), socket(h.to)
	if from == nil || to == nil {
		return false, nil
	}
	p, err := takePipe()
	if err != nil {
		return false, nil
	}
	left := 0 // bytes in the pipe
	defer func() {
		if left > 0 {
			p.close()
		} else {
			p.put()
		}
	}()
	var armed time.Time
	row := 0 // pieces that were small
	for begun := false; row < calm; begun = true {
		if now := time.Now(); now.Sub(armed) > linger/2 {
			if err := h.from.SetReadDeadline(now.Add(linger)); err != nil {
				return true, err
			}
			armed = now
		}
		n, err := fill(from, p)
		switch {
		case errors.Is(err, unix.EINVAL) && !begun:
			return false, nil
		case err != nil:
			return true, err
		case n == 0:
			return true, io.EOF
		}
		if left = n; n > first {
			row = -1
		}
		row++
		if err := h.arm(); err != nil {
			return true, err
		}
		for left > 0 {
			n, err := drain(p, to, left)
			left -= n
			if err := h.wrote(n, err); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

func socket(c any) syscall.RawConn {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// fill waits for bytes and moves them into the pipe.
func fill(from syscall.RawConn, p pipe) (n int, err error) {
	failed := from.Read(func(fd uintptr) bool {
		n, err = move(int(fd), p.w, mostMove)
		return err != unix.EAGAIN
	})
	return outcome(n, err, failed)
}

// drain moves bytes out of the pipe, once there is room for some.
func drain(p pipe, to syscall.RawConn, most int) (n int, err error) {
	failed := to.Write(func(fd uintptr) bool {
		n, err = move(p.r, int(fd), most)
		return err != unix.EAGAIN
	})
	return outcome(n, err, failed)
}

func outcome(n int, err, failed error) (int, error) {
	if failed != nil {
		return 0, failed
	}
	if err != nil {
		return 0, os.NewSyscallError("splice", err)
	}
	return n, nil
}

func move(from, to, most int) (int, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err != unix.EINTR {
			return int(n), err
		}
	}
}
