package agent

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/secret"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/testdata/until"
)

// plain is a transport without a plugin.
type plain struct{ net.Dialer }

func (p *plain) Probe(context.Context, string, string, func(host.Step)) error {
	return failure.Unsupported
}
func (p *plain) Close() error { return nil }

// hand is a clock that tests move.
type hand struct {
	mu    sync.Mutex
	ahead time.Duration // of both clocks
	boot  string
}

func (h *hand) pass(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.ahead += d }

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Round(0).Add(h.ahead)
}

var started = time.Now()

func (h *hand) Boot() (time.Duration, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(started) + time.Hour + h.ahead, "boot" + h.boot, nil
}

// world is a relay, an engineer, and a system whose agent serves.
type world struct {
	*relaytest.Pair
	t     *testing.T
	root  paths.Root
	clock *hand
	agent *Agent
	stop  func() error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "agt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Pair: relaytest.NewPair(t), t: t, root: root, clock: &hand{}}
	// The relay's own system becomes this one.
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.System.Dir(), root.Identity()); err != nil {
		t.Fatal(err)
	}
	if err := secret.Trial(root.Secrets()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.stop != nil {
			w.stop()
		}
	})
	w.start()
	return w
}

// start runs the agent until stop, or the end of the test.
func (w *world) start() {
	w.t.Helper()
	a, err := Open(w.root, Options{Version: "test", Clock: w.clock, transport: &plain{}})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	w.agent = a
	w.stop = func() error {
		w.stop = nil
		cancel()
		return errors.Join(<-done, a.Close())
	}
	until.True(w.t, "the agent serves", func() bool { return a.remote.Load() != nil })
}

func (w *world) on(req control.OnRequest) control.Opened {
	w.t.Helper()
	o, err := w.agent.On(w.t.Context(), control.Self(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) state() control.Session {
	s, err := w.agent.Session(context.Background(), control.Self())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) dial(secret string) (*connect.Conn, error) {
	key, err := w.Vendor.ReceiptPublicKey()
	if err != nil {
		w.t.Fatal(err)
	}
	return connect.Dial(w.t.Context(), connect.Options{
		Relay: w.Engineer, RelayKey: key, System: w.System.ID(), Name: "array-7", Certificate: w.Certificate, Case: "INF-7",
		Secret: func() ([]byte, error) { return []byte(secret), nil },
	})
}

// enter lets the engineer in and returns his SSH client.
func (w *world) enter(secret string) (*connect.Conn, *ssh.Client) {
	w.t.Helper()
	conn, err := w.dial(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	signer, err := ssh.NewCertSigner(w.Certificate, w.EngineerKey)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := conn.SSH(w.t.Context(), signer, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return conn, c
}

func run(c *ssh.Client, command string) (string, error) {
	s, err := c.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	var out bytes.Buffer
	s.Stdout = &out
	err = s.Run(command)
	return out.String(), err
}

// events are those of the log from a type on that matter here.
func (w *world) events(types ...audit.Type) []audit.Record {
	w.t.Helper()
	var all []audit.Record
	for r, err := range audit.Read(w.root.Audit()) {
		if err != nil {
			w.t.Fatal(err)
		}
		if slices.Contains(types, r.Type) {
			all = append(all, r)
		}
	}
	return all
}

var sessionEvents = []audit.Type{audit.SessionOpening, audit.SessionOpened, audit.ConnectionOpened, audit.AccessCommand, audit.ConnectionClosed, audit.SessionEnded}

// order are the types of the events of a session, in order.
func (w *world) order(types ...audit.Type) string {
	var names []string
	for _, r := range w.events(types...) {
		names = append(names, string(r.Type))
	}
	return strings.Join(names, " ")
}

// The whole way: on, an engineer with the secret, a command, off.
// REQ A2 A3 A10 B8 B9 B10 E3 E6
func TestWholeWay(t *testing.T) {
	w := newWorld(t)
	if s := w.state(); s.State != "off" {
		t.Fatalf("before: %+v", s)
	}
	o := w.on(control.OnRequest{For: "1h", Case: "INF-7"})
	if o.Session.State != "open" || o.Secret == "" || !o.Session.SecretGood || o.Session.TriesLeft != 3 || o.Session.Expires.IsZero() || !o.Session.Link.Up {
		t.Fatalf("opened: %+v", o)
	}
	conn, c := w.enter(o.Secret)
	out, err := run(c, "echo hello from $0")
	if err != nil || !strings.HasPrefix(out, "hello from") {
		t.Errorf("the command said %q, %v", out, err)
	}
	s := w.state()
	if s.State != "connected" || len(s.Connections) != 1 {
		t.Fatalf("connected: %+v", s)
	}
	if one := s.Connections[0]; one.Engineer != "ada" || one.Case != "INF-7" || one.State != "open" || one.Commands != 1 || one.Bytes == 0 || !one.Recorded {
		t.Errorf("connection: %+v", one)
	}
	ended, err := w.agent.Off(t.Context(), control.Self())
	if err != nil || !ended.WasOpen || ended.Connections != 1 {
		t.Errorf("Off = %+v, %v", ended, err)
	}
	if s := w.state(); s.State != "off" {
		t.Errorf("after: %+v", s)
	}
	until.True(w.t, "the engineer hears that it ended", func() bool { return conn.Ended() != nil })
	if _, err := w.dial(o.Secret); err == nil {
		t.Error("an engineer enters what is off")
	}
	if got, want := w.order(sessionEvents...), "session.opening session.opened connection.opened access.command connection.closed session.ended"; got != want {
		t.Errorf("events\n%s, want\n%s", got, want)
	}
	last := w.events(audit.SessionEnded)[0]
	if _, err := os.Stat(last.Detail["passport"]); err != nil {
		t.Errorf("no passport: %v", err)
	}
	if text := w.everything(); strings.Contains(text, o.Secret) || strings.Contains(text, strings.ReplaceAll(o.Secret, "-", "")) {
		t.Error("the secret is on disk") // REQ B3
	}
}

// everything is all that is in the files of the system.
func (w *world) everything() string {
	var b strings.Builder
	filepath.WalkDir(w.root.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, _ := os.ReadFile(path)
			b.Write(text)
		}
		return nil
	})
	return b.String()
}
