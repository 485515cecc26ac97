package link

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/cork"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// Conn is a connection through the link. Reads and writes are the payload,
// framed or not.
type Conn struct {
	net.Conn
	// Framed says that the bytes travel in WebSocket frames.
	Framed bool
	// InspectedBy names who ends TLS between the two ends, or is "". Only the
	// client's end knows.
	InspectedBy string
	// Compared says that both ends have an exporter. Where it is not set,
	// nobody can say whether TLS is inspected.
	Compared bool

	below cork.Leavable // unless nil, the relay passes on what follows TLS
}

// WritePieces writes several pieces, together where that is cheaper.
func (c *Conn) WritePieces(pieces [][]byte) error { return writePieces(c.Conn, pieces) }

func (l *leaving) WritePieces(pieces [][]byte) error  { return writePieces(l.Conn, pieces) }
func (p *prefixed) WritePieces(pieces [][]byte) error { return writePieces(p.Conn, pieces) }

func writePieces(c net.Conn, pieces [][]byte) error {
	if g, ok := c.(interface{ WritePieces([][]byte) error }); ok {
		return g.WritePieces(pieces)
	}
	for _, p := range pieces {
		if _, err := c.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// lingering is how long a closed connection waits for the client's mark.
const lingering = 2 * time.Second

// leaving is a connection whose outgoing bytes are not framed any more, and
// whose incoming ones are until the client says so.
type leaving struct {
	net.Conn // below the frames
	frames   atomic.Pointer[ws.Conn]
	closed   atomic.Bool
}

func (l *leaving) Read(p []byte) (int, error) {
	if f := l.frames.Load(); f != nil {
		if l.closed.Load() {
			return 0, net.ErrClosed
		}
		n, err := f.Read(p)
		if l.closed.Load() {
			return 0, net.ErrClosed
		}
		if !errors.Is(err, ws.ErrUnframed) {
			return n, err
		}
		l.frames.Store(nil)
	}
	return l.Conn.Read(p)
}

// Close closes the connection. While the client's mark is under way that would
// make the kernel reset it, and what was written last, such as a refusal, would
// be lost; so the end is announced, and the mark waited for.
func (l *leaving) Close() error {
	if l.frames.Load() == nil {
		return l.Conn.Close()
	}
	if l.closed.Swap(true) {
		return net.ErrClosed
	}
	if l.CloseWrite() != nil || l.Conn.SetDeadline(time.Now().Add(lingering)) != nil {
		return l.Conn.Close()
	}
	go func() {
		io.Copy(io.Discard, io.LimitReader(l.Conn, maxGreeting))
		l.Conn.Close()
	}()
	return nil
}

// prefixed gives bytes that were read already back first.
type prefixed struct {
	net.Conn
	rest []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		p.rest = nil
	}
	return n, nil
}

// unread is conn with bytes in front that a buffered reader holds.
func unread(conn net.Conn, n int, from io.Reader) net.Conn {
	if n == 0 {
		return conn
	}
	rest := make([]byte, n)
	io.ReadFull(from, rest) // it is there
	return &prefixed{Conn: conn, rest: rest}
}
