package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

// hostile is the program of testdata/hostile.
var hostile string

func TestMain(m *testing.M) {
	launch.Main()
	if helper := os.Getenv("HOST_TEST_HELPER"); helper != "" {
		helpers[helper]()
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "host-test-")
	if err != nil {
		panic(err)
	}
	os.Chmod(dir, 0o755)
	hostile = filepath.Join(dir, "hostile")
	build := exec.Command("go", "build", "-o", hostile, "../../testdata/hostile")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build testdata/hostile: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Chmod(hostile, 0o755)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// lax allows everything but what the test denies.
type lax struct {
	mu    sync.Mutex
	deny  func(policy.Action, policy.Facts) string // a reason denies
	asked []policy.Facts
}

func (l *lax) Decide(a policy.Action, f policy.Facts) policy.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, f)
	d := policy.Decision{Action: a, Facts: f, Allowed: true}
	if l.deny != nil {
		if why := l.deny(a, f); why != "" {
			d.Allowed, d.Reason = false, why
			d.Rule = policy.Rule{Key: "test", Value: "deny", Source: policy.Source{File: "test.hcl", Line: 3, Column: 1}}
		}
	}
	return d
}

// memory is an audit log that the test reads.
type memory struct {
	mu     sync.Mutex
	events []audit.Event
	fail   error
}

func (m *memory) Append(e audit.Event) (audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return audit.Record{}, m.fail
	}
	m.events = append(m.events, e)
	return audit.Record{Event: e}, nil
}

func (m *memory) has(what audit.Type, subject string) *audit.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range m.events {
		if e.Type == what && e.Subject == subject {
			return &m.events[i]
		}
	}
	return nil
}

// bench is a host with the hostile program as its built-in plugins.
type bench struct {
	*Host
	policy *lax
	audit  *memory
	logs   *logs
}

// logs keeps what is logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(t testing.TB, change ...func(*Options)) *bench {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{policy: &lax{}, audit: &memory{}, logs: &logs{}}
	opt := Options{
		Root: root, Policy: b.policy, Audit: b.audit, Plugins: hostile,
		Log: slog.New(slog.NewTextHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timeouts: Timeouts{
			Start: 5 * time.Second, Call: 5 * time.Second, Dial: 5 * time.Second,
			Collect: 10 * time.Second, Login: 5 * time.Second, Command: 5 * time.Second,
		},
	}
	for _, c := range change {
		c(&opt)
	}
	if b.Host, err = New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Host.Close()
		left, _ := os.ReadDir(root.Run("plugins"))
		for _, e := range left {
			if e.Name() != "."+lockName {
				t.Errorf("%s was left in the run directory", e.Name())
			}
		}
	})
	return b
}

// need skips the test where the machine cannot confine plugins well enough.
func need(t testing.TB, level sandbox.Level) {
	t.Helper()
	uid := 0
	if os.Geteuid() == 0 {
		uid = Nobody
	}
	if got := sandbox.Probe(uid); got < level {
		t.Skipf("this machine reaches sandbox level %s only: %s", got, got.Meaning())
	}
}

// server listens on a port that the hostile transports declare, or on one that
// they do not, and echoes.
func server(t testing.TB, declared bool) string {
	t.Helper()
	for try := range 400 {
		address := "127.0.0.1:0"
		if declared {
			address = fmt.Sprintf("127.0.0.1:%d", 20000+(os.Getpid()*7+try*13)%4000)
		}
		l, err := net.Listen("tcp4", address)
		if err != nil {
			continue
		}
		if port := l.Addr().(*net.TCPAddr).Port; !declared && port >= 20000 && port < 24000 {
			l.Close()
			continue
		}
		t.Cleanup(func() { l.Close() })
		go echo(l)
		return l.Addr().String()
	}
	t.Fatal("no free port")
	return ""
}

func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { defer c.Close(); io.Copy(c, c) }()
	}
}

func config(t testing.TB, v any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (b *bench) transport(t testing.TB, name string, conf any) *Transport {
	t.Helper()
	u := TransportUse{}
	if conf != nil {
		u.Config = config(t, conf)
	}
	tr, err := b.Transport(name, u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func dial(t testing.TB, tr *Transport, address string) (Dialled, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return tr.Dial(ctx, "tcp", address)
}

// talk checks that a connection echoes.
func talk(t testing.TB, c net.Conn, message string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, message); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(message))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != message {
		t.Fatalf("echo %q, %v", got, err)
	}
}

var pathsNew = paths.New

// helpers are what the test binary does when it is started as something else.
var helpers = map[string]func(){}
