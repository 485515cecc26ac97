package resume

import (
	"encoding/binary"
	"net"
)

// kick lets the flusher look for something to send.
func (s *Stream) kick() {
	select {
	case s.kicks <- struct{}{}:
	default:
	}
}

// flusher sends what the application's own Write does not: acknowledgements,
// pings, side messages, and everything after an attachment. The reader of the
// carrier never writes, so that two sides cannot block each other.
func (s *Stream) flusher() {
	for {
		select {
		case <-s.done:
			return
		case <-s.kicks:
		}
		s.mu.Lock()
		if s.copying {
			s.missed = true
		} else if !s.writing {
			s.flush()
		}
		s.mu.Unlock()
	}
}

// caughtUp is called by whoever reads when he has worked off what had come and is
// about to wait for more. What is small and was written meanwhile goes out now,
// together: an answer to each of many packets costs both ends and the relay more
// than the packet. Should nobody read, a goroutine takes over after
// [readPause], and it comes to that, too.
func (s *Stream) caughtUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.later {
		s.kick() // who reads never writes
	}
}

// A pacer is a connection that knows whether its reader will wait soon.
type pacer interface {
	Much() bool
	Waits(func())
}

// flush writes to the carrier until nothing is left to write. It is called
// with the lock held, and nobody else writing; it gives the lock up meanwhile.
func (s *Stream) flush() {
	s.writing, s.later = true, false
	for {
		c := s.carrier
		if c == nil || !s.batch(c) {
			break
		}
		s.mu.Unlock()
		err := c.write()
		s.mu.Lock()
		if c != s.carrier {
			continue // lost meanwhile; what it had will be sent again
		}
		if err != nil {
			s.lose(c, err)
			continue
		}
		s.next += uint64(c.data)
		c.data = 0
		s.release()
		if c.resetSent {
			s.finish()
		}
		s.canWrite.Broadcast()
	}
	s.writing = false
	s.idle.Broadcast()
}

// batch prepares what is to be written next: control frames, then data. It
// reports whether there is anything.
func (s *Stream) batch(c *carrier) bool {
	b := c.scratch[:0]
	c.pieces = nil
	c.data = 0
	if s.resetting {
		if c.resetSent {
			return false
		}
		c.resetSent = true
		c.scratch = s.seals.append(b, typeReset, []byte(s.reset))
		return true
	}
	if c.pong {
		c.pong = false
		b = s.seals.append(b, typePong, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.pongNumber), c.pongReceived))
	}
	if c.ping {
		c.ping = false
		if c.pingFresh { // what was written before is to have arrived before
			c.pingFresh, c.pingSent = false, s.next
		}
		b = appendHead(b, typePing, 0, c.pingNumber)
	}
	data := int(s.end - s.next)
	if s.stopped {
		data = 0 // nobody would read it
	}
	ack := s.ackPosition()
	if due := ack - c.acked; due >= ackEvery || due >= ackAlong && data > 0 || due > 0 && s.eof {
		c.acked = ack
		b = appendHead(b, typeAck, 0, ack)
	}
	if s.closed && !c.stopSent {
		c.stopSent = true
		b = s.seals.append(b, typeStop)
	}
	for len(s.sides) > 0 && len(b) < sendData {
		m := s.sides[0]
		s.sides[0] = sideMessage{}
		s.sides = s.sides[1:]
		s.sideSize -= len(m.p)
		b = s.seals.append(b, typeSide, []byte{m.kind}, m.p)
	}
	if len(s.sides) == 0 {
		s.sides = nil
	}
	switch {
	case data > 0:
		c.data = min(data, sendData)
		b = appendHead(b, typeData, c.data, s.next)
		c.pieces = s.out.slices(c.pieceSpace[:0], int(s.next-s.released), c.data)
		c.pieceSpace = c.pieces
	case s.finished && !c.finSent && !s.finAcked && (s.next == s.end || s.stopped):
		c.finSent = true
		b = appendHead(b, typeFin, 0, s.end)
	}
	c.scratch = b
	return len(b) > 0
}

// ackPosition is what the other side may forget. Once its end has come, there
// is nothing left to hold back.
func (s *Stream) ackPosition() uint64 {
	if s.eof {
		return s.received + 1
	}
	return s.read
}

// release forgets what the other side has and what is not being written.
func (s *Stream) release() {
	to := min(s.consumed, s.next)
	if to > s.released {
		s.out.drop(int(to - s.released))
		s.released = to
	}
}

// write writes the batch to the connection.
func (c *carrier) write() error {
	limit := coalesceMessage
	if c.vectored {
		limit = coalesceVector
	}
	// Fill the first write up: one packet, one TLS record.
	for len(c.pieces) > 0 && len(c.scratch) < limit {
		n := min(limit-len(c.scratch), len(c.pieces[0]))
		if c.vectored && n < len(c.pieces[0]) {
			break // costs a copy and saves nothing
		}
		c.scratch = append(c.scratch, c.pieces[0][:n]...)
		if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
			c.pieces = c.pieces[1:]
		}
	}
	if len(c.pieces) == 0 {
		_, err := c.raw.Write(c.scratch)
		return err
	}
	c.buffers = append(append(c.bufferSpace[:0], c.scratch), c.pieces...)
	c.bufferSpace = c.buffers
	if c.vectored {
		_, err := c.buffers.WriteTo(c.raw)
		return err
	}
	if g, ok := c.raw.(gatherer); ok {
		return g.WritePieces(c.buffers)
	}
	for _, p := range c.buffers {
		if _, err := c.raw.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// A gatherer sends pieces together, such as the records of TLS; see core/tunnel/cork.
type gatherer interface {
	WritePieces(pieces [][]byte) error
}

// How much of the data is copied behind the head, to save a write.
const (
	coalesceVector  = 4 << 10
	coalesceMessage = 16 << 10 // a TLS record
)

// vectored reports whether several pieces go to the kernel in one call.
func vectored(raw net.Conn) bool {
	switch raw.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
