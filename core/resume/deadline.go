package resume

import (
	"sync"
	"time"
)

// deadline wakes who waits on a condition when its time has come. The lock of
// the condition is held for every method.
type deadline struct {
	wake  *sync.Cond
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set() bool    { return !d.at.IsZero() }
func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) reset(at time.Time) {
	d.stop()
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			d.wake.L.Lock()
			defer d.wake.L.Unlock()
			d.wake.Broadcast()
		})
	}
	d.wake.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// SetDeadline sets both deadlines.
func (s *Stream) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readLimit.reset(t)
	s.interrupt()
	s.writeLimit.reset(t)
	return nil
}

// SetReadDeadline ends Read at t.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readLimit.reset(t)
	s.interrupt()
	return nil
}

// SetWriteDeadline ends Write at t. What Write has taken by then is sent.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeLimit.reset(t)
	return nil
}
