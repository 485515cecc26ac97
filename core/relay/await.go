package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"

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
// read that waits within TLS holds a goroutine of 8 KB; this one waits at the
// socket, with a stack that the next garbage collection makes 2 KB.
type patient struct {
	conn   net.Conn
	socket syscall.RawConn // nil: wait in conn
	until  time.Time       // for the next byte
}

// within is how long the rest of a message may take once it has begun.
const within = 10 * time.Second

func (p *patient) Read(b []byte) (int, error) {
	if p.socket == nil {
		p.conn.SetReadDeadline(p.until)
		return p.conn.Read(b)
	}
	// What TLS holds already is there without a wait.
	p.conn.SetReadDeadline(time.Unix(1, 0))
	if n, err := p.conn.Read(b); n > 0 || err == nil || !isTimeout(err) {
		return n, err
	}
	p.conn.SetReadDeadline(p.until)
	if err := readable(p.socket); err != nil {
		return 0, err
	}
	p.conn.SetReadDeadline(time.Now().Add(within))
	return p.conn.Read(b)
}

// readable waits until a read of the socket would return something.
func readable(s syscall.RawConn) error {
	return s.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
}
