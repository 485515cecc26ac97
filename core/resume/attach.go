package resume

import (
	"bufio"
	"net"
	"time"
)

// Handover is the time between two connections of a stream.
type Handover struct {
	// Received is the position from which the other side has to go on.
	Received uint64

	s      *Stream
	number uint64
}

// Take takes the connection away, if there is one, and begins a handover. A
// later one makes this one void.
func (s *Stream) Take() (*Handover, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handovers++
	h := &Handover{s: s, number: s.handovers}
	if c := s.carrier; c != nil {
		s.redialing = true // not because of this
		s.lose(c, ErrReplaced)
		s.redialing = false
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	h.Received = s.receivedAll()
	return h, nil
}

// settle waits until nobody uses the last connection any more.
func (s *Stream) settle() error {
	for s.carrier == nil && s.err == nil && (s.writing || s.last != nil && s.last.busy) {
		s.idle.Wait()
	}
	return s.err
}

// Attach ends the handover: raw, on which both sides have told each other what
// they received, carries the stream from now on and belongs to it. On an error
// raw is closed.
func (h *Handover) Attach(raw net.Conn, peerReceived uint64) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	switch {
	case err != nil:
	case h.number != s.handovers || s.carrier != nil:
		err = ErrReplaced
	default:
		err = s.rewind(peerReceived)
	}
	if err != nil {
		go raw.Close()
		return err
	}
	raw.SetDeadline(time.Time{})
	now := time.Now()
	c := &carrier{
		raw: raw, vectored: vectored(raw), since: now, heard: now, proved: now,
		lost: make(chan struct{}), in: bufio.NewReaderSize(raw, 4<<10),
	}
	if c.paced, _ = raw.(pacer); c.paced != nil {
		c.paced.Waits(s.caughtUp)
	}
	s.carrier, s.last = c, c
	s.lostTimer.Stop()
	s.redialing = false
	s.startPings()
	if s.waiting == 0 {
		s.background(c)
	}
	s.kick()
	s.wakeAll()
	if s.o.State != nil {
		s.o.State(nil)
	}
	return nil
}

// rewind makes sending go on where the other side is.
func (s *Stream) rewind(peerReceived uint64) error {
	if s.finished && peerReceived == s.end+1 {
		s.finAcked = true
		s.idle.Broadcast()
		peerReceived = s.end
	}
	if s.stopped {
		s.next = s.end
		return nil
	}
	if peerReceived < s.released || peerReceived > s.end {
		err := broken("it has %d bytes; sent were between %d and %d", peerReceived, s.released, s.end)
		s.fail(err)
		return err
	}
	s.next = peerReceived
	s.release() // what was consumed while it was being written
	return nil
}

// Attach gives the stream a connection, taking away the one it has. See
// [Handover.Attach].
func (s *Stream) Attach(raw net.Conn, peerReceived uint64) error {
	h, err := s.Take()
	if err != nil {
		go raw.Close()
		return err
	}
	return h.Attach(raw, peerReceived)
}

// Lost is closed when the connection that the stream has now is lost. Without
// one it is closed already.
func (s *Stream) Lost() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier != nil {
		return s.carrier.lost
	}
	gone := make(chan struct{})
	close(gone)
	return gone
}
