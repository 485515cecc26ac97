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

// watch asks a silent connection, and gives up one that does not answer.
func (s *Stream) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.carrier
	if c == nil || s.err != nil {
		return
	}
	now := time.Now()
	silent := now.Sub(c.heard)
	switch waits := now.Sub(c.asked); {
	case c.asked.IsZero() || c.heard.After(c.asked):
		if silent < s.interval {
			c.asked = time.Time{}
			s.pingTimer.Reset(s.interval - silent)
			return
		}
		c.asked = now
		c.ping = true
		c.pingNumber++
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
