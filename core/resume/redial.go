package resume

import (
	"context"
	"math/rand/v2"
	"time"
)

// redialSoon starts to look for a new connection, if this side does that.
func (s *Stream) redialSoon() {
	if s.o.Redial == nil || s.redialing || s.err != nil {
		return
	}
	s.redialing = true
	go s.redial(s.keepUntil)
}

func (s *Stream) redial(until time.Time) {
	ctx, cancel := context.WithDeadline(s.ctx, until)
	defer cancel()
	for {
		if !s.pause(ctx) {
			return
		}
		h, err := s.Take()
		if err != nil {
			return
		}
		raw, received, err := s.o.Redial(ctx, h.Received)
		if err == nil {
			if h.Attach(raw, received) == nil {
				return
			}
			continue
		}
		if isFinal(err) {
			s.mu.Lock()
			s.fail(err)
			s.mu.Unlock()
			return
		}
	}
}

// pause waits before a try: not before the first one after a good connection,
// then longer and longer. It reports whether there is time for one.
func (s *Stream) pause(ctx context.Context) bool {
	s.mu.Lock()
	d := s.redialDelay
	s.redialDelay = min(max(2*d, firstDelay), lastDelay)
	s.mu.Unlock()
	if d > 0 {
		d = d/2 + rand.N(d/2+1)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
