package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary play a caller with another user's rights.
func TestMain(m *testing.M) {
	if socket := os.Getenv("CONTROL_TEST_CALLER"); socket != "" {
		c, err := Dial(context.Background(), socket)
		if err == nil {
			_, err = c.Status(context.Background(), Caller{})
		}
		fmt.Print(err)
		os.Exit(0)
	}
	if socket := os.Getenv("CONTROL_TEST_HOLDER"); socket != "" {
		holdConnections(socket)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type coded struct{}

func (coded) Error() string { return "refused by policy: not today" }
func (coded) Hint() string  { return "ask your security officer" }
func (coded) ExitCode() int { return 3 }

type fake struct {
	Remote // what is not tested here is not called
	caller Caller
	err    error
	events chan Event
}

func (f *fake) Status(_ context.Context, by Caller) (Status, error) {
	f.caller = by
	return Status{Version: "1", Remote: Access{Session: Session{State: "off"}}}, f.err
}

func (f *fake) Plugins(context.Context, Caller) ([]Plugin, error) {
	return []Plugin{{Plugin: "p", Role: "transport", Name: "direct", State: "builtin", Allowed: true}}, f.err
}

func (f *fake) DescribePlugin(_ context.Context, _ Caller, name string) (json.RawMessage, error) {
	if name != "odd/näme" {
		return nil, badRequest("no plugin %q", name)
	}
	return json.RawMessage(`{"name":"p"}`), f.err
}

func (f *fake) Reload(context.Context, Caller) (Reloaded, error) {
	return Reloaded{PolicyHash: "h", Changed: true}, fmt.Errorf("reload: %w", coded{})
}

func (f *fake) Watch(ctx context.Context, _ Caller, fn func(Event) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-f.events:
			if err := fn(e); err != nil {
				return err
			}
		}
	}
}

func serve(t *testing.T, api API) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "c.sock")
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := &Server{API: api, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	return socket
}

func TestRoundTrip(t *testing.T) {
	ctx := t.Context()
	api := &fake{events: make(chan Event)}
	c, err := Dial(ctx, serve(t, api))
	if err != nil {
		t.Fatal(err)
	}
	status, err := c.Status(ctx, Caller{UID: 4242})
	if err != nil || status.Remote.State != "off" {
		t.Errorf("Status = %+v, %v", status, err)
	}
	if diff := cmp.Diff(Self(), api.caller); diff != "" {
		t.Errorf("the kernel's view of the caller: %s", diff)
	}
	plugins, err := c.Plugins(ctx, Caller{})
	if err != nil || len(plugins) != 1 || plugins[0].Name != "direct" {
		t.Errorf("Plugins = %+v, %v", plugins, err)
	}
	if j, err := c.DescribePlugin(ctx, Caller{}, "odd/näme"); err != nil || string(j) != `{"name":"p"}` {
		t.Errorf("DescribePlugin = %s, %v", j, err)
	}
}

// An error keeps its text, hint and exit code across the socket.
func TestErrorsCross(t *testing.T) {
	c, err := Dial(t.Context(), serve(t, &fake{}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Reload(t.Context(), Caller{})
	want := &Error{Message: "reload: refused by policy: not today", Help: "ask your security officer", Code: 3, Status: http.StatusForbidden}
	var got *Error
	if !errors.As(err, &got) || cmp.Diff(want, got) != "" {
		t.Errorf("Reload: %#v", err)
	}
	if _, err := c.DescribePlugin(t.Context(), Caller{}, "x"); err == nil || err.(*Error).ExitCode() != 2 {
		t.Errorf("DescribePlugin: %#v", err)
	}
}

func TestWatch(t *testing.T) {
	api := &fake{events: make(chan Event, 2)}
	c, err := Dial(t.Context(), serve(t, api))
	if err != nil {
		t.Fatal(err)
	}
	api.events <- Event{Type: "agent.started", Time: time.Unix(1, 0).UTC()}
	api.events <- Event{Type: "agent.stopped"}
	stop := errors.New("seen enough")
	var seen []string
	err = c.Watch(t.Context(), Caller{}, func(e Event) error {
		seen = append(seen, e.Type)
		if len(seen) == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || cmp.Diff([]string{"agent.started", "agent.stopped"}, seen) != "" {
		t.Errorf("Watch saw %v, %v", seen, err)
	}
}

func TestSecondAgentIsRefused(t *testing.T) {
	socket := serve(t, &fake{})
	if _, err := Listen(socket); err == nil || !strings.Contains(err.Error(), "another agent") {
		t.Errorf("Listen twice: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // what kill -9 leaves
	if _, err := Dial(t.Context(), socket); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Dial on a dead socket: %v", err)
	}
	again, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v", info.Mode(), err)
	}
	again.Close()
	if _, err := Dial(t.Context(), socket); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Dial after close: %v", err)
	}
}

func TestLongSocketPath(t *testing.T) {
	if _, err := Listen("/tmp/" + strings.Repeat("x", 120)); err == nil || !strings.Contains(err.Error(), "shorter --root") {
		t.Errorf("Listen: %v", err)
	}
}

// A user who gets at the socket all the same is told no (an attack: the file
// mode alone must not be what protects the agent).
func TestStrangerIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	api := &fake{}
	socket := serve(t, api)
	exe := filepath.Join(filepath.Dir(socket), "caller")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Dir(socket), 0o755)
	os.Chmod(socket, 0o666)
	cmd := exec.Command(exe)
	cmd.Env = []string{"CONTROL_TEST_CALLER=" + socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "uid 65534) may not use") {
		t.Errorf("stranger: %s, %v", out, err)
	}
	if api.caller != (Caller{}) {
		t.Error("the stranger's request reached the agent")
	}
}

func TestUnknownPath(t *testing.T) {
	c, err := Dial(t.Context(), serve(t, &fake{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.call(t.Context(), "DELETE", "/v1/everything", nil); err == nil || !strings.Contains(err.Error(), "has no DELETE /v1/everything") {
		t.Errorf("unknown path: %v", err)
	}
}
