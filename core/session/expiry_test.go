package session

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func begin(t *testing.T, length time.Duration) (*Machine, *hand, string) {
	t.Helper()
	h := newHand()
	m, path := machine(t, h)
	must(t, m.Begin(Record{ID: NewID(), Length: length}))
	must(t, m.Do(LinkUp))
	return m, h, path
}

func expired(t *testing.T, m *Machine) bool {
	t.Helper()
	n, err := m.Check()
	must(t, err)
	return n.Expired
}

// REQ B5: by whichever clock is first, whatever somebody does to the other.
func TestExpiry(t *testing.T) {
	hour := time.Hour
	for name, c := range map[string]struct {
		do   func(h *hand)
		want bool
	}{
		"not yet":                        {func(h *hand) { h.pass(hour - time.Second) }, false},
		"its time is up":                 {func(h *hand) { h.pass(hour + time.Second) }, true},
		"the clock was set back a year":  {func(h *hand) { h.wall = h.wall.AddDate(-1, 0, 0); h.pass(hour + time.Second) }, true},
		"the clock was set forward":      {func(h *hand) { h.wall = h.wall.Add(2 * hour) }, true},
		"the machine slept":              {func(h *hand) { h.pass(3 * hour) }, true},
		"set back, not yet":              {func(h *hand) { h.wall = h.wall.Add(-hour); h.pass(hour / 2) }, false},
		"set back and forward, then up":  {func(h *hand) { h.wall = h.wall.Add(-hour); h.pass(hour); h.wall = h.wall.Add(hour) }, true},
		"the clock of the boot ran back": {func(h *hand) { h.up = 0 }, false}, // counted by the time of day
	} {
		m, h, _ := begin(t, hour)
		c.do(h)
		if got := expired(t, m); got != c.want {
			t.Errorf("%s: expired is %v", name, got)
		}
	}
}

// REQ B6
func TestNoExpiry(t *testing.T) {
	m, h, _ := begin(t, 0)
	h.pass(10 * 365 * 24 * time.Hour)
	n, err := m.Check()
	must(t, err)
	if n.Bounded || n.Expired || n.Warn || !m.Now().Expires.IsZero() {
		t.Errorf("%+v", n)
	}
	if _, bounded := m.Left(); bounded {
		t.Error("it has an end")
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		length time.Duration
		want   []time.Duration
	}{
		{time.Hour, []time.Duration{10 * time.Minute, time.Minute}},
		{10 * time.Minute, []time.Duration{time.Minute}},
		{30 * time.Second, nil},
	} {
		m, h, _ := begin(t, c.length)
		var got []time.Duration
		for !expired(t, m) {
			h.pass(time.Second)
			if n, err := m.Check(); err != nil {
				t.Fatal(err)
			} else if n.Warn {
				got = append(got, n.Left)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("a session of %s warns at %v, want %v", c.length, got, c.want)
		}
	}
	// After a suspend over both, one warning says how little is left.
	m, h, _ := begin(t, time.Hour)
	h.pass(time.Hour - 20*time.Second)
	if n, _ := m.Check(); !n.Warn {
		t.Error("no warning after a suspend")
	}
	if n, _ := m.Check(); n.Warn {
		t.Error("warned twice")
	}
	// An extension takes the warning back.
	must(t, m.SetLength(2*time.Hour))
	h.pass(time.Hour - 30*time.Second)
	if n, _ := m.Check(); !n.Warn {
		t.Error("no warning after an extension")
	}
}

func TestSetLength(t *testing.T) {
	m, h, _ := begin(t, time.Hour)
	h.pass(50 * time.Minute)
	must(t, m.SetLength(2*time.Hour))
	if left, _ := m.Left(); left != 70*time.Minute {
		t.Errorf("%s left after an extension", left)
	}
	if got, want := m.Now().Expires, h.wall.Add(70*time.Minute); !got.Equal(want) {
		t.Errorf("expires %s, want %s", got, want)
	}
	must(t, m.SetLength(40*time.Minute)) // policy took something away
	if !expired(t, m) {
		t.Error("it goes on after it was shortened")
	}
}

// A restart of the agent or of the machine stretches nothing. Generated: pieces of
// running, down time, suspend, clock changes; the sum of the running pieces is
// never more than the length and what one heartbeat is.
func TestRestartsDoNotStretch(t *testing.T) {
	const length = time.Hour
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m, h, path := begin(t, length)
		var ran time.Duration
		reboots := 0
		for !expired(t, m) {
			switch rnd.IntN(6) {
			case 0: // restart of the agent, down for a while
				h.pass(time.Duration(rnd.IntN(600)) * time.Second)
				m = reload(t, path, h)
			case 1: // of the machine
				h.pass(time.Duration(rnd.IntN(600)) * time.Second)
				h.up, h.boot = time.Duration(rnd.IntN(60))*time.Second, h.boot+"+"
				reboots++
				m = reload(t, path, h)
			case 2: // somebody sets the clock back
				h.wall = h.wall.Add(-time.Duration(rnd.IntN(86400)) * time.Second)
			default:
				for range rnd.IntN(900) {
					h.pass(time.Second)
					ran += time.Second
					if expired(t, m) {
						break
					}
				}
			}
		}
		if most := length + time.Duration(reboots)*heartbeat + time.Second; ran > most {
			t.Fatalf("seed %d: it ran for %s with %d reboots", seed, ran, reboots)
		}
	}
}

