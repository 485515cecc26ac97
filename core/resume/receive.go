package resume

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Who reads from the connection: the application's own Read, straight into its
// buffer, which saves a copy and a change of goroutines. Only when the
// application does not read for a while, or reads with a deadline, a goroutine
// of the stream does, into the queue: acknowledgements, pings and the end of the
// connection must be seen all the time.

// readPause is how long the application may stay away from Read before a
// goroutine takes over.
const readPause = 20 * time.Millisecond

// Read reads from the stream. After the end of what the other side wrote it
// returns io.EOF; when the stream is over for another reason, that reason, once
// everything that had arrived is read.
func (s *Stream) Read(p []byte) (int, error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if n, err, done := s.readable(p); done {
			return n, err
		}
		c := s.carrier
		switch {
		case c == nil || c.busy:
		case s.readLimit.set():
			s.background(c)
		default:
			if n := s.direct(c, p); n > 0 {
				return n, nil
			}
			continue
		}
		s.waiting++
		s.canRead.Wait()
		s.waiting--
	}
}

// readable returns what can be returned without reading from the connection.
func (s *Stream) readable(p []byte) (n int, err error, done bool) {
	switch {
	case s.closed:
		return 0, s.over(net.ErrClosed), true
	case s.readLimit.passed():
		return 0, os.ErrDeadlineExceeded, true
	case s.in.size > 0:
		return s.dequeue(p), nil, true
	case s.eof:
		return 0, io.EOF, true
	case s.err != nil:
		return 0, s.err, true
	}
	return 0, nil, len(p) == 0
}

// dequeue takes bytes out of the queue.
func (s *Stream) dequeue(p []byte) int {
	n := 0
	for n < len(p) && s.in.size > 0 && !s.closed {
		from := s.in.front()
		s.mu.Unlock()
		m := copy(p[n:], from) // only this goroutine takes from the front
		s.mu.Lock()
		if s.closed {
			break // what was in front is gone
		}
		s.in.drop(m)
		s.read += uint64(m)
		n += m
	}
	s.acknowledge()
	return n
}

// acknowledge sees to it that the other side learns what was read, now and then.
func (s *Stream) acknowledge() {
	if c := s.carrier; c != nil && s.ackPosition()-c.acked >= ackEvery {
		s.kick()
	}
}

// direct reads frames from the connection until there are bytes for p, or until
// something else has changed.
func (s *Stream) direct(c *carrier, p []byte) int {
	c.busy = true
	n, err := s.step(c, p)
	for n == 0 && err == nil && s.carrier == c && !s.eof && !s.closed && !s.readLimit.set() {
		n, err = s.step(c, p)
	}
	s.leave(c, err)
	return n
}

// background lets a goroutine read from the connection, until the application
// waits for what it brings.
func (s *Stream) background(c *carrier) {
	if c.busy {
		return
	}
	c.busy = true
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		var err error
		for err == nil && s.carrier == c {
			var n int
			n, err = s.step(c, nil)
			if n > 0 && s.waiting > 0 && !s.readLimit.set() && !s.closed {
				break
			}
		}
		s.leave(c, err)
	}()
}

// leave ends somebody's reading from the connection.
func (s *Stream) leave(c *carrier, err error) {
	c.busy = false
	s.turns++
	if s.carrier != c {
		s.idle.Broadcast()
		return
	}
	var reset *ResetError
	switch {
	case errors.As(err, &reset):
		s.fail(reset)
	case errors.Is(err, ErrProtocol) && s.strange >= maxStrange:
		s.fail(err)
	case err != nil:
		if errors.Is(err, ErrProtocol) {
			s.strange++
		}
		s.lose(c, err)
	case s.closed:
		s.background(c) // Close waits for the other side
	case !s.armed:
		s.armed = true
		s.readTimer.Reset(readPause)
	}
	s.idle.Broadcast()
}

// takeOver starts a goroutine to read if the application has not for a while.
func (s *Stream) takeOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	c := s.carrier
	switch {
	case c == nil || c.busy || s.err != nil:
	case s.turns != s.turnsSeen:
		s.turnsSeen = s.turns
		s.armed = true
		s.readTimer.Reset(readPause)
	default:
		s.background(c)
	}
}

