package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

func TestMain(m *testing.M) {
	launch.Main()
	family.Main()
	os.Exit(m.Run())
}

func open(t *testing.T) (*Agent, paths.Root) {
	t.Helper()
	// Short, because sockets live below it.
	dir, err := os.MkdirTemp("", "agt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(root, Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, root
}

func types(t *testing.T, root paths.Root) []audit.Type {
	t.Helper()
	var all []audit.Type
	for r, err := range audit.Read(root.Audit()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Type)
	}
	return all
}

// REQ G1: off after installation.
func TestFreshSystem(t *testing.T) {
	a, root := open(t)
	s, err := a.Status(t.Context(), control.Self())
	if err != nil {
		t.Fatal(err)
	}
	if s.Remote.State != "off" || s.Agent.Running || s.System.Enrolled || s.System.ID == "" || len(s.Problems) > 0 {
		t.Errorf("status of a fresh system: %+v", s)
	}
	if diff := cmp.Diff([]audit.Type{audit.KeyCreated}, types(t, root)); diff != "" {
		t.Error(diff)
	}
}

func writePolicy(t *testing.T, root paths.Root, text string) {
	t.Helper()
	if err := os.MkdirAll(root.Policies(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root.Policies(), "site.hcl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A reload puts a new policy in force; one that does not load refuses.
func TestReload(t *testing.T) {
	a, root := open(t)
	before := a.policy.Load().Hash()
	writePolicy(t, root, `remote_access = "locked_off"`)
	r, err := a.Reload(t.Context(), control.Self())
	if err != nil || !r.Changed || r.PolicyHash == before {
		t.Errorf("Reload = %+v, %v", r, err)
	}
	s, _ := a.Status(t.Context(), control.Self())
	if !strings.Contains(s.Remote.Reason, "locked off") || !strings.Contains(s.Remote.Reason, "site.hcl:1") {
		t.Errorf("status does not name the file and line: %+v", s.Remote) // REQ G11
	}
	writePolicy(t, root, "remote_acces = \"allowed\"\n")
	if _, err := a.Reload(t.Context(), control.Self()); err == nil || !strings.Contains(err.Error(), "site.hcl") {
		t.Errorf("a misspelt key was taken: %v", err)
	}
	if d := a.Decide(policy.SessionOpen, policy.Facts{}); d.Allowed {
		t.Error("remote access is allowed while the policy does not load")
	}
	if s, _ := a.Status(t.Context(), control.Self()); s.Policy.Broken == "" || len(s.Problems) == 0 {
		t.Errorf("status hides the broken policy: %+v", s)
	}
	if diff := cmp.Diff([]audit.Type{audit.KeyCreated, audit.PolicyLoaded, audit.PolicyBroken}, types(t, root)); diff != "" {
		t.Error(diff)
	}
}

// REQ A5: serving opens no network port; the socket is the only way in.
func TestRun(t *testing.T) {
	a, root := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	client := dial(t, root)
	s, err := client.Status(t.Context(), control.Caller{})
	if err != nil || !s.Agent.Running || s.Agent.PID != os.Getpid() {
		t.Errorf("status over the socket: %+v, %v", s, err)
	}
	seen := make(chan control.Event, 8)
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- client.Watch(watching, control.Caller{}, func(e control.Event) error { seen <- e; return nil })
	}()
	// The stream is open once it has delivered something.
	var e control.Event
	for e.Type == "" {
		if _, err := client.Reload(t.Context(), control.Caller{}); err != nil {
			t.Fatal(err)
		}
		select {
		case e = <-seen:
		default:
		}
	}
	if e.Type != string(audit.PolicyLoaded) || !strings.HasPrefix(e.Actor, "uid:") {
		t.Errorf("watcher saw %+v", e)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	all := types(t, root)
	if all[1] != audit.AgentStarted || all[len(all)-1] != audit.AgentStopped {
		t.Errorf("events: %v", all)
	}
	if _, err := audit.Verify(root.Audit(), audit.Check{}); err != nil {
		t.Error(err)
	}
}

func dial(t *testing.T, root paths.Root) *control.Client {
	t.Helper()
	for t.Context().Err() == nil {
		c, err := control.Dial(t.Context(), root.ControlSocket())
		if err == nil {
			return c
		}
		if !errors.Is(err, control.ErrNotRunning) {
			t.Fatal(err)
		}
	}
	t.Fatal("the agent does not come up")
	return nil
}

// A watcher that does not read ends; the agent goes on.
func TestSlowWatcher(t *testing.T) {
	a, _ := open(t)
	block := make(chan struct{})
	ended := make(chan error, 1)
	started := make(chan struct{}, 1)
	go func() {
		ended <- a.Watch(t.Context(), control.Self(), func(control.Event) error {
			select {
			case started <- struct{}{}:
			default:
			}
			<-block
			return nil
		})
	}()
	for len(started) == 0 {
		a.crowd.tell(control.Event{Type: "x"})
	}
	for range 200 {
		a.crowd.tell(control.Event{Type: "x"})
	}
	close(block)
	if err := <-ended; !errors.Is(err, errSlow) {
		t.Errorf("Watch: %v", err)
	}
}

// What cannot be recorded is not done: a full disk stops the agent's start.
func TestNoAuditNoAgent(t *testing.T) {
	dir := t.TempDir()
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(root.Var(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root.Audit(), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := Open(root, Options{}); err == nil {
		a.Close()
		t.Error("the agent opened without an audit log")
	}
}
