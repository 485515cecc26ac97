package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/clock"
	"github.com/latchstring/latchstring/core/durable"
)

// Machine is the one session that a system can have. It is safe for concurrent
// use.
type Machine struct {
	path  string
	clock clock.Clock

	mu       sync.Mutex
	rec      Record
	leftover bool
	written  time.Duration // by the boot clock
}

// Load reads what is on disk. A record that is damaged is a [*DamagedError] and
// the machine is off: nothing is open that this process has not opened.
func Load(path string, c clock.Clock) (*Machine, error) {
	if c == nil {
		c = clock.System
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the session: %w", err)
	}
	m := &Machine{path: path, clock: c, rec: Record{Version: 1, State: Off}}
	r, err := read(path)
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		return m, err
	}
	if err != nil {
		return nil, err
	}
	m.rec, m.leftover = r, r.State != Off
	return m, nil
}

// Peek reads the record without a machine: what the agent wrote last, whether or
// not it lives.
func Peek(path string) (Record, error) { return read(path) }

// Leftover is the session that was not ended in order, if there is one. Decide
// about it with [Restart] or [Resume] before anything else.
func (m *Machine) Leftover() (Record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rec, m.leftover
}

// Now is the session as it is now.
func (m *Machine) Now() Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rec
}

// State is that of the session.
func (m *Machine) State() State { return m.Now().State }

// Begin turns a session on. Of r, the ID, the case, the opener, the way, the
// length and whether it is standing are taken.
func (m *Machine) Begin(r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leftover {
		return &Refused{m.rec.State, TurnOn, "a session is left over that was not dealt with"}
	}
	next, err := Next(m.rec.State, TurnOn)
	if err != nil {
		return err
	}
	since, boot, err := m.clock.Boot()
	if err != nil {
		return err
	}
	now := m.clock.Now().UTC().Truncate(time.Second)
	fresh := Record{
		Version: 1, State: next, ID: r.ID, Case: r.Case, Opener: r.Opener, Way: r.Way, Standing: r.Standing,
		Since: now, Boot: boot, Began: since, Length: r.Length,
	}
	fresh.expireAt(m.clock.Now(), r.Length)
	return m.write(fresh)
}

// expireAt sets the end to be after left, and takes back warnings that it makes
// untrue. Those that are past are not given again.
func (r *Record) expireAt(now time.Time, left time.Duration) {
	r.Warned = 0
	if r.Length == 0 {
		r.Expires = time.Time{}
		return
	}
	// Rounded up: what is shown is no sooner than what happens by the other clock.
	r.Expires = now.Add(left + time.Second - 1).UTC().Truncate(time.Second)
	for _, w := range Warnings {
		if left <= w {
			r.Warned = w
		}
	}
}

// Do makes an event happen that says nothing more than its name.
func (m *Machine) Do(e Event) error {
	return m.change(e, func(r *Record) {
		switch e {
		case Enter:
			r.Inside++
		case Leave, LastLeave:
			r.Inside = max(0, r.Inside-1)
		}
	})
}

// Gone makes an engineer leave: with [LastLeave] when nobody remains.
func (m *Machine) Gone() error {
	e := Leave
	if m.Now().Inside <= 1 {
		e = LastLeave
	}
	return m.Do(e)
}

// End begins to end the session for a reason, by [TurnOff], [Expire], [Cut],
// [LinkFailed] or [Restart]. The first reason stays.
func (m *Machine) End(e Event, reason string) error {
	return m.change(e, func(r *Record) {
		if r.Reason == "" {
			r.Reason = reason
		}
	})
}

// SetLength changes how long the session may be, counted from its start.
func (m *Machine) SetLength(length time.Duration) error {
	since, _, err := m.clock.Boot()
	if err != nil {
		return err
	}
	return m.change(Extend, func(r *Record) {
		r.Length = length
		r.expireAt(m.clock.Now(), length-(since-r.Began))
	})
}

// GoOn lets a session that was left over go on, for no longer than was left of
// it when it was last seen.
func (m *Machine) GoOn() error {
	since, boot, err := m.clock.Boot()
	if err != nil {
		return err
	}
	return m.change(Resume, func(r *Record) {
		if r.Boot != boot || since < r.Began {
			r.Boot, r.Began = boot, since-r.Spent
		}
		r.Inside = 0
	})
}

// change is one transition: looked up, written, and only then in force.
func (m *Machine) change(e Event, f func(*Record)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, err := Next(m.rec.State, e)
	if err != nil {
		return err
	}
	r := m.rec
	f(&r)
	r.State = next
	if next == Off || next == Closing && e == Restart {
		r.Inside = 0
	}
	if err := m.write(r); err != nil {
		if next != Closing && next != Off {
			return err
		}
		// What ends a session ends it, even on a full disk. On disk it is then
		// left over, which a restart deals with.
		m.rec, m.leftover = r, false
		return err
	}
	m.leftover = false
	return nil
}

func (m *Machine) write(r Record) error {
	if since, boot, err := m.clock.Boot(); err == nil && boot == r.Boot && r.State != Off {
		r.Spent = max(r.Spent, since-r.Began)
		m.written = since
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the session: %w", err)
	}
	if err := durable.WriteFile(m.path, append(b, '\n')); err != nil {
		return fmt.Errorf("write down the session: %w", err)
	}
	m.rec = r
	return nil
}
