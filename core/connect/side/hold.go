package side

import (
	"io"
	"net"
	"sync"
	"time"
)

// Hold gives a stream as SSH is to have it. Closing it ends at once what SSH reads
// and writes, and leaves the stream, over which the end of the recording is said.
func Hold(stream net.Conn) net.Conn { return &held{Conn: stream} }

type held struct {
	net.Conn
	mu     sync.Mutex
	closed bool
}

func (h *held) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

func (h *held) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	h.closed = true
	return h.Conn.SetDeadline(time.Unix(1, 0)) // whoever waits returns
}

// Read gives nothing that came after Close, nor what was there unread.
func (h *held) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if h.over() {
		return 0, net.ErrClosed
	}
	return n, err
}

func (h *held) Write(p []byte) (int, error) {
	if h.over() {
		return 0, net.ErrClosed
	}
	return h.Conn.Write(p)
}

// limit changes a deadline, which a closed one keeps.
func (h *held) limit(set func(time.Time) error, t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	return set(t)
}

func (h *held) SetDeadline(t time.Time) error      { return h.limit(h.Conn.SetDeadline, t) }
func (h *held) SetReadDeadline(t time.Time) error  { return h.limit(h.Conn.SetReadDeadline, t) }
func (h *held) SetWriteDeadline(t time.Time) error { return h.limit(h.Conn.SetWriteDeadline, t) }

// Drain throws away what the engineer still sends after SSH is done with a held
// stream, so that what his program says beside it comes through.
func Drain(stream net.Conn) {
	_ = stream.SetDeadline(time.Time{})
	go func() { _, _ = io.Copy(io.Discard, stream) }() // until the stream is over
}
