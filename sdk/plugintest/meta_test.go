package plugintest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/transport"
)

// A suite that finds nothing is worth nothing: each implementation below does
// one thing wrong, and the suite must say so.

// verdicts runs a suite and returns how each case ended.
func verdicts(t *testing.T, role string, o Options, impl func() any, only ...string) map[string]Result {
	t.Helper()
	o.Short, o.testOnlyHurry = true, true
	for _, one := range cases(role) {
		keep := len(only) == 0
		for _, name := range only {
			keep = keep || name == one.name
		}
		if !keep {
			o.Skip = append(o.Skip, one.name)
		}
	}
	b := Binary{Options: func(string) Options { return o }}
	s := subject{role: role, open: func() (*link, error) { return inProcess(role, impl) }}
	results, err := b.run(context.Background(), role+"/test", "test", s)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]Result)
	for _, r := range results {
		out[r.Case] = r
	}
	return out
}

func mustFail(t *testing.T, r Result, want string) {
	t.Helper()
	if r.Status != Failed {
		t.Errorf("case %s did not find it: %s %q", r.Case, r.Status, r.Log)
		return
	}
	if all := strings.Join(r.Log, "\n"); !strings.Contains(all, want) {
		t.Errorf("case %s does not say %q but %q", r.Case, want, all)
	}
}

// clumsy is a transport that does nearly everything wrong.
type clumsy struct {
	settings struct {
		Proxy    string        `config:"proxy"`
		Password config.Secret `config:"password"`
	}
	fault string
}

func (k *clumsy) Config() any { return &k.settings }

func (k *clumsy) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	if k.fault == "panic" && !strings.HasPrefix(target.Address, "127.0.0.1:") {
		panic("no such address")
	}
	conn, err := net.Dial("tcp", k.settings.Proxy) // not with ctx
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", target.Address)
	buf := make([]byte, 4096)
	n, err := conn.Read(buf) // not interrupted, and what is read too much is lost
	if err != nil || k.fault == "secret" || k.fault == "leak" && n < 10 {
		if k.fault != "leak" {
			conn.Close()
		} else {
			leaked = append(leaked, conn)
		}
		return nil, fmt.Errorf("proxy said %q to %x: %w", buf[:n], k.settings.Password.Reveal(), io.EOF)
	}
	return conn, nil
}

var leaked []net.Conn

func TestSuiteFindsClumsyTransport(t *testing.T) {
	o := Options{Config: map[string]any{"proxy": ProxyAddress}, Proxy: CONNECT}
	find := func(fault, name, want string) {
		t.Run(fault+"/"+name, func(t *testing.T) {
			got := verdicts(t, wire.RoleTransport, o, func() any { return &clumsy{fault: fault} }, name)
			mustFail(t, got[name], want)
		})
	}
	find("plain", "residual", "transport.Buffered")
	find("plain", "cancel", "want at most 100ms")
	find("plain", "nonsense", "taken for success")
	find("secret", "hang-up", "holds a secret")
	find("panic", "bad-target", "panicked")
	find("leak", "leak", "descriptors are open")
	for _, conn := range leaked {
		conn.Close()
	}
}

// careless is a collector that does everything wrong.
type careless struct{ stuck bool }

func (k careless) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	if k.stuck {
		w, err := sink.Stream(collect.Item{Name: "forever"})
		if err != nil {
			return err
		}
		defer w.Close()
		w.WriteString("x")
		time.Sleep(1200 * time.Millisecond) // deaf
		return nil
	}
	sink.Absent(collect.Item{Name: "b"}, "")
	if err := sink.Command(collect.Item{Name: "a"}, "rm", "-rf", "/"); err != nil {
		return err
	}
	sink.Stream(collect.Item{Name: "left-open"})
	return fmt.Errorf("no such tool")
}

func TestSuiteFindsCarelessCollector(t *testing.T) {
	got := verdicts(t, wire.RoleCollect, Options{}, func() any { return careless{} }, "collect", "declared", "absent")
	mustFail(t, got["collect"], "absent without a reason")
	mustFail(t, got["collect"], "as a whole failed")
	mustFail(t, got["declared"], "asked for command rm -rf /")
	mustFail(t, got["absent"], "without its commands")
	got = verdicts(t, wire.RoleCollect, Options{}, func() any { return careless{stuck: true} }, "cancel-collection")
	mustFail(t, got["cancel-collection"], "want at most 1s")
}

// gullible is an authentication method that lets everybody in.
type gullible struct{ fault string }

func (g gullible) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	for g.fault == "nag" {
		if _, err := talk.Ask(ctx, auth.Field{Name: "again"}); err != nil {
			return auth.Identity{}, err
		}
	}
	a, err := talk.Ask(ctx, auth.Field{Name: "pw", Secret: true})
	switch {
	case err != nil:
		return auth.Identity{}, err
	case g.fault == "tell":
		return auth.Identity{}, auth.Errorf(auth.BadLogin, "", "%x is wrong", a.Secret("pw").Reveal())
	case g.fault == "panic" && len(a.Secret("pw").Reveal()) > 1000:
		panic("too long")
	}
	return auth.Identity{User: "anybody"}, nil
}

func TestSuiteFindsGullibleAuth(t *testing.T) {
	for _, tt := range []struct{ fault, name, want string }{
		{"", "wrong-answers", "gave the user"},
		{"", "hostile-answers", "gave the user"},
		{"tell", "wrong-answers", "holds a secret"},
		{"panic", "hostile-answers", "panicked"},
		{"nag", "wrong-answers", "again and again"},
	} {
		got := verdicts(t, wire.RoleAuth, Options{}, func() any { return gullible{tt.fault} }, tt.name)
		mustFail(t, got[tt.name], tt.want)
	}
}

// lossy is an event sink that gives up and breaks.
type lossy struct{}

func (lossy) Deliver(_ context.Context, e eventsink.Event) error {
	if e.Code == "" {
		panic("no code")
	}
	return eventsink.Permanent(fmt.Errorf("down"))
}

func TestSuiteFindsLossySink(t *testing.T) {
	got := verdicts(t, wire.RoleEventSink, Options{Broken: map[string]any{}}, func() any { return lossy{} })
	mustFail(t, got["deliver"], "down")
	mustFail(t, got["strange-events"], "panicked")
	mustFail(t, got["broken"], "given up")
}
