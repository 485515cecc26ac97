package resume

import (
	"errors"
	"time"
)

// startPings begins to watch a new carrier.
func (s *Stream) startPings() {
	if s.pingTimer == nil {
		s.pingTimer = time.AfterFunc(s.interval, s.watch)
		return
	}
	s.pingTimer.Reset(s.interval)
}

// Anybody on the way can make frames that show a connection to be alive. So even
// one on which much arrives is asked now and then, and the answer, which only the
// other side can make, must come in the end; it may be far behind the data on a
// slow line.
const (
	unasked = 3  // times the interval
	proof   = 30 // times Answer
)

// watch asks a silent connection, and gives up one that does not answer.
func (s *Stream) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.carrier
	if c == nil || s.err != nil {
		return
	}
	now := time.Now()
	switch waits := now.Sub(c.asked); {
	case !c.unproved.IsZero() && now.Sub(c.unproved) >= proof*s.o.Answer:
		s.lose(c, ErrHeld)
	case c.asked.IsZero() || c.heard.After(c.asked):
		rest := s.interval - now.Sub(c.heard)
		if c.unproved.IsZero() {
			rest = min(rest, unasked*s.interval-now.Sub(c.proved))
		}
		if rest > 0 {
			c.asked = time.Time{}
			s.pingTimer.Reset(rest)
			return
		}
		c.asked, c.ping = now, true
		if c.unproved.IsZero() {
			c.unproved, c.pingFresh = now, true
			c.pingNumber++
		}
		s.kick()
		s.pingTimer.Reset(s.o.Answer)
	case waits < s.o.Answer:
		s.pingTimer.Reset(s.o.Answer - waits)
	default:
		s.lose(c, ErrSilent)
	}
}

// adapt shortens the pauses after a connection was cut that had nothing to do.
func (s *Stream) adapt(c *carrier, err error) {
	if !s.o.Adaptive || errors.Is(err, ErrReplaced) {
		return
	}
	idle := time.Since(c.heard)
	if errors.Is(err, ErrSilent) {
		idle = s.interval
	}
	if idle >= leastPing/2 {
		s.interval = max(leastPing, min(s.interval, idle*2/3))
	}
}