// interrupt makes whoever reads from the connection look up.
func (s *Stream) interrupt() {
	if c := s.carrier; c != nil && c.busy && !c.interrupted {
		c.interrupted = true
		c.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// interrupted reports whether err is only from interrupt.
func (s *Stream) interrupted(c *carrier, err error) bool {
	var n net.Error
	if !c.interrupted || !errors.As(err, &n) || !n.Timeout() || s.carrier != c {
		return false
	}
	c.interrupted = false
	c.raw.SetReadDeadline(time.Time{})
	return true
}

// step reads the next piece from the connection: a head, a control frame, or
// bytes of the stream, into p or, if that is empty, into the queue. It returns how
// many bytes of the stream there were. The lock is given up while it reads.
func (s *Stream) step(c *carrier, p []byte) (n int, err error) {
	switch {
	case c.left > 0:
		n, err = s.stepData(c, p)
	case c.payload != nil:
		err = s.stepPayload(c)
	default:
		err = s.stepHead(c)
	}
	if err != nil && s.interrupted(c, err) {
		err = nil
	}
	return n, err
}

func (s *Stream) stepHead(c *carrier) error {
	s.mu.Unlock()
	b, err := c.in.Peek(headSize) // stays there if the rest does not come
	s.mu.Lock()
	if err != nil {
		return err
	}
	h, err := parseHead(b)
	if err != nil {
		return broken("%v", err)
	}
	c.in.Discard(headSize)
	if s.carrier != c {
		return net.ErrClosed
	}
	c.heard = time.Now()
	switch {
	case h.kind == typeData:
		if h.position != s.received || s.eof {
			return broken("data at %d, expected at %d", h.position, s.received)
		}
		if s.received+uint64(h.length)-s.read > Window {
			return broken("more data than there is room for")
		}
		c.left = h.length
		return nil
	case h.length > 0:
		c.frame, c.payload, c.filled = h, make([]byte, h.length), 0
		return nil
	}
	return s.obey(c, h, nil)
}

// stepData reads bytes of the stream. What has arrived counts, even if the
// connection is not ours any more: whoever took it waits for this goroutine.
func (s *Stream) stepData(c *carrier, p []byte) (int, error) {
	to := p
	if queued := len(p) == 0; queued {
		to = s.in.space()
		s.filling = true
	}
	to = to[:min(c.left, len(to))]
	s.mu.Unlock()
	buffered := c.in.Buffered()
	n, err := c.in.Read(to)
	if n == buffered && n < len(to) && err == nil {
		// The rest is on its way, and comes without a copy.
		var m int
		m, err = c.in.Read(to[n:])
		n += m
	}
	s.mu.Lock()
	s.received += uint64(n)
	c.left -= n
	c.heard = time.Now()
	if len(p) == 0 {
		s.filling = false
		s.in.grow(n)
		s.canRead.Signal()
	} else {
		s.read += uint64(n)
	}
	if s.closed {
		s.throwAway()
	}
	s.acknowledge()
	return n, err
}

func (s *Stream) stepPayload(c *carrier) error {
	to := c.payload[c.filled:]
	s.mu.Unlock()
	n, err := c.in.Read(to)
	s.mu.Lock()
	if c.filled += n; c.filled < len(c.payload) || err != nil {
		return err
	}
	h, payload := c.frame, c.payload
	c.payload = nil
	if s.carrier != c {
		return net.ErrClosed
	}
	c.heard = time.Now()
	payload, err = s.seals.open(h, payload)
	if err != nil {
		return err
	}
	if h.kind != typeSide {
		return s.obey(c, h, payload)
	}
	if f := s.side; f != nil {
		s.mu.Unlock()
		f(payload[0], payload[1:])
		s.mu.Lock()
	}
	return nil
}

// obey does what a control frame says.
func (s *Stream) obey(c *carrier, h head, payload []byte) error {
	switch h.kind {
	case typeAck:
		return s.takeAck(c, h.position)
	case typeFin:
		if h.position != s.received || s.eof {
			// A side that gave up writing what nobody reads ends early.
			if !s.closed || s.eof {
				return broken("end at %d, expected at %d", h.position, s.received)
			}
			s.received, s.read = h.position, h.position
		}
		s.eof = true
		s.canRead.Broadcast()
		s.kick()
	case typePing:
		c.pong, c.pongNumber, c.pongReceived = true, h.position, s.received
		s.kick()
	case typePong:
		number, arrived := binary.BigEndian.Uint64(payload), binary.BigEndian.Uint64(payload[8:])
		if number != c.pingNumber || c.pingFresh {
			return nil
		}
		if arrived < c.pingSent {
			return broken("only %d bytes of %d have arrived that were sent before: somebody holds them back", arrived, c.pingSent)
		}
		c.asked, c.unproved, c.proved = time.Time{}, time.Time{}, time.Now()
	case typeStop:
		s.stopped = true
		s.canWrite.Broadcast()
		s.kick()
	case typeReset:
		return &ResetError{Reason: plain(string(payload))}
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
		return broken("it has %d bytes of %d that were sent", position, sent)
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
