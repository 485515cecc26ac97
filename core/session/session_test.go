package session

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/SESSIONS.md")

// hand is a clock that the test moves.
type hand struct {
	mu   sync.Mutex
	wall time.Time
	up   time.Duration
	boot string
	err  error
}

func (h *hand) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.wall }
func (h *hand) Boot() (time.Duration, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up, h.boot, h.err
}

func (h *hand) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wall, h.up = h.wall.Add(d), h.up+d
}

func newHand() *hand {
	return &hand{wall: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), up: time.Hour, boot: "one"}
}

func machine(t *testing.T, h *hand) (*Machine, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session", "session.json")
	m, err := Load(path, h)
	if err != nil {
		t.Fatal(err)
	}
	return m, path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The table has an answer for every event in every state, and a machine that is
// in that state gives it. What it refuses changes nothing, on disk or off it.
func TestEveryEventInEveryState(t *testing.T) {
	walks := map[State][]Event{
		Off: nil, Opening: {TurnOn}, Open: {TurnOn, LinkUp}, Connected: {TurnOn, LinkUp, Enter}, Closing: {TurnOn, LinkUp, Enter, Cut},
	}
	for _, s := range States {
		for _, e := range Events {
			if _, told := table[s][e]; !told {
				t.Errorf("the table says nothing about %q in %q", e, s)
				continue
			}
			m, path := machine(t, newHand())
			for _, w := range walks[s] {
				must(t, act(m, w))
			}
			if m.State() != s {
				t.Fatalf("walk to %q ends in %q", s, m.State())
			}
			before := m.Now()
			want, refused := Next(s, e)
			err := act(m, e)
			var r *Refused
			if refused != nil {
				if !errors.As(err, &r) || r.State != s || r.Event != e || r.Why == "" {
					t.Errorf("%q in %q: %v, want a refusal", e, s, err)
				}
				if got := m.Now(); got.State != before.State || got.Inside != before.Inside {
					t.Errorf("%q in %q was refused and changed %+v to %+v", e, s, before, got)
				}
			} else if err != nil || m.State() != want {
				t.Errorf("%q in %q: %q, %v; want %q", e, s, m.State(), err, want)
			}
			if disk, err := Peek(path); err != nil || disk.State != m.State() || disk.Inside != m.Now().Inside {
				t.Errorf("%q in %q: on disk %+v, %v; in memory %+v", e, s, disk, err, m.Now())
			}
		}
	}
	if len(table) != len(States) {
		t.Errorf("%d rows for %d states", len(table), len(States))
	}
	for s, row := range table {
		if len(row) != len(Events) {
			t.Errorf("%d events in %q, there are %d", len(row), s, len(Events))
		}
	}
}

func act(m *Machine, e Event) error {
	switch e {
	case TurnOn:
		return m.Begin(Record{ID: NewID()})
	case Resume:
		return m.GoOn()
	case Extend:
		return m.SetLength(time.Hour)
	case TurnOff, Expire, Cut, LinkFailed, Restart:
		return m.End(e, string(e))
	}
	return m.Do(e)
}

// From every state that can be reached, off can be reached, and nobody is ever
// in while it is off. Nobody enters what is closing.
func TestModel(t *testing.T) {
	seen := map[State]bool{Off: true}
	for queue := []State{Off}; len(queue) > 0; queue = queue[1:] {
		for _, e := range Events {
			if n, err := Next(queue[0], e); err == nil && !seen[n] {
				seen[n], queue = true, append(queue, n)
			}
		}
	}
	for _, s := range States {
		if !seen[s] {
			t.Errorf("%q cannot be reached", s)
		}
		for _, e := range []Event{TurnOff, Cut, Expire, Restart} {
			if s == Off {
				continue
			}
			if n, err := Next(s, e); err != nil || n != Closing {
				t.Errorf("%q in %q does not close it: %q, %v", e, s, n, err)
			}
		}
		if n, err := Next(s, Enter); err == nil && s != Open && s != Connected {
			t.Errorf("an engineer enters what is %q: %q", s, n)
		}
	}
	if n, err := Next(Closing, Closed); err != nil || n != Off {
		t.Error("what is closing cannot be closed")
	}
}

func TestDocument(t *testing.T) {
	const path = "../../docs/SESSIONS.md"
	if *update {
		must(t, os.WriteFile(path, []byte(Document()), 0o644))
	}
	b, err := os.ReadFile(path)
	must(t, err)
	if string(b) != Document() {
		t.Errorf("%s is out of date; run: go test ./core/session -update", path)
	}
}

func TestCounting(t *testing.T) {
	m, _ := machine(t, newHand())
	must(t, act(m, TurnOn))
	must(t, act(m, LinkUp))
	for range 3 {
		must(t, m.Do(Enter))
	}
	for i := range 3 {
		if m.State() != Connected {
			t.Errorf("%d left and it is %q", i, m.State())
		}
		must(t, m.Gone())
	}
	if m.State() != Open || m.Now().Inside != 0 {
		t.Errorf("all have left: %+v", m.Now())
	}
	if err := m.Gone(); err == nil {
		t.Error("one left who never came")
	}
}

func TestReason(t *testing.T) {
	m, _ := machine(t, newHand())
	must(t, act(m, TurnOn))
	must(t, m.End(TurnOff, "off by root"))
	must(t, m.End(Cut, "policy"))
	if got := m.Now().Reason; got != "off by root" {
		t.Errorf("reason %q", got)
	}
}

func TestDamaged(t *testing.T) {
	for _, text := range []string{"{", `{"v":2,"state":"open"}`, `{"v":1,"state":"ajar"}`, `{"v":1,"state":"open","length_ns":-1}`, strings.Repeat(" ", maxRecord+1)} {
		path := filepath.Join(t.TempDir(), "session.json")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		m, err := Load(path, newHand())
		var d *DamagedError
		if !errors.As(err, &d) || m == nil || m.State() != Off {
			t.Errorf("%.30q: %v", text, err)
			continue
		}
		if err := m.Begin(Record{ID: "ses-1"}); err != nil {
			t.Errorf("a damaged record keeps remote access off for ever: %v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"v":1,"state":"open","id":"ses-1","length_ns":3600000000000}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err == nil && (table[r.State] == nil || r.Length < 0) {
			t.Errorf("%q was taken as %+v", b, r)
		}
	})
}

func TestID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if len(id) != 12 || seen[id] || strings.Trim(id[4:], alphabet) != "" {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}
