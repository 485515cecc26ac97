package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/inspectors"
	"github.com/latchstring/latchstring/core/route/sealed"
	"github.com/latchstring/latchstring/core/testconn"
	"github.com/latchstring/latchstring/testdata/peers"
	"github.com/latchstring/latchstring/testdata/until"
)

// test runs Test Connection and returns its steps.
func (w *world) test(address string, o route.Options) (steps []testconn.Step) {
	w.t.Helper()
	err := w.agent.TestConnection(w.t.Context(), control.Self(), address, w.parse(o), func(s testconn.Step) { steps = append(steps, s) })
	failed := false
	for _, s := range steps {
		failed = failed || s.Err != nil
	}
	if (err != nil) != failed {
		w.t.Errorf("it returned %v, and the steps are %+v", err, steps)
	}
	return steps
}

// fails expects Test Connection to fail at a step, in these words, with this
// advice.
func (w *world) fails(address string, o route.Options, step, words, advice string) {
	w.t.Helper()
	steps := w.test(address, o)
	if len(steps) == 0 {
		w.t.Fatal("no steps")
	}
	last := steps[len(steps)-1]
	if last.Err == nil {
		w.t.Fatalf("it went well: %+v", steps)
	}
	if last.Name != step || !strings.Contains(last.Err.Error(), words) || !strings.Contains(last.Hint, advice) {
		w.t.Errorf("step %q failed with %q and the hint %q; want %q, %q, %q", last.Name, last.Err, last.Hint, step, words, advice)
	}
	if strings.Contains(last.Err.Error()+last.Hint, peers.Password) {
		w.t.Errorf("the password is shown: %v", last.Err)
	}
}

// Each failure with a real peer that makes it. REQ B7 A15
func TestFailures(t *testing.T) {
	t.Run("all well", func(t *testing.T) {
		p := peers.SquidBasic(t)
		w := newWorld(t)
		steps := w.test("", route.Options{Proxy: p.URL(), Password: []byte(p.Password)})
		var names []string
		for _, s := range steps {
			if names = append(names, s.Name); s.Err != nil {
				t.Errorf("%s: %v", s.Name, s.Err)
			}
		}
		t.Log(names)
		if len(steps) < 7 {
			t.Errorf("only these steps: %v", names)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		p := peers.SquidDigest(t)
		newWorld(t).fails("", route.Options{Proxy: p.URL(), Password: []byte("wrong-" + p.Password)}, "login and connection through the proxy", "does not accept the credentials", "check user name and password")
	})
	t.Run("port refused", func(t *testing.T) {
		w := newWorld(t)
		p := peers.Squid(t, peers.Port(w.Address))
		w.fails("", route.Options{Proxy: p.URL()}, "login and connection through the proxy", "refused the connection", "ask for the target and its port to be allowed")
	})
	t.Run("no proxy there", func(t *testing.T) {
		newWorld(t).fails("", route.Options{Proxy: "https://" + peers.FreeAddr(t)}, "connection to the proxy", "refused", "check both")
	})
	t.Run("name not found", func(t *testing.T) {
		newWorld(t).fails("no-such-relay.invalid:443", route.Options{}, "name of the relay", "no-such-relay.invalid", "check the name")
	})
	t.Run("name not found by the proxy", func(t *testing.T) {
		p := peers.Squid(t, "")
		newWorld(t).fails("no-such-relay.invalid:443", route.Options{Proxy: p.URL()}, "login and connection through the proxy", "no-such-relay.invalid", "name")
	})
	t.Run("retired", func(t *testing.T) {
		newWorld(t).fails("rss02.infinidat.com:443", route.Options{}, "address", "retired", "use rss.infinidat.com")
	})
	t.Run("no route", func(t *testing.T) {
		to := peers.NoRoute(t)
		newWorld(t).fails(to, route.Options{}, "connection to the relay", "no route", "check the routes")
	})
	t.Run("clock", func(t *testing.T) {
		w := newWorld(t, func(r *relaytest.Relay) {
			r.Change = func(o *relay.Options) { o.Now = func() time.Time { return time.Now().Add(20 * time.Minute) } }
		})
		w.fails("", route.Options{}, "clocks", "20m0s behind", "set the clock")
	})
	t.Run("MTU", func(t *testing.T) {
		if testing.Short() {
			t.Skip("waits for a certificate that does not come")
		}
		w := newWorld(t)
		w.fails(peers.BlackHole(t, w.Address), route.Options{}, "TLS", "does not arrive", "MTU")
	})
}

// A proxy that inspects TLS is refused and named; let in by the customer, it
// carries a session and a bundle, and reads neither. REQ A5 A7
func TestInspected(t *testing.T) {
	w := newWorld(t)
	p := peers.StartInspector(t)
	w.fails("", route.Options{Proxy: p.URL()}, "TLS", peers.InspectorName, "into "+inspectors.Dir(w.root))
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{For: "1h", Proxy: p.URL()}); err == nil || !strings.Contains(err.Error(), peers.InspectorName) {
		t.Fatalf("a session through an inspector that nobody let in: %v", err)
	}
	if seen := p.Seen(); len(seen) > 0 {
		t.Errorf("it read %d bytes", len(seen))
	}
	w.file(filepath.Join(inspectors.Dir(w.root), "corp.pem"), p.CA)
	steps := w.test("", route.Options{Proxy: p.URL()})
	for _, s := range steps {
		if s.Err != nil || s.Name == "TLS" && !strings.Contains(s.Detail, peers.InspectorName+", which inspects TLS and was let in") {
			t.Errorf("%s: %s, %v", s.Name, s.Detail, s.Err)
		}
	}
	o, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{For: "1h", Proxy: p.URL()})
	if err != nil {
		t.Fatal(err)
	}
	until.True(w.t, "the inspector is named", func() bool {
		s, err := w.agent.Session(t.Context(), control.Self())
		return err == nil && strings.Contains(s.Link.InspectedBy, peers.InspectorName)
	})
	c := w.enter(o.Secret)
	if out := w.run(c, "echo c4n4ry-output; exit 7"); out != "c4n4ry-output\n" {
		t.Errorf("the command said %q", out)
	}
	w.copy(c, 1<<20)
	w.bundle(bundler.Delivery{Route: w.parse(route.Options{Proxy: p.URL()})}, 1<<20)
	seen := p.Seen()
	if len(seen) < 2<<20 {
		t.Errorf("it saw %d bytes only: nothing was proven", len(seen))
	}
	for _, secret := range []string{"c4n4ry", o.Secret, strings.ReplaceAll(o.Secret, "-", ""), "app.log"} {
		if bytes.Contains(seen, []byte(secret)) {
			t.Errorf("the inspector read %q", secret)
		}
	}
}