func reload(t *testing.T, path string, h *hand) *Machine {
	t.Helper()
	m, err := Load(path, h)
	must(t, err)
	if _, ok := m.Leftover(); !ok {
		t.Fatal("nothing is left over after a crash")
	}
	must(t, m.GoOn())
	must(t, m.Do(LinkUp))
	return m
}

func TestLeftover(t *testing.T) {
	m, h, path := begin(t, time.Hour)
	must(t, m.Do(Enter))
	again, err := Load(path, h)
	must(t, err)
	left, ok := again.Leftover()
	if !ok || left.State != Connected || left.Inside != 1 {
		t.Fatalf("left over: %+v, %v", left, ok)
	}
	if err := again.Begin(Record{ID: "ses-2"}); err == nil {
		t.Error("a session was begun over one that is left over")
	}
	must(t, again.End(Restart, "the agent was killed"))
	must(t, again.Do(Closed))
	must(t, again.Begin(Record{ID: "ses-2"}))
	if _, ok := again.Leftover(); ok || again.Now().Reason != "" || again.Now().Inside != 0 {
		t.Errorf("%+v", again.Now())
	}
}

// What cannot be written down is not begun; what ends is ended all the same.
// REQ J2
func TestFullDisk(t *testing.T) {
	m, _, path := begin(t, time.Hour)
	dir := filepath.Dir(path)
	must(t, os.RemoveAll(dir))
	must(t, os.WriteFile(dir, nil, 0o600))
	if err := m.Do(Enter); err == nil || m.State() != Open {
		t.Errorf("an engineer is in without a record: %v, %q", err, m.State())
	}
	if err := m.End(TurnOff, "off"); err == nil || m.State() != Closing {
		t.Errorf("it does not end: %v, %q", err, m.State())
	}
	if err := m.Do(Closed); err == nil || m.State() != Off {
		t.Errorf("it does not close: %v, %q", err, m.State())
	}
	if err := m.Begin(Record{ID: "ses-2"}); err == nil {
		t.Error("a session was begun without a record")
	}
}

// Without a clock nothing goes on.
func TestNoClock(t *testing.T) {
	m, h, _ := begin(t, time.Hour)
	h.err = errors.New("no clock")
	if n, err := m.Check(); err == nil || !n.Expired {
		t.Errorf("%+v, %v", n, err)
	}
}
