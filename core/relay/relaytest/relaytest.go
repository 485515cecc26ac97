// Package relaytest runs a whole relay, with TLS and an embedded store, inside
// a test.
package relaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// Relay is a running relay on a port of 127.0.0.1.
type Relay struct {
	Root    paths.Root
	Address string // host:port
	Server  *relay.Server
	Loaded  *setup.Relay

	// Change alters the options of the next Start.
	Change func(*relay.Options)
	// Names are further names in the relay's certificate.
	Names []string
	// Configure alters the configuration of the next Start.
	Configure func(*setup.Config)

	t      testing.TB
	beside *Relay
	stop   func()
}

// Beside makes a relay another node of the one of first: with its configuration
// and its keys. They are to share a store, too.
func Beside(first *Relay) func(*Relay) { return func(r *Relay) { r.beside = first } }

// copyFrom does what an operator does who adds a node.
func (r *Relay) copyFrom(first *Relay) error {
	from, to := setup.At(first.Root), setup.At(r.Root)
	if err := errors.Join(r.Root.Make(), os.MkdirAll(to.State, 0o700)); err != nil {
		return err
	}
	cfg, err := setup.ReadConfig(from.Config)
	if err != nil {
		return err
	}
	cfg.Listen = r.Address
	text, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to.Config, text, 0o600); err != nil {
		return err
	}
	files := map[string]string{}
	for _, name := range []string{"ca.crt", "ca.key", "receipt_key"} {
		files[filepath.Join(from.State, name)] = filepath.Join(to.State, name)
	}
	for a, b := range files {
		data, err := os.ReadFile(a)
		if err != nil {
			return err
		}
		if err := os.WriteFile(b, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// New sets a relay up and starts it. It ends with the test.
func New(t testing.TB, change ...func(*Relay)) *Relay {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ln := listen(t, "127.0.0.1:0")
	r := &Relay{Root: root, Address: ln.Addr().String(), t: t}
	for _, c := range change {
		c(r)
	}
	if r.beside != nil {
		err = r.copyFrom(r.beside)
	} else {
		_, err = setup.Init(root, setup.Options{Name: "Test Vendor", Address: r.Address, Listen: r.Address, Names: r.Names})
	}
	if err != nil {
		t.Fatal(err)
	}
	r.start(ln)
	t.Cleanup(r.Stop)
	return r
}

// Open serves a relay that was set up before, in another process perhaps, and
// is stopped there.
func Open(t testing.TB, root paths.Root, address string) *Relay {
	t.Helper()
	r := &Relay{Root: root, Address: address, t: t}
	r.Start()
	t.Cleanup(r.Stop)
	return r
}

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	var ln net.Listener
	var err error
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ln, err = net.Listen("tcp", addr); err == nil {
			return ln
		}
	}
	t.Fatal(err)
	return nil
}

// Start starts a stopped relay on its port.
func (r *Relay) Start() { r.t.Helper(); r.start(listen(r.t, r.Address)) }

func (r *Relay) start(ln net.Listener) {
	r.t.Helper()
	loaded, err := setup.Load(r.Root)
	if err != nil {
		r.t.Fatal(err)
	}
	loaded.Config.Limits.KeepFree = 0        // small test disks
	loaded.Config.Remote.SourceRate = 10_000 // all of a test come from one address
	if r.Configure != nil {
		r.Configure(&loaded.Config)
	}
	log := slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine, err := natsstore.Embed(loaded.Places.Store, log)
	if err != nil {
		r.t.Fatal(err)
	}
	blobs, err := blob.NewDir(loaded.Places.Blobs)
	if err != nil {
		r.t.Fatal(err)
	}
	o := relay.Options{Relay: loaded, Engine: engine, Blobs: blobs, Log: log, Drain: 200 * time.Millisecond}
	if r.Change != nil {
		r.Change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := relay.New(ctx, o)
	if err != nil {
		cancel()
		engine.Close()
		r.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	r.Loaded, r.Server = loaded, srv
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
		if err := engine.Close(); err != nil {
			r.t.Error(err)
		}
	}
}

// Stop ends the relay; Start brings it back with everything it knew.
func (r *Relay) Stop() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// Token makes an enrolment token for a system of that name.
func (r *Relay) Token(name string) api.Token {
	r.t.Helper()
	var resp relay.NewTokenResponse
	if err := relay.Local(r.Server).Call(r.t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: name, Valid: time.Hour}, &resp); err != nil {
		r.t.Fatal(err)
	}
	tok, err := api.ParseToken(resp.Token)
	if err != nil {
		r.t.Fatal(err)
	}
	return tok
}

// Enroll makes a system, enrols it and pins the vendor.
func (r *Relay) Enroll(name string) (*identity.System, identity.Vendor) {
	r.t.Helper()
	sys, err := identity.Open(r.t.TempDir())
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := client.Enroll(r.t.Context(), sys, r.Token(name), "", name+".test", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := sys.Pin(resp.Vendor, false); err != nil {
		r.t.Fatal(err)
	}
	return sys, resp.Vendor
}

// Engineer lets an engineer with a new key in and returns his client.
func (r *Relay) Engineer(name string, roles ...string) *client.Client {
	r.t.Helper()
	c, _ := r.EngineerIn(name, nil, roles...)
	return c
}

// EngineerIn lets an engineer of some groups in and returns his key, too.
func (r *Relay) EngineerIn(name string, groups []string, roles ...string) (*client.Client, ssh.Signer) {
	r.t.Helper()
	key, err := identity.MakeKey(fmt.Sprintf("%s/%s", r.t.TempDir(), name), name)
	if err != nil {
		r.t.Fatal(err)
	}
	req := relay.AddEngineerRequest{Name: name, Key: identity.FormatKey(key.PublicKey()), Roles: roles, Groups: groups}
	if err := relay.Local(r.Server).Call(r.t.Context(), "POST", "/admin/engineers", req, nil); err != nil {
		r.t.Fatal(err)
	}
	pin := r.Loaded.Pin()
	c, err := client.ForEngineer(r.Address, pin, key.PublicKey(), client.KeySigner(key), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c, key
}
