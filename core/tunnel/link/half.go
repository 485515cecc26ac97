package link

import (
	"errors"
	"net"
)

// ErrNoHalf is returned where the end of one direction cannot be told without
// ending both: within WebSocket frames.
var ErrNoHalf = errors.New("link: this connection has no half-close")

// CloseWrite ends what this end sends and leaves the other direction, or does
// nothing and returns [ErrNoHalf].
func (c *Conn) CloseWrite() error { return closeWrite(c.Conn) }

func (l *leaving) CloseWrite() error  { return closeWrite(l.Conn) }
func (p *prefixed) CloseWrite() error { return closeWrite(p.Conn) }

func closeWrite(c net.Conn) error {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return ErrNoHalf
}
