package testconn

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/sdk/failure"
)

// plain is a way without a plugin. It counts what it dials.
type plain struct {
	to     string // instead of the address, if not empty
	steps  bool   // shows its steps
	fail   error
	dialed []string
}

func (p *plain) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	p.dialed = append(p.dialed, address)
	if p.fail != nil {
		return nil, p.fail
	}
	if p.to != "" {
		address = p.to
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

func (p *plain) Probe(_ context.Context, _, _ string, report func(host.Step)) error {
	if !p.steps {
		return failure.New(failure.Unsupported, "", "no steps")
	}
	report(host.Step{Name: "name of the proxy"})
	report(host.Step{Name: "login", Err: p.fail})
	return p.fail
}

type decider bool

func (d decider) Decide(a policy.Action, f policy.Facts) policy.Decision {
	return policy.Decision{Action: a, Facts: f, Allowed: bool(d), Reason: "not from here", Rule: policy.Rule{Key: "network.rss", Source: policy.Source{File: "site.hcl", Line: 3}}}
}

// silent accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// REQ B7: a result per step, with what to do about each failure.
func TestRun(t *testing.T) {
	relay := relaytest.New(t)
	system, vendor := relay.Enroll("array-7")
	other := relaytest.New(t)
	stranger, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	all := []string{"address", "policy", "connect", "TLS", "relay", "clocks", "enrolment", "WebSocket"}
	tests := []struct {
		name    string
		way     *plain
		address string
		system  *identity.System
		denied  bool
		now     func() time.Time
		steps   []string // the last one fails when want is set
		want    string
		hint    string
	}{
		{name: "all well", steps: all},
		{name: "retired name", address: "rss02.infinidat.com:443", steps: all[:1], want: "retired", hint: "use rss.infinidat.com"},
		{name: "policy", denied: true, steps: all[:2], want: "site.hcl:3"},
		{name: "nothing listens", way: &plain{to: gone.Addr().String()}, steps: all[:3], want: "refused"},
		{name: "wrong proxy password", way: &plain{steps: true, fail: failure.New(failure.ProxyAuth, "check the password", "the proxy says no")},
			steps: []string{"address", "policy", "name of the proxy", "login"}, want: "the proxy says no", hint: "check the password"},
		{name: "TLS is intercepted", way: &plain{to: other.Address}, steps: all[:4], want: "not issued by the vendor", hint: "inspects TLS"},
		{name: "large packets are lost", way: &plain{to: silent(t)}, steps: all[:4], want: "does not arrive", hint: "MTU"},
		{name: "clock", now: func() time.Time { return time.Now().Add(-time.Hour) }, steps: all[:6], want: "1h0m0s behind", hint: "set the clock"},
		{name: "unknown system", system: stranger, steps: all[:7], want: "not known here", hint: "enrol again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			way := tt.way
			if way == nil {
				way = &plain{}
			}
			v, sys := vendor, system
			if tt.address != "" {
				v.RSS = tt.address
			}
			if tt.system != nil {
				sys = tt.system
			}
			c, err := client.ForSystem(sys, v, way.DialContext)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			key, err := v.ReceiptPublicKey()
			if err != nil {
				t.Fatal(err)
			}
			var steps []Step
			r, err := route.Parse(route.Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = Run(t.Context(), Options{Client: c, RelayKey: key, Way: way, Route: r, Policy: decider(!tt.denied), Now: tt.now, Patience: 300 * time.Millisecond}, func(s Step) { steps = append(steps, s) })
			var names []string
			for i, s := range steps {
				names = append(names, s.Name)
				if s.Err != nil && i < len(steps)-1 {
					t.Errorf("step %s failed and the test went on: %v", s.Name, s.Err)
				}
			}
			if diff := cmp.Diff(tt.steps, names); diff != "" {
				t.Error(diff)
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			last := steps[len(steps)-1]
			if err == nil || last.Err == nil || !strings.Contains(last.Err.Error(), tt.want) || !strings.Contains(last.Hint, tt.hint) {
				t.Errorf("got %v (%s; hint %q), want %q with %q", err, last.Err, last.Hint, tt.want, tt.hint)
			}
		})
	}
}

// What policy or the list of retired names refuses is never dialled.
func TestNothingIsDialledThatIsRefused(t *testing.T) {
	relay := relaytest.New(t)
	system, vendor := relay.Enroll("array-7")
	vendor.RSS = "rss07.infinidat.com:443"
	way := &plain{}
	c, err := client.ForSystem(system, vendor, way.DialContext)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, _ := route.Parse(route.Options{})
	Run(t.Context(), Options{Client: c, Way: way, Route: r, Policy: decider(false)}, func(Step) {})
	vendor.RSS = relay.Address
	if c, err = client.ForSystem(system, vendor, way.DialContext); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	Run(t.Context(), Options{Client: c, Way: way, Route: r, Policy: decider(false)}, func(Step) {})
	if len(way.dialed) > 0 {
		t.Errorf("dialled %v", way.dialed)
	}
}
