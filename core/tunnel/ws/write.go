package ws

import (
	"math/rand/v2"
	"net"
	"sync"
)

// frameSize is the longest payload that is written in one frame: what those
// who copy streams write at once.
const frameSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([maxHead + frameSize]byte) }}

// Write sends p in binary frames, each in one write below.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := 0
	for sent < len(p) {
		part := p[sent:min(len(p), sent+frameSize)]
		if err := c.writeFrame(opBinary, part); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return sent, nil
}

// Unframe says that what follows in this direction is not framed. Nothing may
// be written by this Conn afterwards.
func (c *Conn) Unframe() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.writeFrame(opText, nil)
	c.closed = true // no closing frame any more
	if c.werr == nil {
		c.werr = net.ErrClosed
	}
	return err
}

// answer sends a control frame from within Read. It is left out while somebody
// else writes: that is a sign of life as well, and Read must not wait for it.
func (c *Conn) answer(op byte, p []byte) {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if op == opClose {
		if c.closed {
			return
		}
		c.closed = true
	}
	c.writeFrame(op, p) // what fails here fails the next Write too
}

// writeFrame sends one frame; mu is held. After an error that may have come in
// the middle of a frame nothing more can be sent.
func (c *Conn) writeFrame(op byte, p []byte) error {
	if c.werr != nil {
		return c.werr
	}
	h := head{op: op, fin: true, masked: c.client, length: uint64(len(p))}
	if c.client {
		// The runtime's generator is ChaCha8 with a random seed: nobody who
		// chooses what is sent can foresee the key, which is what it is for.
		h.key = rand.Uint32()
	}
	buf := buffers.Get().(*[maxHead + frameSize]byte)
	defer buffers.Put(buf)
	b := appendHead(buf[:0], h)
	b = b[:len(b)+len(p)]
	if body := b[len(b)-len(p):]; c.client {
		mask(body, p, h.key)
	} else {
		copy(body, p)
	}
	if _, err := c.Conn.Write(b); err != nil {
		c.werr = err
	}
	return c.werr
}
