package resume

import (
	"bufio"
	"io"
	"net"
	"time"
)

// carrier is one connection of a stream.
type carrier struct {
	raw      net.Conn
	vectored bool
	lost     chan struct{} // closed when it is not the stream's any more
	reader   chan struct{} // closed when nobody reads from it any more
	since    time.Time

	// Guarded by the stream's lock.
	heard      time.Time // something arrived
	acked      uint64    // what the other side was told
	ping, pong bool      // to be sent
	pingNumber uint64
	pongNumber uint64
	asked      time.Time // when the ping that waits for an answer was made
	stopSent   bool
	finSent    bool
	resetSent  bool

	// Of whoever is writing.
	scratch     []byte
	pieces      [][]byte
	pieceSpace  [][]byte
	bufferSpace [][]byte
	buffers     net.Buffers
	data        int // bytes of the stream in the batch
}

// close ends the connection without waiting: closing TLS may take seconds.
func (c *carrier) close() {
	close(c.lost)
	c.raw.SetDeadline(time.Unix(1, 0))
	go c.raw.Close()
}

// lose takes the carrier away from the stream, if it has it.
func (s *Stream) lose(c *carrier, err error) {
	if s.carrier != c {
		return
	}
	s.carrier = nil
	s.adapt(c, err)
	c.close()
	s.pingTimer.Stop()
	if s.resetting || s.ended() {
		s.err = s.over(errDone)
		s.finish()
		return
	}
	if time.Since(c.since) >= healthy {
		s.redialDelay = 0
	}
	s.keepUntil = time.Now().Add(s.o.Keep)
	s.lostTimer.Reset(s.o.Keep)
	s.sides, s.sideSize = nil, 0
	s.canWrite.Broadcast()
	if s.o.State != nil {
		s.o.State(err)
	}
	s.redialSoon()
}

// ended reports whether both sides have said all they wanted to.
func (s *Stream) ended() bool {
	return s.eof && (s.stopped || s.finAcked)
}

// serve reads frames until the connection or the stream ends.
func (s *Stream) serve(c *carrier) {
	defer close(c.reader)
	err := s.receive(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier != c {
		return
	}
	if f, ok := err.(*fatal); ok {
		s.fail(f.error)
		return
	}
	s.lose(c, err)
}

// fatal is an error after which another connection would not help.
type fatal struct{ error }

func (s *Stream) receive(c *carrier) error {
	in := bufio.NewReaderSize(c.raw, 4<<10)
	var buf [headSize]byte
	for {
		if _, err := io.ReadFull(in, buf[:]); err != nil {
			return err
		}
		h, err := parseHead(buf[:])
		if err != nil {
			return &fatal{broken("%v", err)}
		}
		if h.kind == typeData {
			err = s.takeData(c, in, h)
		} else {
			err = s.takeControl(c, in, h)
		}
		if err != nil {
			return err
		}
	}
}

// takeData reads the bytes of a data frame straight into the queue.
func (s *Stream) takeData(c *carrier, in *bufio.Reader, h head) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.position != s.received || s.eof {
		return &fatal{broken("data at %d, expected at %d", h.position, s.received)}
	}
	if s.received+uint64(h.length)-s.read > Window {
		return &fatal{broken("more data than there is room for")}
	}
	for left := h.length; left > 0; {
		if s.carrier != c {
			return net.ErrClosed
		}
		to := s.in.space()
		to = to[:min(left, len(to))]
		s.filling = true
		s.mu.Unlock()
		n, err := in.Read(to)
		s.mu.Lock()
		s.filling = false
		// What has arrived counts, even if the connection is not ours any
		// more: whoever took it waits for this goroutine.
		s.in.grow(n)
		s.received += uint64(n)
		left -= n
		if s.closed {
			s.throwAway()
		}
		c.heard = time.Now()
		if n > 0 {
			s.canRead.Signal()
		}
		if err != nil {
			return err
		}
		if s.closed && s.ackPosition()-c.acked >= ackEvery {
			s.kick()
		}
	}
	return nil
}

// takeControl reads and obeys any other frame.
func (s *Stream) takeControl(c *carrier, in *bufio.Reader, h head) error {
	var payload []byte
	if h.length > 0 {
		payload = make([]byte, h.length)
		if _, err := io.ReadFull(in, payload); err != nil {
			return err
		}
	}
	if h.kind == typeSide {
		s.mu.Lock()
		f := s.side
		if s.carrier != c {
			f = nil
		}
		c.heard = time.Now()
		s.mu.Unlock()
		if f != nil {
			f(payload[0], payload[1:])
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier != c {
		return net.ErrClosed
	}
	c.heard = time.Now()
	switch h.kind {
	case typeAck:
		return s.takeAck(c, h.position)
	case typeFin:
		if h.position != s.received || s.eof {
			// A side that gave up writing what nobody reads ends early.
			if !s.closed || s.eof {
				return &fatal{broken("end at %d, expected at %d", h.position, s.received)}
			}
			s.received, s.read = h.position, h.position
		}
		s.eof = true
		s.canRead.Broadcast()
		s.kick()
	case typePing:
		c.pong, c.pongNumber = true, h.position
		s.kick()
	case typePong:
		if h.position == c.pingNumber {
			c.asked = time.Time{}
		}
	case typeStop:
		s.stopped = true
		s.canWrite.Broadcast()
		s.kick()
	case typeReset:
		return &fatal{&ResetError{Reason: plain(string(payload))}}
	}
	return nil
}

func (s *Stream) takeAck(c *carrier, position uint64) error {
	sent := s.next + uint64(c.data)
	if s.stopped {
		sent = s.end
	}
	fin := position == s.end+1 && s.finished && (c.finSent || s.finAcked)
	if position > sent && !fin {
		return &fatal{broken("it has %d bytes of %d that were sent", position, sent)}
	}
	if fin {
		position = s.end
		s.finAcked = true
		s.idle.Broadcast()
	}
	if position > s.consumed {
		s.consumed = position
		s.release()
		s.canWrite.Broadcast()
	}
	return nil
}