// The same with the program that companies use for it: squid, which understands
// what it inspects, and passes on what it knows as HTTP. REQ A5 A7
func TestInspectedBySquid(t *testing.T) {
	w := newWorld(t)
	p, ca := peers.SquidInspector(t, true)
	w.fails("", route.Options{Proxy: p.URL()}, "TLS", peers.InspectorName, "into "+inspectors.Dir(w.root))
	w.file(filepath.Join(inspectors.Dir(w.root), "corp.pem"), ca)
	steps := w.test("", route.Options{Proxy: p.URL()})
	if s := steps[len(steps)-1]; s.Err != nil || s.Name != "WebSocket" || !strings.Contains(s.Detail, peers.InspectorName) {
		t.Errorf("the last step: %+v", s)
	}
	o, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{For: "1h", Proxy: p.URL()})
	if err != nil {
		t.Fatal(err)
	}
	until.True(w.t, "the inspector is named", func() bool {
		s, err := w.agent.Session(t.Context(), control.Self())
		return err == nil && strings.Contains(s.Link.InspectedBy, peers.InspectorName)
	})
	c := w.enter(o.Secret)
	if out := w.run(c, "echo c4n4ry-output; exit 7"); out != "c4n4ry-output\n" {
		t.Errorf("the command said %q", out)
	}
	w.copy(c, 4<<20)
	w.bundle(bundler.Delivery{Route: w.parse(route.Options{Proxy: p.URL()})}, 1<<20)
}

// A proxy that inspects TLS and passes on requests only: Test Connection says
// so, and what to do; bundles go. REQ B7
func TestInspectedWithoutWebSockets(t *testing.T) {
	w := newWorld(t)
	p, ca := peers.SquidInspector(t, false)
	w.file(filepath.Join(inspectors.Dir(w.root), "corp.pem"), ca)
	w.fails("", route.Options{Proxy: p.URL()}, "WebSocket", "sessions do not", "http_upgrade_request_protocols")
	w.bundle(bundler.Delivery{Route: w.parse(route.Options{Proxy: p.URL()})}, 1<<20)
}

// Nobody types the password: it is kept. REQ B1
func TestSealedLogin(t *testing.T) {
	p := peers.SquidDigest(t)
	w := newWorld(t)
	address, _, err := route.Canonical(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	if err := sealed.Open(w.root).Put(address, p.User, []byte(p.Password)); err != nil {
		t.Fatal(err)
	}
	w.session(control.OnRequest{For: "1h", Proxy: address})
	w.bundle(bundler.Delivery{Route: w.parse(route.Options{Proxy: address})}, 1<<20)
	w.nowhere(p.Password)
}

// The proxy that the machine's settings name, and its exceptions. REQ B1
func TestMachineProxy(t *testing.T) {
	p := peers.SquidBasic(t)
	// Loopback is never reached through a proxy, so the relay has a name.
	w := newWorld(t, func(r *relaytest.Relay) { r.Names = []string{"localhost.localdomain"} })
	address := "localhost.localdomain:" + peers.Port(w.Address)
	t.Setenv("https_proxy", "http://"+p.Address)
	t.Setenv("no_proxy", "")
	w.fails(address, route.Options{Proxy: route.Machine}, "login and connection through the proxy", "wants a login", "user name and password")
	canonical, _, _ := route.Canonical(p.URL())
	if err := sealed.Open(w.root).Put(canonical, p.User, []byte(p.Password)); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.test(address, route.Options{Proxy: route.Machine}) {
		if s.Name == "policy" && !strings.Contains(s.Detail, p.Address+" as "+p.User) {
			t.Errorf("the way: %s", s.Detail)
		}
	}
	t.Setenv("no_proxy", "localdomain")
	for _, s := range w.test(address, route.Options{Proxy: route.Machine}) {
		if s.Name == "policy" && !strings.Contains(s.Detail, "directly") {
			t.Errorf("the way of an exception: %s", s.Detail)
		}
	}
	// Policy has the last word.
	w.file(filepath.Join(w.root.Policies(), "proxies.hcl"), []byte(`network { proxies = ["none"] }`))
	t.Setenv("no_proxy", "")
	if _, err := w.agent.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	w.fails(address, route.Options{Proxy: route.Machine}, "policy", "proxies.hcl", "")
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{RSS: address, Proxy: route.Machine}); err == nil || !strings.Contains(err.Error(), "proxies.hcl") {
		t.Errorf("a session against policy: %v", err)
	}
}
