package bundle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// keySigner is a system identity that lives in memory.
type keySigner struct{ ssh.Signer }

func newSigner(t testing.TB) keySigner {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return keySigner{s}
}

func (k keySigner) Sign(namespace string, message []byte) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(message), k.Signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(sig), nil
}

// list is a collector with a fixed list of items.
type list struct {
	name    string
	items   []listed
	planErr error
	err     error // after the items
	after   func(ctx context.Context)
}

type listed struct {
	name, text string
	config     bool
	state      State
	outcome    Outcome
	content    io.ReadCloser
}

func (l *list) Info() CollectorInfo { return CollectorInfo{Name: l.name, Version: "1"} }

func (l *list) Plan(context.Context, Request) ([]Planned, error) {
	var out []Planned
	for _, i := range l.items {
		out = append(out, Planned{Collector: l.name, Name: i.name, Size: int64(len(i.text)), Config: i.config})
	}
	return out, l.planErr
}

func (l *list) Collect(ctx context.Context, r Request, take func(*Item) error) error {
	for _, i := range l.items {
		it := &Item{Name: i.name, Source: "/" + i.name, Config: i.config, State: i.state, Reason: i.outcome.Reason,
			ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Finish:  func(context.Context) (Outcome, error) { return i.outcome, nil }}
		switch {
		case i.content != nil:
			it.Content = i.content
		case i.state == "":
			it.Content = io.NopCloser(strings.NewReader(i.text))
		}
		if err := take(it); err != nil {
			return err
		}
	}
	if l.after != nil {
		l.after(ctx)
	}
	return l.err
}

var testTime = time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)

func testOptions(t testing.TB) Options {
	return Options{
		Spool: filepath.Join(t.TempDir(), "spool"), Engine: newEngine(), Signer: newSigner(t),
		System: System{ID: "sys-1", Host: "h-1"}, Tool: Tool{"send-bundle", "0.1"},
		Limits: DefaultLimits, Now: func() time.Time { return testTime },
	}
}

func logsAndConfig() []Collector {
	return []Collector{
		&list{name: "logs", items: []listed{{name: "app.log", text: "login with hunter2 failed\n"}, {name: "old.log", state: Absent, outcome: Outcome{Reason: "not there"}}}},
		&list{name: "config", items: []listed{{name: "etc/app.conf", text: "password=hunter2\n", config: true}}},
	}
}

// pack makes a packed bundle; the draft is closed with the test.
func pack(t testing.TB, o Options, cs ...Collector) *Packed {
	t.Helper()
	d, err := Collect(t.Context(), cs, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	p, err := d.Pack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// seal makes a bundle in clear and returns its path.
func seal(t testing.TB, p *Packed) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), p.FileName(false))
	if _, err := p.Seal(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func openBundle(t testing.TB, path string, o OpenOptions) *Bundle {
	t.Helper()
	b, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func contents(t testing.TB, b *Bundle) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := b.Walk(t.Context(), func(f File, r io.Reader) error {
		data, err := io.ReadAll(r)
		out[f.Path] = string(data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func exitCode(err error) int {
	var c interface{ ExitCode() int }
	if errors.As(err, &c) {
		return c.ExitCode()
	}
	return 1
}

// empty spool: whatever happens, nothing of a run may stay behind.
func wantEmptySpool(t testing.TB, o Options) {
	t.Helper()
	entries, err := os.ReadDir(o.Spool)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left in the spool: %s", e.Name())
	}
}

func otherSigner(t testing.TB) keySigner {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return keySigner{s}
}
