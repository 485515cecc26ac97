package relay

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connKey is where a request has the connection that it came on.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// gateOf is the connection below the TLS of a request, or nil.
func gateOf(ctx context.Context) *gatedConn {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, _ := c.(*gatedConn)
	return g
}

// socketOf is what the connection waits at, or nil.
func socketOf(c net.Conn) syscall.RawConn {
	if u, ok := c.(*upgraded); ok && u.gate != nil {
		if s, ok := u.gate.Conn.(syscall.Conn); ok {
			if raw, err := s.SyscallConn(); err == nil {
				return raw
			}
		}
	}
	return nil
}

// patient reads from a connection of which thousands wait at the same time. A
// read that waits within TLS holds a goroutine of 8 KB; this one can wait at
// the socket, with a stack that the next garbage collection makes small.
type patient struct {
	conn   net.Conn
	socket syscall.RawConn // nil: wait in conn
	until  time.Time       // for the whole of the next message
	armed  bool            // that is the deadline of conn

	held bool // the byte that peek read
	byte byte
}

// expect sets how long the next message may take.
func (p *patient) expect(within time.Duration) { p.until, p.armed = time.Now().Add(within), false }

// peek reports whether a byte is there, or an error, without waiting for the
// network; where that cannot be found out it is as if one were there.
func (p *patient) peek() bool {
	if p.socket == nil || p.held {
		return true
	}
	var one [1]byte
	p.conn.SetReadDeadline(time.Unix(1, 0))
	n, err := p.conn.Read(one[:])
	if n == 1 {
		p.held, p.byte = true, one[0]
	}
	return n == 1 || !isTimeout(err)
}

// arm makes waiting at the socket end in time.
func (p *patient) arm() { p.conn.SetReadDeadline(p.until) }

func (p *patient) Read(b []byte) (int, error) {
	if !p.armed {
		p.conn.SetReadDeadline(p.until)
		p.armed = true
	}
	if p.held && len(b) > 0 {
		b[0], p.held = p.byte, false
		return 1, nil
	}
	return p.conn.Read(b)
}

// readable waits until a read of the socket would return something, or its
// deadline is over. It and all that it calls fit into the stack that a goroutine
// begins with.
func readable(s syscall.RawConn) error { return s.Read(ready) }

// ready asks without waiting, and without what the runtime does for a system
// call that may wait.
func ready(fd uintptr) bool {
	var one byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&one)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno != unix.EAGAIN && errno != unix.EINTR
}
