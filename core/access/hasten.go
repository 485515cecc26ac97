package access

import (
	"bufio"
	"net"
	"sync"
	"time"
)

const (
	readAhead   = 256 << 10
	writeBehind = 256 << 10 // bytes that may wait to be written
	flushTime   = 2 * time.Second
)

// A hasty connection makes up for the small buffers (4 KiB) that x/crypto/ssh
// reads and writes with: it reads far ahead, and writes what has gathered while
// the last write went on. Encryption and system calls thus overlap.
type hasty struct {
	net.Conn
	r *bufio.Reader

	mu      sync.Mutex
	changed sync.Cond
	gather  []byte // to be written next
	writing bool
	closed  bool
	err     error
}

func hasten(c net.Conn) *hasty {
	h := &hasty{Conn: c, r: bufio.NewReaderSize(c, readAhead)}
	h.changed.L = &h.mu
	go h.write()
	return h
}

func (h *hasty) Read(p []byte) (int, error) { return h.r.Read(p) }

// Write takes p. What went wrong with it is told by a later call.
func (h *hasty) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.gather) > writeBehind && h.err == nil && !h.closed {
		h.changed.Wait()
	}
	if h.err != nil {
		return 0, h.err
	}
	if h.closed {
		return 0, net.ErrClosed
	}
	h.gather = append(h.gather, p...)
	if !h.writing {
		h.changed.Broadcast()
	}
	return len(p), nil
}

func (h *hasty) write() {
	var spare []byte
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		for len(h.gather) == 0 && !h.closed && h.err == nil {
			h.changed.Wait()
		}
		if len(h.gather) == 0 || h.err != nil {
			h.gather = nil
			return
		}
		out := h.gather
		h.gather, h.writing = spare[:0], true
		h.mu.Unlock()
		_, err := h.Conn.Write(out)
		h.mu.Lock()
		spare, h.writing, h.err = out, false, err
		h.changed.Broadcast()
	}
}

// Close writes what is left, for a moment, and closes.
func (h *hasty) Close() error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		h.changed.Broadcast()
		_ = h.Conn.SetWriteDeadline(time.Now().Add(flushTime))
		for (len(h.gather) > 0 || h.writing) && h.err == nil {
			h.changed.Wait()
		}
	}
	h.mu.Unlock()
	return h.Conn.Close()
}
