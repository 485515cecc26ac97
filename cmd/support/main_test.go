package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"support": main})
}

// world is the relay of a script and the system that sends to it.
type world struct {
	relay  *relaytest.Relay
	system *identity.System
	vendor identity.Vendor
}

type worldKey struct{}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { return settle(t, e, "bundle-key.txt") },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": cmdtest.Code, "engineer": engineer, "send": send, "corrupt": corrupt, "makebundle": makeBundle, "stranger": stranger,
		},
	})
}

// settle gives a script a relay, a system that has enrolled there, and the
// vendor's key to what it sends, in a file of that name.
func settle(t *testing.T, e *testscript.Env, vendorKey string) error {
	r := relaytest.New(t)
	w := &world{relay: r}
	w.system, w.vendor = r.Enroll("array-7")
	e.Values[worldKey{}] = w
	e.Setenv("RSS", r.Address)
	e.Setenv("PIN", r.Loaded.Pin().String())
	e.Setenv("HOME", e.WorkDir)
	key, err := os.ReadFile(filepath.Join(r.Loaded.Places.HandOut, setup.BundleKeyName))
	if err != nil {
		return err
	}
	pub := identity.FormatKey(w.system.PublicKey()) + "\n"
	return errors.Join(os.WriteFile(filepath.Join(e.WorkDir, vendorKey), key, 0o600), os.WriteFile(filepath.Join(e.WorkDir, "array-7.pub"), []byte(pub), 0o600))
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// engineer NAME KEYFILE [ROLE...] makes a key and lets its owner in.
func engineer(ts *testscript.TestScript, _ bool, args []string) {
	key, err := identity.MakeKey(ts.MkAbs(args[1]), args[0])
	ts.Check(err)
	if len(args) == 2 {
		return // a key that nobody knows
	}
	req := relay.AddEngineerRequest{Name: args[0], Key: identity.FormatKey(key.PublicKey()), Roles: args[2:]}
	ts.Check(relay.Local(worldOf(ts).relay.Server).Call(context.Background(), "POST", "/admin/engineers", req, nil))
}

// files is a collector with two files.
type files struct{}

func (files) Info() bundle.CollectorInfo { return bundle.CollectorInfo{Name: "logs", Version: "1"} }

func (files) Plan(context.Context, bundle.Request) ([]bundle.Planned, error) { return nil, nil }

func (files) Collect(_ context.Context, _ bundle.Request, take func(*bundle.Item) error) error {
	one := 1
	return errors.Join(
		take(&bundle.Item{Name: "var/log/app.log", Source: "/var/log/app.log", Content: io.NopCloser(strings.NewReader("started\npassword=hunter2hunter2\n"))}),
		take(&bundle.Item{Name: "cmd/lsblk", Source: "lsblk -J", Content: io.NopCloser(strings.NewReader("no devices\n")),
			Finish: func(context.Context) (bundle.Outcome, error) { return bundle.Outcome{ExitCode: &one}, nil }}),
		take(&bundle.Item{Name: "var/log/secure", Source: "/var/log/secure", State: bundle.Failed, Reason: "permission denied"}),
	)
}

// pack makes a sealed bundle of a system.
func pack(ts *testscript.TestScript, sys *identity.System, path string) {
	engine, err := sanitize.New(sanitize.Options{})
	ts.Check(err)
	spool := ts.MkAbs("spool")
	ts.Check(os.MkdirAll(spool, 0o700))
	ctx := context.Background()
	d, err := bundle.Collect(ctx, []bundle.Collector{files{}}, bundle.Options{Spool: spool, Engine: engine, Signer: sys,
		System: bundle.System{ID: sys.ID(), Host: "host-1"}, Tool: bundle.Tool{Name: "send-bundle", Version: "test"}})
	ts.Check(err)
	defer d.Close()
	p, err := d.Pack(ctx)
	ts.Check(err)
	rec, err := age.ParseX25519Recipient(worldOf(ts).vendor.Recipients[0])
	ts.Check(err)
	_, err = p.Seal(ctx, path, rec)
	ts.Check(err)
}

// makebundle FILE makes a bundle of array-7.
func makeBundle(ts *testscript.TestScript, _ bool, args []string) {
	pack(ts, worldOf(ts).system, ts.MkAbs(args[0]))
}

// stranger FILE makes a bundle of a system that is not enrolled.
func stranger(ts *testscript.TestScript, _ bool, args []string) {
	sys, err := identity.Open(ts.MkAbs("stranger"))
	ts.Check(err)
	pack(ts, sys, ts.MkAbs(args[0]))
}

// send FILE delivers it as array-7 and sets $ID.
func send(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	q, err := deliver.OpenQueue(ts.MkAbs("queue"))
	ts.Check(err)
	log, err := audit.Open(ts.MkAbs("audit"))
	ts.Check(err)
	defer log.Close()
	body, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	copied := ts.MkAbs("copy-" + filepath.Base(args[0]))
	ts.Check(os.WriteFile(copied, body, 0o600))
	it, err := q.Add(copied, deliver.Info{Filename: filepath.Base(args[0]), Case: "4711"})
	ts.Check(err)
	s, err := deliver.NewSender(deliver.Options{Queue: q, System: w.system, Vendor: w.vendor, Audit: log, Actor: "test", Log: slog.New(slog.DiscardHandler), Patience: 10 * time.Second})
	ts.Check(err)
	defer s.Close()
	sent, err := s.Send(context.Background(), it.ID)
	ts.Check(err)
	ts.Setenv("ID", sent.Bundle)
}

// corrupt changes a byte of the bundle $ID on the relay's disk.
func corrupt(ts *testscript.TestScript, _ bool, _ []string) {
	path := filepath.Join(worldOf(ts).relay.Loaded.Places.Blobs, ts.Getenv("ID"))
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mb\u009bc\nd"); bytes.ContainsAny([]byte(got), "\x1b\n") || got != "a?[31mb?c?d" {
		t.Errorf("printable = %q", got)
	}
}
