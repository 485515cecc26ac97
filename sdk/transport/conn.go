package transport

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Buffered returns conn with the bytes that r has read from it and nobody has
// consumed put back in front. Use it after the dialogue with a proxy, so that
// nothing of the target's first bytes is lost:
//
//	br := bufio.NewReader(conn)
//	resp, err := http.ReadResponse(br, nil)
//	...
//	return transport.Buffered(conn, br), nil
func Buffered(conn net.Conn, r *bufio.Reader) net.Conn {
	n := r.Buffered()
	if n == 0 {
		return conn
	}
	residual := make([]byte, n)
	io.ReadFull(r, residual) // it is there: n bytes are buffered
	return &buffered{Conn: conn, residual: residual}
}

// buffered is a connection with bytes in front.
type buffered struct {
	net.Conn
	residual []byte
}

// Read gives the bytes in front first.
func (b *buffered) Read(p []byte) (int, error) {
	if len(b.residual) > 0 {
		n := copy(p, b.residual)
		b.residual = b.residual[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// CloseWrite ends the sending half, if the connection beneath can.
func (b *buffered) CloseWrite() error { return closeWrite(b.Conn) }

// Note is that of the connection beneath.
func (b *buffered) Note() string { return noteOf(b.Conn) }

// Detach takes the connection apart.
func (b *buffered) Detach() (net.Conn, []byte) { return b.Conn, b.residual }

// WithNote returns conn with a note about its way, see [Noter].
func WithNote(conn net.Conn, note string) net.Conn { return &noted{conn, note} }

type noted struct {
	net.Conn
	note string
}

// Note returns the note.
func (n *noted) Note() string { return n.note }

// CloseWrite ends the sending half, if the connection beneath can.
func (n *noted) CloseWrite() error { return closeWrite(n.Conn) }

// Detach takes the connection apart.
func (n *noted) Detach() (net.Conn, []byte) {
	if d, ok := n.Conn.(Detacher); ok {
		return d.Detach()
	}
	return n.Conn, nil
}

func noteOf(conn net.Conn) string {
	if n, ok := conn.(Noter); ok {
		return n.Note()
	}
	return ""
}

// closeWrite ends the sending half of a connection that can do that. On
// another it does nothing: closing it all would cut the answer off.
func closeWrite(conn net.Conn) error {
	if cw, ok := conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

// Converse runs talk, which reads from and writes to conn, and interrupts it
// when ctx ends: reads and writes then fail at once, and Converse returns the
// context's error. Afterwards conn has no deadline. The caller closes conn on
// error.
func Converse(ctx context.Context, conn net.Conn, talk func() error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	// Not with ctx's deadline on conn: that one could fire first, and the
	// error would look like the peer's and not like the context's.
	var mu sync.Mutex
	over := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			conn.SetDeadline(time.Unix(1, 0)) // long past: whatever waits, wakes
		}
	})
	err := talk()
	mu.Lock()
	over = true
	mu.Unlock()
	stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	conn.SetDeadline(time.Time{})
	return err
}
