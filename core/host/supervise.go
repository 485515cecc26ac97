package host

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// How often a plugin may crash.
const (
	crashWindow = time.Hour
	crashLimit  = 3
	firstPause  = 500 * time.Millisecond
	longPause   = 30 * time.Second
)

// supervisor remembers crashes by plugin role, over all uses of it.
type supervisor struct {
	clock  clock
	jitter func() float64 // in [0,1)

	mu      sync.Mutex
	crashes map[string][]crash // the oldest first, none older than the window
}

type crash struct {
	at  time.Time
	why error
}

func newSupervisor(c clock) *supervisor {
	return &supervisor{clock: c, jitter: rand.Float64, crashes: make(map[string][]crash)}
}

// crashed notes a crash.
func (s *supervisor) crashed(id string, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashes[id] = append(s.recent(id), crash{s.clock.Now(), why})
}

// recent forgets crashes that are older than the window; s.mu is held.
func (s *supervisor) recent(id string) []crash {
	list := s.crashes[id]
	start := s.clock.Now().Add(-crashWindow)
	for len(list) > 0 && !list[0].at.After(start) {
		list = list[1:]
	}
	s.crashes[id] = list
	return list
}

// admit waits until the plugin may be started, or says that it may not.
func (s *supervisor) admit(ctx context.Context, id string) error {
	s.mu.Lock()
	list := s.recent(id)
	if n := len(list); n >= crashLimit {
		// The circuit closes when so many are forgotten that fewer than the
		// limit are left.
		until := list[n-crashLimit].at.Add(crashWindow)
		s.mu.Unlock()
		return &CircuitError{ID: id, Count: n, Until: until, Last: list[n-1].why}
	}
	var wait time.Duration
	if n := len(list); n > 0 {
		pause := min(longPause, firstPause<<(n-1))
		pause = pause/2 + time.Duration(s.jitter()*float64(pause/2))
		wait = pause - s.clock.Now().Sub(list[n-1].at)
	}
	s.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return s.clock.Sleep(ctx, wait)
}
