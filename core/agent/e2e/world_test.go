package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/transfer"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/secret"
	"github.com/latchstring/latchstring/testdata/until"
)

// world is a relay, an engineer, and a system whose agent serves.
type world struct {
	*relaytest.Pair
	t     testing.TB
	root  paths.Root
	agent *agent.Agent
	heard chan connect.Event // by the engineer

	stream resume.Options // of the engineer's end
}

func newWorld(t testing.TB, change ...func(*relaytest.Relay)) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Pair: relaytest.NewPair(t, change...), t: t, root: root, heard: make(chan connect.Event, 100)}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	// The relay's own system becomes this one.
	if err := os.Rename(w.System.Dir(), root.Identity()); err != nil {
		t.Fatal(err)
	}
	if err := secret.Trial(root.Secrets()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if w.agent, err = agent.Open(root, agent.Options{Version: "test", Log: log}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.agent.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, w.agent.Close()); err != nil {
			t.Error(err)
		}
	})
	until.True(w.t, "the agent serves", func() bool {
		c, err := control.Dial(ctx, root.ControlSocket())
		if err == nil {
			_, err = c.Session(ctx, control.Self())
		}
		return err == nil
	})
	return w
}

// settings writes settings of a transport where administrators do.
func (w *world) settings(transport string, settings map[string]any) {
	w.t.Helper()
	if settings == nil {
		return
	}
	b, err := json.Marshal(settings)
	if err != nil {
		w.t.Fatal(err)
	}
	w.file(w.root.Etc("transports.d", transport+".json"), b)
}

func (w *world) file(path string, b []byte) string {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) parse(o route.Options) route.Route {
	w.t.Helper()
	r, err := route.Parse(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// enter lets the engineer in and returns his SSH client.
func (w *world) enter(secret string) *ssh.Client {
	w.t.Helper()
	key, err := w.Vendor.ReceiptPublicKey()
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := connect.Dial(w.t.Context(), connect.Options{
		Relay: w.Engineer, RelayKey: key, System: w.System.ID(), Name: "array-7", Certificate: w.Certificate, Case: "INF-7", Stream: w.stream,
		Secret: func() ([]byte, error) { return []byte(secret), nil },
		Notify: func(e connect.Event) {
			select {
			case w.heard <- e:
			default:
			}
		},
	})
	if err != nil {
		w.t.Fatalf("enter: %v", err)
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
	return c
}

// session opens a session by a way, runs a command in it, and copies a file
// there and back. It returns what the status says of the way.
func (w *world) session(req control.OnRequest) {
	w.t.Helper()
	o, err := w.agent.On(w.t.Context(), control.Self(), req)
	if err != nil {
		w.t.Fatalf("on: %v", err)
	}
	if o.Session.Link.InspectedBy != "" {
		w.t.Errorf("inspected by %s", o.Session.Link.InspectedBy)
	}
	c := w.enter(o.Secret)
	if out := w.run(c, "echo through; exit 7"); out != "through\n" {
		w.t.Errorf("the command said %q", out)
	}
	w.copy(c, 3<<20)
	if _, err := w.agent.Off(w.t.Context(), control.Self()); err != nil {
		w.t.Error(err)
	}
}

// run runs a command, which ends with status 7.
func (w *world) run(c *ssh.Client, command string) string {
	w.t.Helper()
	s, err := c.NewSession()
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Output(command)
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 7 {
		w.t.Errorf("%s: %v", command, err)
	}
	return string(out)
}

// copy brings a file there and back, and compares.
func (w *world) copy(c *ssh.Client, size int) {
	w.t.Helper()
	dir := w.t.(*testing.T).TempDir()
	data := make([]byte, size)
	rand.Read(data)
	here, there, back := w.file(filepath.Join(dir, "here"), data), filepath.Join(dir, "there"), filepath.Join(dir, "back")
	for _, way := range []func(*transfer.Transfer) (*transfer.Plan, error){
		func(tr *transfer.Transfer) (*transfer.Plan, error) {
			return tr.Upload(w.t.Context(), []string{here}, there)
		},
		func(tr *transfer.Transfer) (*transfer.Plan, error) {
			return tr.Download(w.t.Context(), []string{there}, back)
		},
	} {
		tr, err := transfer.New(c, transfer.Options{})
		if err != nil {
			w.t.Fatal(err)
		}
		plan, err := way(tr)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := tr.Run(w.t.Context(), plan); err != nil {
			w.t.Fatal(err)
		}
		tr.Close()
	}
	want := sha256.Sum256(data)
	for _, path := range []string{there, back} {
		b, err := os.ReadFile(path)
		if got := sha256.Sum256(b); err != nil || got != want {
			w.t.Errorf("%s is not the same: %d bytes of %d, %v", path, len(b), size, err)
		}
	}
}

// bundle makes a bundle, sends it by a way, and compares what the relay has.
func (w *world) bundle(d bundler.Delivery, size int) *bundler.Delivered {
	w.t.Helper()
	b, err := bundler.Open(w.root, bundler.OpenOptions{Version: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	dir := w.t.(*testing.T).TempDir()
	var text bytes.Buffer // that does not shrink too much
	for line := make([]byte, 40); text.Len() < size; {
		rand.Read(line)
		for i := range line {
			line[i] = 'a' + line[i]%26
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	w.file(filepath.Join(dir, "app.log"), text.Bytes())
	r, err := b.Collect(w.t.Context(), bundler.Request{Only: []string{"files"}, Include: []string{dir}})
	if err != nil {
		w.t.Fatalf("collect: %v", err)
	}
	defer r.Close()
	made, err := r.Finish(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	sent, err := b.Deliver(w.t.Context(), made.Queued, d)
	if err != nil {
		w.t.Fatalf("deliver: %v", err)
	}
	if sent.Receipt.SHA256 != made.SHA256 || sent.Receipt.Size != made.Size {
		w.t.Errorf("made %s, %d bytes; the receipt is for %s, %d bytes", made.SHA256, made.Size, sent.Receipt.SHA256, sent.Receipt.Size)
	}
	return sent
}

// nowhere fails when a text is in a file of the system's.
func (w *world) nowhere(text string) {
	w.t.Helper()
	filepath.WalkDir(w.root.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if b, _ := os.ReadFile(path); strings.Contains(string(b), text) {
				w.t.Errorf("%s holds the password", path)
			}
		}
		return nil
	})
}
