package host

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/testdata/until"
)

func TestDial(t *testing.T) {
	b := newBench(t)
	addr := server(t, true)
	tr := b.transport(t, "good", nil)
	d, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Conn.Close()
	if _, ok := d.Conn.(*net.TCPConn); !ok || d.Note != "straight" || d.Pumped {
		t.Errorf("got %T %+v", d.Conn, d)
	}
	if d.Conn.RemoteAddr().String() != addr {
		t.Errorf("remote address %s, want %s", d.Conn.RemoteAddr(), addr)
	}
	talk(t, d.Conn, "hello")
	info, err := tr.Info(t.Context())
	if err != nil || info.Version != "1.2.3" || info.State != catalog.Builtin || info.Sandbox != b.Sandbox("transport") || !info.Development {
		t.Errorf("info %+v, %v", info, err)
	}
	e := b.audit.has(audit.PluginStarted, "transport/good")
	if e == nil || e.Detail["sha256"] != info.SHA256 || e.Detail["sandbox"] != info.Sandbox.String() {
		t.Errorf("start recorded as %+v", e)
	}
	tr.Close()
	until.True(t, "its end is recorded", func() bool { return b.audit.has(audit.PluginExited, "transport/good") != nil })
	talk(t, d.Conn, "it is not needed any more")
	if _, err := dial(t, tr, addr); !errors.Is(err, ErrClosed) {
		t.Errorf("dial after close: %v", err)
	}
}

func TestDialPumped(t *testing.T) {
	b := newBench(t)
	tr := b.transport(t, "pump", nil)
	d, err := dial(t, tr, server(t, true))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Conn.Close()
	if !d.Pumped {
		t.Error("not told that the plugin stays in between")
	}
	head := make([]byte, len("residual "))
	if _, err := io.ReadFull(d.Conn, head); err != nil || string(head) != "residual " {
		t.Errorf("residual bytes: %q, %v", head, err)
	}
	talk(t, d.Conn, "hello")
	d.Conn.(interface{ CloseWrite() error }).CloseWrite()
	if rest, err := io.ReadAll(d.Conn); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

// REQ I1: kill -9 of a transport plugin while its connection is in use.
func TestConnectionSurvivesPlugin(t *testing.T) {
	b := newBench(t)
	addr := server(t, true)
	tr := b.transport(t, "good", nil)
	d, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Conn.Close()
	info, err := tr.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 64 MiB there and back, the kill somewhere in the middle.
	const total = 64 << 20
	killed := make(chan error, 1)
	go func() {
		buf := make([]byte, 1<<16)
		for sent := 0; sent < total; sent += len(buf) {
			if sent == total/2 {
				killed <- unix.Kill(info.PID, unix.SIGKILL)
			}
			d.Conn.Write(buf)
		}
	}()
	d.Conn.SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := io.CopyN(io.Discard, d.Conn, total); err != nil {
		t.Fatalf("transfer broke after %d bytes: %v", n, err)
	}
	if err := <-killed; err != nil {
		t.Fatal(err)
	}
	until.True(t, "the crash is recorded", func() bool { return b.audit.has(audit.PluginCrashed, "transport/good") != nil })
	// And the next dial starts it again.
	again, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Conn.Close()
	talk(t, again.Conn, "hello again")
}

func TestDialAsksPolicy(t *testing.T) {
	b := newBench(t)
	b.policy.deny = func(a policy.Action, f policy.Facts) string {
		if a == policy.TransportDial {
			return "not to " + f[policy.Address] + " by " + f[policy.Transport] + " through " + f[policy.Proxy]
		}
		return ""
	}
	tr := b.transport(t, "good", nil)
	_, err := dial(t, tr, "rss.example:443")
	var refusal *policy.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "not to rss.example:443 by good through none") {
		t.Errorf("dial: %v", err)
	}
	if b.audit.has(audit.PluginStarted, "transport/good") != nil {
		t.Error("the plugin was started for a dial that is forbidden")
	}
}

