package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/testdata/until"
)

// standingBy is a bench whose plugin file the test may change, and whose clock.
func standingBy(t *testing.T) (*bench, *fakeClock, string) {
	t.Helper()
	dir := t.TempDir()
	os.Chmod(filepath.Dir(dir), 0o755)
	os.Chmod(dir, 0o755)
	program := filepath.Join(dir, "plugins")
	data, err := os.ReadFile(hostile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	clock := &fakeClock{now: time.Now()}
	return newBench(t, func(o *Options) { o.Plugins, o.clock = program, clock }), clock, program
}

func (m *memory) count(what audit.Type, subject string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		if e.Type == what && e.Subject == subject {
			n++
		}
	}
	return n
}

// What is taken is the process that waited, and it dials.
func TestStandby(t *testing.T) {
	b, _, _ := standingBy(t)
	s := b.Standby()
	addr := server(t, true)
	if s.Take("good", TransportUse{}) != nil || s.Ready() {
		t.Error("something is ready in the beginning")
	}
	for range 3 {
		if err := s.Keep(t.Context(), "good", TransportUse{}, "1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.audit.count(audit.PluginStarted, "transport/good"); n != 1 || !s.Ready() {
		t.Fatalf("%d starts, ready %v", n, s.Ready())
	}
	tr := s.Take("good", TransportUse{})
	if tr == nil {
		t.Fatal("nothing to take")
	}
	defer tr.Close()
	d, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Conn.Close()
	talk(t, d.Conn, "hello")
	if n := b.audit.count(audit.PluginStarted, "transport/good"); n != 1 {
		t.Errorf("%d starts", n)
	}
	if s.Ready() || s.Take("good", TransportUse{}) != nil {
		t.Error("it can be taken twice")
	}
}

// Whatever is different ends what waits, and the next one is started as any.
func TestStandbyChanged(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, b *bench, c *fakeClock, program string) (string, TransportUse){
		"its program was touched": func(t *testing.T, _ *bench, _ *fakeClock, program string) (string, TransportUse) {
			if err := os.Chtimes(program, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			return "good", TransportUse{}
		},
		"its program was replaced": func(t *testing.T, _ *bench, _ *fakeClock, program string) (string, TransportUse) {
			data, _ := os.ReadFile(program)
			if err := os.WriteFile(program+".new", data, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(program+".new", program); err != nil {
				t.Fatal(err)
			}
			return "good", TransportUse{}
		},
		"another plugin was installed": func(t *testing.T, b *bench, _ *fakeClock, _ string) (string, TransportUse) {
			if err := os.MkdirAll(filepath.Join(b.opt.Root.Plugins(), "other"), 0o755); err != nil {
				t.Fatal(err)
			}
			return "good", TransportUse{}
		},
		"it has other settings": func(t *testing.T, b *bench, _ *fakeClock, _ string) (string, TransportUse) {
			file := b.opt.Root.Etc("transports.d", "good.json")
			os.MkdirAll(filepath.Dir(file), 0o755)
			if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			return "good", TransportUse{}
		},
		"policy says no": func(_ *testing.T, b *bench, _ *fakeClock, _ string) (string, TransportUse) {
			b.policy.mu.Lock()
			defer b.policy.mu.Unlock()
			b.policy.deny = func(a policy.Action, _ policy.Facts) string {
				if a == policy.PluginLaunch {
					return "not today"
				}
				return ""
			}
			return "good", TransportUse{}
		},
		"another transport is wanted": func(*testing.T, *bench, *fakeClock, string) (string, TransportUse) { return "pump", TransportUse{} },
		"another proxy is wanted": func(*testing.T, *bench, *fakeClock, string) (string, TransportUse) {
			return "good", TransportUse{Proxy: "http://127.0.0.1:3128"}
		},
		"another purpose is meant": func(*testing.T, *bench, *fakeClock, string) (string, TransportUse) {
			return "good", TransportUse{Use: Use{Purpose: "session"}}
		},
		"it waited too long": func(_ *testing.T, _ *bench, c *fakeClock, _ string) (string, TransportUse) {
			c.advance(standbyLife)
			return "good", TransportUse{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, clock, program := standingBy(t)
			s := b.Standby()
			if err := s.Keep(t.Context(), "good", TransportUse{}, "1"); err != nil || !s.Ready() {
				t.Fatal(err)
			}
			what, use := change(t, b, clock, program)
			if tr := s.Take(what, use); tr != nil {
				tr.Close()
				t.Error("it is taken all the same")
			}
			until.True(t, "its end is recorded", func() bool { return b.audit.has(audit.PluginExited, "transport/good") != nil })
		})
	}
}

// Keep replaces what does not fit any more.
func TestStandbyRenewed(t *testing.T) {
	b, clock, program := standingBy(t)
	s := b.Standby()
	starts := func(want int, why string, epoch string) {
		t.Helper()
		if err := s.Keep(t.Context(), "good", TransportUse{}, epoch); err != nil {
			t.Fatal(err)
		}
		if n := b.audit.count(audit.PluginStarted, "transport/good"); n != want || !s.Ready() {
			t.Errorf("%s: %d starts, not %d; ready %v", why, n, want, s.Ready())
		}
	}
	starts(1, "first", "1")
	starts(1, "nothing new", "1")
	starts(2, "another policy", "2")
	clock.advance(standbyLife)
	starts(3, "old", "2")
	os.Chtimes(program, time.Time{}, time.Now().Add(-time.Hour))
	starts(4, "touched", "2")
	s.Drop()
	if s.Ready() {
		t.Error("dropped, and still ready")
	}
	starts(5, "dropped", "2")
	until.True(t, "those that were replaced have ended", func() bool { return b.audit.count(audit.PluginExited, "transport/good") == 4 })
}

// One that dies, or does not start, is not started again and again: whoever
// needs the plugin has all its starts.
func TestStandbyFails(t *testing.T) {
	b, clock, _ := standingBy(t)
	s := b.Standby()
	if err := s.Keep(t.Context(), "good", TransportUse{}, "1"); err != nil {
		t.Fatal(err)
	}
	unix.Kill(s.ready.t.cur.run.proc.PID(), unix.SIGKILL)
	until.True(t, "it is not ready any more", func() bool { return !s.Ready() })
	if tr := s.Take("good", TransportUse{}); tr != nil {
		t.Error("a dead one is taken")
	}
	if err := s.Keep(t.Context(), "good", TransportUse{}, "1"); err != nil || s.Ready() {
		t.Fatalf("started again: %v", err)
	}
	if err := s.Keep(t.Context(), "good", TransportUse{}, "2"); err != nil || !s.Ready() {
		t.Fatalf("under another policy: %v", err)
	}
	unix.Kill(s.ready.t.cur.run.proc.PID(), unix.SIGKILL)
	until.True(t, "it is not ready any more", func() bool { return !s.Ready() })
	for range 3 {
		if err := s.Keep(t.Context(), "good", TransportUse{}, "2"); err != nil || s.Ready() {
			t.Fatalf("started again: %v", err)
		}
	}
	clock.advance(standbyPause)
	if err := s.Keep(t.Context(), "good", TransportUse{}, "2"); err != nil || !s.Ready() {
		t.Fatalf("an hour later: %v", err)
	}
	s.Drop()
	if err := s.Keep(t.Context(), "quits", TransportUse{}, "1"); err == nil {
		t.Error("no word of what does not start")
	}
	n := b.audit.count(audit.PluginCrashed, "transport/quits")
	if err := s.Keep(t.Context(), "quits", TransportUse{}, "1"); err != nil || b.audit.count(audit.PluginCrashed, "transport/quits") != n || n != 1 {
		t.Errorf("it is tried again: %v, %d crashes", err, n)
	}
}

// A host that ends takes along what waits.
func TestStandbyEndsWithHost(t *testing.T) {
	b, _, _ := standingBy(t)
	s := b.Standby()
	if err := s.Keep(t.Context(), "good", TransportUse{}, "1"); err != nil {
		t.Fatal(err)
	}
	b.Host.Close()
	if s.Ready() {
		t.Error("it outlives its host")
	}
	if err := s.Keep(t.Context(), "good", TransportUse{}, "2"); err == nil {
		t.Error("a closed host starts something")
	}
}
