package resume

import (
	"errors"
	"net"
	"time"
)

// errDone is the reason of a regular end.
var errDone = errors.New("the stream is closed")

// CloseWrite ends what this side writes: the other side reads io.EOF after it.
// Reading goes on.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.err != nil {
		return s.over(net.ErrClosed)
	}
	s.finished = true
	s.canWrite.Broadcast()
	s.kick()
	return nil
}

// Close ends the stream. It waits for at most Options.Linger until the other
// side has received what was written; what that one writes is thrown away.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed, s.finished = true, true
	s.throwAway()
	s.canRead.Broadcast()
	s.canWrite.Broadcast()
	if s.err == nil && !s.said() {
		s.kick()
		s.interrupt()
		if c := s.carrier; c != nil {
			s.background(c)
		}
		over := false
		timer := time.AfterFunc(s.o.Linger, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			over = true
			s.idle.Broadcast()
		})
		for s.err == nil && !over && !s.said() {
			s.idle.Wait()
		}
		timer.Stop()
	}
	s.fail(errDone)
	return nil
}

// Abort ends the stream at once on both sides and tells the other why, if that
// can be done within a second. What was not received is lost.
func (s *Stream) Abort(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.closed = true
	s.throwAway()
	if s.carrier == nil {
		s.fail(errDone)
		return
	}
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	s.reset, s.resetting = reason, true
	s.err = errDone
	s.wakeAll()
	c := s.carrier
	c.raw.SetWriteDeadline(time.Now().Add(time.Second))
	time.AfterFunc(time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.finish()
	})
	s.kick()
}

// said reports whether the other side knows all that a closed stream has to say.
func (s *Stream) said() bool {
	return s.finAcked && (s.carrier == nil || s.carrier.stopSent && !s.writing)
}

// throwAway makes that what has arrived, and what still does, counts as read.
// The memory is left to the garbage collector: Read may be copying from it.
func (s *Stream) throwAway() {
	if !s.filling {
		s.in = queue{}
	}
	s.read = s.received
}

// fail ends the stream for a reason.
func (s *Stream) fail(err error) {
	if s.closed {
		err = errDone // the application has said that it does not care
	}
	if s.err == nil {
		s.err = err
	}
	s.finish()
}

// finish lets go of everything.
func (s *Stream) finish() {
	select {
	case <-s.done:
		return
	default:
	}
	close(s.done)
	s.cancel()
	if c := s.carrier; c != nil {
		s.carrier = nil
		c.close()
	}
	for _, t := range []*time.Timer{s.lostTimer, s.pingTimer, s.readTimer} {
		if t != nil {
			t.Stop()
		}
	}
	s.readLimit.stop()
	s.writeLimit.stop()
	s.out = queue{} // not to the pool: Write or the carrier may be at it
	s.sides = nil
	clear(s.key)
	s.wakeAll()
}

func (s *Stream) wakeAll() {
	s.canRead.Broadcast()
	s.canWrite.Broadcast()
	s.idle.Broadcast()
}

// expire ends a stream that waited too long for a connection.
func (s *Stream) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier == nil && !time.Now().Before(s.keepUntil) {
		s.fail(ErrLost)
	}
}