func TestLaunchAsksPolicy(t *testing.T) {
	b := newBench(t)
	b.policy.deny = func(a policy.Action, f policy.Facts) string {
		if a == policy.PluginLaunch && f[policy.Role] == "transport" {
			return "no transports (" + f[policy.Sandbox] + ")"
		}
		return ""
	}
	tr, err := b.Transport("good", TransportUse{Use: Use{Purpose: "session"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, tr, "127.0.0.1:20001")
	if !errors.As(err, new(*policy.Refusal)) {
		t.Errorf("dial: %v", err)
	}
	if b.audit.has(audit.PluginRefused, "transport/good") == nil {
		t.Error("the refusal was not recorded")
	}
	b.policy.mu.Lock()
	defer b.policy.mu.Unlock()
	var purpose string
	for _, f := range b.policy.asked {
		if f[policy.Role] == "transport" && f[policy.Name] == "good" {
			purpose = f[policy.Purpose]
		}
	}
	if purpose != "session" {
		t.Errorf("policy was asked for the purpose %q", purpose)
	}
}

// What cannot be recorded must not happen.
func TestUnrecordedStart(t *testing.T) {
	b := newBench(t)
	b.audit.fail = errors.New("disk full")
	tr := b.transport(t, "good", nil)
	if _, err := dial(t, tr, "127.0.0.1:20001"); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("dial: %v", err)
	}
}

func TestUnknownPlugins(t *testing.T) {
	b := newBench(t)
	if _, err := b.Transport("../x", TransportUse{}); !errors.As(err, new(*NotFoundError)) {
		t.Errorf("impossible name: %v", err)
	}
	tr := b.transport(t, "nowhere", nil)
	_, err := dial(t, tr, "127.0.0.1:20001")
	var missing *NotFoundError
	if !errors.As(err, &missing) || missing.ExitCode() != 2 || !strings.Contains(err.Error(), "transport/good") {
		t.Errorf("unknown name: %v", err)
	}
	for _, bad := range []string{"x", "x:0", ":443", "x:99999"} {
		if _, err := dial(t, tr, bad); err == nil || !strings.Contains(err.Error(), "host:port") {
			t.Errorf("dial %q: %v", bad, err)
		}
	}
	if _, err := tr.Dial(t.Context(), "udp", "x:1"); err == nil {
		t.Error("udp was dialled")
	}
}

func TestBadConfig(t *testing.T) {
	b := newBench(t)
	tr := b.transport(t, "good", "not an object")
	_, err := dial(t, tr, "127.0.0.1:20001")
	var bad *ConfigError
	if !errors.As(err, &bad) || bad.ExitCode() != 2 || bad.Problems[0].Field != "x[2J" {
		t.Errorf("dial: %v", err)
	}
	if b.audit.has(audit.PluginStarted, "transport/good") == nil || b.audit.has(audit.PluginExited, "transport/good") == nil {
		t.Error("start and end were not recorded")
	}
}

func TestNoPluginsInstalled(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Plugins = o.Root.Var("not-there") })
	tr := b.transport(t, "good", nil)
	_, err := dial(t, tr, "127.0.0.1:20001")
	if !errors.As(err, new(*NotFoundError)) || !strings.Contains(err.Error(), "latchstring-plugins") {
		t.Errorf("dial: %v", err)
	}
}

// The run directory may be deeper than a socket's path can be long.
func TestLongRoot(t *testing.T) {
	deep := t.TempDir() + strings.Repeat("/a-long-name-of-a-directory", 8)
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) {
		var err error
		if o.Root, err = pathsNew(deep); err != nil {
			t.Fatal(err)
		}
	})
	d, err := dial(t, b.transport(t, "good", nil), server(t, true))
	if err != nil {
		t.Fatal(err)
	}
	talk(t, d.Conn, "deep")
	d.Conn.Close()
}

// A far end that does not answer is not a crash of the plugin.
func TestSlowFarEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Timeouts.Dial = 400 * time.Millisecond })
	tr := b.transport(t, "slow", nil)
	first, err := tr.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range crashLimit + 1 {
		var stuck *StuckError
		if _, err := dial(t, tr, "127.0.0.1:20001"); !errors.As(err, &stuck) || stuck.Ended {
			t.Fatalf("dial: %v", err)
		}
	}
	if now, err := tr.Info(t.Context()); err != nil || now.PID != first.PID {
		t.Errorf("the plugin was started again: %+v, %v", now, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tr.DialContext(ctx, "tcp", "127.0.0.1:20001"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("caller's deadline: %v", err)
	}
}

// A plugin that pumps a connection is not ended for another dial that takes too
// long.
func TestPumpIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Timeouts.Dial = 400 * time.Millisecond })
	tr := b.transport(t, "pump-hang", nil)
	d, err := dial(t, tr, server(t, true))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Conn.Close()
	var stuck *StuckError
	if _, err := dial(t, tr, "127.0.0.1:23999"); !errors.As(err, &stuck) || stuck.Ended {
		t.Errorf("hanging dial: %v", err)
	}
	io.CopyN(io.Discard, d.Conn, int64(len("residual ")))
	talk(t, d.Conn, "still pumped")
}
