package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/testdata/until"
)

// fakeClock stands still but for what is slept.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestSupervisor(t *testing.T) {
	clock := &fakeClock{now: time.Unix(1_000_000, 0)}
	s := newSupervisor(clock)
	s.jitter = func() float64 { return 0.5 }
	ctx := t.Context()
	admit := func() error { t.Helper(); return s.admit(ctx, "x") }
	if err := admit(); err != nil || len(clock.slept) != 0 {
		t.Fatalf("first start: %v after %v", err, clock.slept)
	}
	s.crashed("x", errors.New("one"))
	if err := admit(); err != nil || fmt.Sprint(clock.slept) != "[375ms]" {
		t.Fatalf("after one crash: %v after %v", err, clock.slept)
	}
	s.crashed("x", errors.New("two"))
	if err := admit(); err != nil || fmt.Sprint(clock.slept) != "[375ms 750ms]" {
		t.Fatalf("after two: %v after %v", err, clock.slept)
	}
	s.crashed("x", errors.New("three"))
	err := admit()
	var circuit *CircuitError
	if !errors.As(err, &circuit) || circuit.Count != 3 || !strings.Contains(err.Error(), "three") {
		t.Fatalf("after three: %v", err)
	}
	if err := s.admit(ctx, "y"); err != nil {
		t.Errorf("another plugin: %v", err)
	}
	clock.advance(circuit.Until.Sub(clock.Now()) - time.Second)
	if err := admit(); err == nil {
		t.Error("started before its time")
	}
	clock.advance(2 * time.Second)
	if err := admit(); err != nil {
		t.Errorf("after the hour: %v", err)
	}
}

// Three crashes in an hour open the circuit; an hour later it is tried again.
func TestCircuit(t *testing.T) {
	clock := &fakeClock{now: time.Now()}
	b := newBench(t, func(o *Options) { o.clock = clock })
	addr := server(t, true)
	tr := b.transport(t, "good", nil)
	for i := range crashLimit {
		info, err := tr.Info(t.Context())
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		unix.Kill(info.PID, unix.SIGKILL)
		until.True(t, "the crash is counted", func() bool {
			b.crash.mu.Lock()
			defer b.crash.mu.Unlock()
			return len(b.crash.crashes["transport/good"]) > i
		})
	}
	_, err := dial(t, tr, addr)
	if !errors.As(err, new(*CircuitError)) {
		t.Fatalf("after three crashes: %v", err)
	}
	clock.advance(crashWindow + time.Second)
	d, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	d.Conn.Close()
	if e := b.audit.has(audit.PluginCrashed, "transport/good"); e == nil || e.Detail["end"] != "signal: killed" {
		t.Errorf("crash recorded as %+v", e)
	}
}

// A plugin that does not come up counts as crashing.
func TestCircuitOfStart(t *testing.T) {
	b := newBench(t, func(o *Options) { o.clock = &fakeClock{now: time.Now()} })
	tr := b.transport(t, "quits", nil)
	for range crashLimit {
		if _, err := dial(t, tr, "127.0.0.1:20001"); err == nil || errors.As(err, new(*CircuitError)) {
			t.Fatalf("too early: %v", err)
		}
	}
	_, err := dial(t, tr, "127.0.0.1:20001")
	if !errors.As(err, new(*CircuitError)) || !strings.Contains(err.Error(), "cannot find my config") {
		t.Errorf("error %v", err)
	}
}
