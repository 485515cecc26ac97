package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/hardware"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/testdata/until"
)

// hours is a clock that runs ahead.
type hours struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (h *hours) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return time.Now().Add(h.ahead) }

func (h *hours) Boot() (time.Duration, string, error) { return 0, "boot", nil }

func (h *hours) pass(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.ahead += d }

// machine is an agent on a machine with one disk.
type machine struct {
	*testing.T
	root  paths.Root
	clock *hours
	disk  string // its state
	a     *Agent
	stop  func()
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	_, root := open(t) // makes the key
	m := &machine{T: t, root: root, clock: &hours{}, disk: filepath.Join(t.TempDir(), "sys/block/sda/device/state")}
	if err := os.MkdirAll(filepath.Dir(m.disk), 0o755); err != nil {
		t.Fatal(err)
	}
	m.set("running")
	return m
}

func (m *machine) set(state string) {
	m.Helper()
	if err := os.WriteFile(m.disk, []byte(state+"\n"), 0o644); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) options() Options {
	tree := filepath.Join(filepath.Dir(m.disk), "../../../..")
	return Options{hardware: hardware.Options{Root: os.DirFS(tree), Clock: m.clock, Every: 12 * time.Millisecond}}
}

// start starts the agent.
func (m *machine) start() {
	m.Helper()
	a, err := Open(m.root, m.options())
	if err != nil {
		m.Fatal(err)
	}
	ctx, cancel := context.WithCancel(m.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	m.a = a
	until.True(m, "the agent watches", func() bool { return a.machine.Load() != nil })
	var once sync.Once
	m.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				m.Error(err)
			}
			a.Close()
		})
	}
	m.Cleanup(m.stop)
}

// looks waits for two looks that begin from now on.
func (m *machine) looks() {
	m.Helper()
	w := m.a.machine.Load()
	for range 2 {
		last := w.Snapshot().Looked
		until.True(m, "it looks again", func() bool { return w.Snapshot().Looked.After(last) })
	}
}

// told are the events about hardware.
func (m *machine) told() (out []string) {
	for r, err := range audit.Read(m.root.Audit()) {
		if err != nil {
			m.Fatal(err)
		}
		if strings.HasPrefix(string(r.Type), "hardware.") {
			out = append(out, string(r.Type)+" "+r.Subject+" "+r.Detail["level"]+r.Detail["how"])
		}
	}
	return out
}

// REQ F3: the agent records a failure once, over restarts, and its end.
func TestHardwareIsWatched(t *testing.T) {
	m := newMachine(t)
	m.start()
	m.looks()
	if s, err := m.a.status(); err != nil || s.Hardware == nil || !s.Hardware.On || len(s.Problems) > 0 {
		t.Errorf("%+v, %v", s.Hardware, err)
	}
	m.set("offline")
	until.True(m, "the failure is told", func() bool { return len(m.told()) == 1 })
	m.looks() // what was told is noted behind it
	s, err := m.a.Status(t.Context(), control.Self())
	if err != nil || len(s.Hardware.Failures) != 1 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "disk sda") {
		t.Errorf("%+v %q, %v", s.Hardware, s.Problems, err)
	}
	if s := forEverybody(s); s.Hardware != nil || len(s.Problems) != 1 || strings.Contains(s.Problems[0], "sda") {
		t.Errorf("everybody sees %+v, %q", s.Hardware, s.Problems)
	}
	m.looks()
	m.stop()
	m.start()
	m.looks()
	m.set("running")
	m.looks()
	m.clock.pass(3 * time.Minute)
	until.True(m, "the repair is told", func() bool { return len(m.told()) == 2 })
	m.looks()
	m.stop()
	want := []string{"hardware.failed disk sda error", "hardware.recovered disk sda it is well again"}
	if diff := cmp.Diff(want, m.told()); diff != "" {
		t.Error(diff)
	}
	all := types(t, m.root)
	if all[len(all)-1] != audit.AgentStopped {
		t.Errorf("something was recorded after the end: %v", all)
	}
}

// It is on without settings, off where local.cfg says so, and on where policy
// wants that it is.
func TestHardwareSwitch(t *testing.T) {
	a, root := open(t)
	if on, _ := a.hardwareOn(); !on {
		t.Error("it is off on a fresh system")
	}
	if err := os.WriteFile(root.LocalConfig(), []byte("REMOTE_SUPPORT_WATCH_HARDWARE=no\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if on, _ := a.hardwareOn(); !on {
		t.Error("it is off before build-config")
	}
	if _, err := buildconfig.Build(root); err != nil {
		t.Fatal(err)
	}
	if on, why := a.hardwareOn(); on || !strings.Contains(why, "local.cfg") {
		t.Errorf("it is on: %q", why)
	}
	writePolicy(t, root, "notify {\n always = [\"hardware_failure\"]\n}\n")
	if _, err := a.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	if on, _ := a.hardwareOn(); !on {
		t.Error("it is off against policy")
	}
}

// Without the daemon there is one look, of which nobody is told.
func TestHardwareNow(t *testing.T) {
	_, root := open(t)
	a, err := Open(root, Options{hardware: hardware.Options{Root: fstest.MapFS{"sys/block/sda/device/state": {Data: []byte("offline\n")}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if h := a.Hardware(); len(h.Failures) != 1 || len(h.Kinds) != 1 || h.Kinds[0].Failed != 1 {
		t.Errorf("%+v", h)
	}
	if s, _ := a.status(); s.Hardware != nil {
		t.Errorf("a status without daemon looks: %+v", s.Hardware)
	}
	if diff := cmp.Diff([]audit.Type{audit.KeyCreated}, types(t, root)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(root.Var("hardware.json")); err == nil {
		t.Error("it kept what it saw")
	}
}
