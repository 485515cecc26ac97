package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// ended waits for the end of a connection, within a second.
func ended(t *testing.T, what string, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: still open after a second", what)
		}
	}
}

// dial takes the next dial message off a session.
func dial(t *testing.T, s *relaytest.Session) *msg.Dial {
	t.Helper()
	s.Control.SetReadDeadline(time.Now().Add(10 * time.Second))
	m, err := s.In.Next()
	d, ok := m.(*msg.Dial)
	if !ok {
		t.Fatalf("the relay says %T, %v; want dial", m, err)
	}
	return d
}

// Tickets: stolen by another system, by an engineer, used twice, made up.
func TestTickets(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	s := p.Open(t)
	thief, vendor := p.Enroll("array-8")
	thiefSession, err := relaytest.Announce(t.Context(), p.ClientOf(thief, vendor), vendor)
	if err != nil {
		t.Fatal(err)
	}
	defer thiefSession.Control.Close()

	type got struct {
		conn net.Conn
		err  error
	}
	connected := make(chan got, 1)
	go func() {
		conn, _, err := p.Connect(t.Context(), "array-7")
		connected <- got{conn, err}
	}()
	ticket := dial(t, s).Ticket
	_, err = thiefSession.Carry(t.Context(), ticket)
	wantCode(t, err, api.CodeTicket)
	_, err = s.Carry(t.Context(), api.NewTicket())
	wantCode(t, err, api.CodeTicket)
	engineer := &link.Dialer{Client: p.Engineer, RelayKey: p.Loaded.ReceiptKey.PublicKey()}
	_, err = engineer.Dial(t.Context(), msg.PathCarry, map[string][]string{msg.QueryTicket: {ticket}})
	wantCode(t, err, api.CodeForbidden)

	// After all that it is still good for whom it was made.
	conn, err := s.Carry(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if start, err := relaytest.Started(conn); err != nil || start.Engineer != "ada" {
		t.Fatalf("start %+v, %v", start, err)
	}
	go echo(conn, nil)
	g := <-connected
	if g.err != nil {
		t.Fatal(g.err)
	}
	defer g.conn.Close()
	roundTrip(t, g.conn, 1000)
	_, err = s.Carry(t.Context(), ticket) // used twice
	wantCode(t, err, api.CodeTicket)
	roundTrip(t, g.conn, 1000)
}

// Who may not: systems as engineers, engineers as systems, the wrong role,
// another group, unknown systems.
func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	p.Open(t)
	admin := relay.Local(p.Server)
	if err := admin.Call(t.Context(), "POST", "/admin/systems/array-7/groups", relay.GroupsRequest{Groups: []string{"emea"}}, nil); err != nil {
		t.Fatal(err)
	}
	key := p.Loaded.ReceiptKey.PublicKey()
	refused := func(c *client.Client, path, system string, code api.Code) {
		t.Helper()
		_, err := link.Dial(t.Context(), c, key, path, map[string][]string{msg.QuerySystem: {system}})
		wantCode(t, err, code)
	}
	refused(p.SystemClient, msg.PathConnect, "array-7", api.CodeForbidden)
	refused(p.Engineer, msg.PathLink, "", api.CodeForbidden)
	refused(p.Engineer, msg.PathCarry, "", api.CodeForbidden)
	refused(p.Engineer, msg.PathConnect, "array-9", api.CodeNotFound)
	refused(p.Engineer, msg.PathConnect, "", api.CodeBadRequest)
	refused(p.Relay.Engineer("bob", "bundles"), msg.PathConnect, "array-7", api.CodeForbidden)
	apac, _ := p.EngineerIn("carl", []string{"apac"}, "access", "bundles")
	refused(apac, msg.PathConnect, "array-7", api.CodeForbidden)
	refused(apac, msg.PathConnect, p.System.ID(), api.CodeForbidden)
	var list api.SystemList
	if err := apac.JSON(t.Context(), "GET", api.PathSystems, nil, true, nil, &list); err != nil || len(list.Systems) != 0 {
		t.Errorf("an engineer of another group sees %v, %v", list.Systems, err)
	}
}

// Whatever ends somebody's right cuts what is open within a second.
func TestCutAtOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		name, path string
		in         any
		session    bool // the session ends, too
	}{
		{"engineer revoked", "/admin/engineers/ada/revoke", nil, false},
		{"system retired", "/admin/systems/array-7/retire", nil, true},
		{"system moved to another group", "/admin/systems/array-7/groups", relay.GroupsRequest{Groups: []string{"apac"}}, false},
	} {
		t.Run(how.name, func(t *testing.T) {
			p := relaytest.NewPair(t)
			admin := relay.Local(p.Server)
			if err := admin.Call(t.Context(), "POST", "/admin/systems/array-7/groups", relay.GroupsRequest{Groups: []string{"emea"}}, nil); err != nil {
				t.Fatal(err)
			}
			eve, _ := p.EngineerIn("eve", []string{"emea"}, "access")
			s := p.Open(t)
			last := make(chan msg.Message, 1)
			go func() { last <- s.Serve(t.Context(), echo) }()
			ada, _, err := p.Connect(t.Context(), "array-7")
			if err != nil {
				t.Fatal(err)
			}
			inGroup, _, err := relaytest.Connect(t.Context(), eve, p.Loaded.ReceiptKey.PublicKey(), "array-7")
			if err != nil {
				t.Fatal(err)
			}
			if err := admin.Call(t.Context(), "POST", how.path, how.in, nil); err != nil {
				t.Fatal(err)
			}
			if how.in == nil {
				ended(t, "the engineer's connection", ada)
			} else {
				ended(t, "the connection of an engineer of the old group", inGroup)
				roundTrip(t, ada, 100) // she reaches all
			}
			if !how.session {
				if system1Session(t, p) == nil {
					t.Error("the session ended as well")
				}
				return
			}
			ended(t, "the other engineer's connection", inGroup)
			select {
			case m := <-last:
				if r, ok := m.(*msg.Refuse); !ok || r.Code != string(api.CodeUnknownKey) {
					t.Errorf("the system is told %T %+v", m, m)
				}
			case <-time.After(time.Second):
				t.Error("the control stream is still open after a second")
			}
			_, err = relaytest.Announce(t.Context(), p.SystemClient, p.Vendor)
			wantCode(t, err, api.CodeUnknownKey)
		})
	}
}

// system1Session asks the operator's way, whatever became of the engineer.
func system1Session(t *testing.T, p *relaytest.Pair) *api.Session {
	t.Helper()
	var sys api.System
	if err := relay.Local(p.Server).Call(t.Context(), "GET", "/admin/systems/"+p.System.ID(), nil, &sys); err != nil {
		t.Fatal(err)
	}
	return sys.Session
}

// A new control stream takes the place of the old one at once.
func TestReplaced(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	old := p.Open(t)
	same := func(_ *link.Dialer, h *msg.Hello) { h.Session = old.Hello.Session }
	s := p.Open(t, same)
	old.Control.SetReadDeadline(time.Now().Add(time.Second))
	if m, err := old.In.Next(); err != nil {
		t.Errorf("the old stream: %v", err)
	} else if _, ok := m.(*msg.Replaced); !ok {
		t.Errorf("the old stream is told %T", m)
	}
	ended(t, "the old stream", old.Control)
	go s.Serve(t.Context(), echo)
	conn, _, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	roundTrip(t, conn, 100)
	if n := len(events(t, p.Relay, "session.announced")); n != 1 {
		t.Errorf("%d announcements of one session that came back", n)
	}
}

// Limits of connections, each with its words and when to come back.
func TestRemoteLimits(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) {
			c.Remote.PerSystem, c.Remote.PerEngineer, c.Remote.EngineerRate, c.Remote.SystemRate, c.Remote.Sessions, c.Remote.ClaimSeconds = 3, 2, 10, 4, 2, 1
		}
	})
	s := p.Open(t)
	go s.Serve(t.Context(), echo)
	limited := func(err error, words string) {
		t.Helper()
		wantCode(t, err, api.CodeBusy)
		var r *api.Error
		if !errors.As(err, &r) || r.RetryAfter <= 0 || err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v; want %q and when to come back", err, words)
		}
	}
	var conns []net.Conn
	for range 2 {
		conn, _, err := p.Connect(t.Context(), "array-7")
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	_, _, err := p.Connect(t.Context(), "array-7")
	limited(err, "the limit for one; end one first")
	bob, _ := p.EngineerIn("bob", nil, "access")
	key := p.Loaded.ReceiptKey.PublicKey()
	third, _, err := relaytest.Connect(t.Context(), bob, key, "array-7")
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	_, _, err = relaytest.Connect(t.Context(), bob, key, "array-7")
	limited(err, "system array-7 has 3 engineers' connections")
	for _, c := range conns {
		c.Close()
	}
	until.True(t, "places are free again", func() bool {
		conn, _, err := p.Connect(t.Context(), "array-7")
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	for range 20 {
		if _, _, err = p.Connect(t.Context(), "array-7"); err != nil && strings.Contains(err.Error(), "times a minute") {
			break
		}
	}
	limited(err, "times a minute")

	// Sessions in total, and how often a system opens one.
	for i, want := range []api.Code{"", api.CodeBusy} {
		sys, v := p.Enroll(fmt.Sprintf("other-%d", i))
		other, err := relaytest.Announce(t.Context(), p.ClientOf(sys, v), v)
		if err == nil {
			defer other.Control.Close()
		}
		if want == "" && err != nil {
			t.Fatal(err)
		}
		if want != "" {
			limited(err, "open sessions")
		}
	}
	for range 10 {
		var again *relaytest.Session
		if again, err = relaytest.Announce(t.Context(), p.SystemClient, p.Vendor); err != nil {
			break
		}
		again.Control.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "too many sessions") {
		t.Errorf("a system that opens sessions all the time: %v", err)
	}
}

// Connections that nobody claims, and dials that nobody answers, are dropped.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.ClaimSeconds = 1 }
	})
	s := p.Open(t)
	_, _, err := p.Connect(t.Context(), "array-7")
	wantCode(t, err, api.CodeNoAnswer)
	ticket := dial(t, s).Ticket
	_, err = s.Carry(t.Context(), ticket)
	wantCode(t, err, api.CodeTicket) // too late
	if n := len(events(t, p.Relay, "connect.")); n != 0 {
		t.Errorf("%d events about a connection that never was", n)
	}
	if s := system1(t, p).Session; s == nil || len(s.Engineers) != 0 {
		t.Errorf("the session: %+v", s)
	}
	// Somebody who goes away before he is served.
	ctx, cancel := context.WithCancel(t.Context())
	go func() { dial(t, s); cancel() }()
	p.Connect(ctx, "array-7")
	until.True(t, "its place is free again", func() bool { return metric(t, p.Relay, "latchstring_rss_connections") == "0" })
}

// metric reads one from the admin socket's text.
func metric(t *testing.T, r *relaytest.Relay, name string) string {
	t.Helper()
	body, err := relay.Local(r.Server).Stream(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// Systems that say what they should not on the control stream.
func TestHostileControl(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	key := p.Loaded.ReceiptKey.PublicKey()
	for name, lines := range map[string]string{
		"no hello":          `{"type":"ping","n":1}` + "\n",
		"not json":          "GET / HTTP/1.1\r\n\r\n",
		"endless line":      `{"type":"hello","v":1,"name":"` + strings.Repeat("a", 20<<10),
		"another version":   `{"type":"hello","v":2,"session":"ses-00000000","since":"2026-01-01T00:00:00Z"}` + "\n",
		"bad session":       `{"type":"hello","v":1,"session":"../../etc","since":"2026-01-01T00:00:00Z"}` + "\n",
		"expired":           `{"type":"hello","v":1,"session":"ses-00000000","since":"2020-01-01T00:00:00Z","expires":"2020-01-02T00:00:00Z"}` + "\n",
		"escapes in a name": `{"type":"hello","v":1,"session":"ses-00000000","since":"2026-01-01T00:00:00Z","name":"\u001b[31m"}` + "\n",
		"a relay's words":   `{"type":"hello","v":1,"session":"ses-00000000","since":"2026-01-01T00:00:00Z"}` + "\n" + `{"type":"dial","ticket":"aaaaaaaa","connection":"con-00000000"}` + "\n",
		"another session":   `{"type":"hello","v":1,"session":"ses-00000000","since":"2026-01-01T00:00:00Z"}` + "\n" + `{"type":"hello","v":1,"session":"ses-00000001","since":"2026-01-01T00:00:00Z"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := link.Dial(t.Context(), p.SystemClient, key, msg.PathLink, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, lines)
			ended(t, name, conn)
			until.True(t, "the session is not open", func() bool { return system1Session(t, p) == nil })
		})
	}
}

// Clients that hold an upgrade up, at each step, are dropped and cost no
// session; the others are served meanwhile.
func TestSlowUpgrade(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Patience = 500 * time.Millisecond }
	})
	dial := func() net.Conn {
		conn, err := tls.Dial("tcp", p.Address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	header := dial() // never ends its header
	io.WriteString(header, "GET /v1/link HTTP/1.1\r\nHost: x\r\n")
	silent := dial() // never asks
	upgraded, err := p.SystemClient.Upgrade(t.Context(), msg.PathLink, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer upgraded.Close()
	hello, err := link.Dial(t.Context(), p.SystemClient, p.Loaded.ReceiptKey.PublicKey(), msg.PathLink, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hello.Close()
	s := p.Open(t)
	go s.Serve(t.Context(), echo)
	conn, _, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 1000)
	conn.Close()
	for name, c := range map[string]net.Conn{"half a header": header, "no request": silent, "no greeting": upgraded, "no hello": hello} {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err := io.Copy(io.Discard, c)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: still open", name)
		}
	}
	s.Control.Close()
	until.True(t, "no session is left", func() bool { return system1Session(t, p) == nil })
}

// An address that opens too many connections, or asks too often, is told so
// and does not take the relay from others.
func TestFlood(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.PerSource = 20 }
	})
	var conns []net.Conn
	for range 60 {
		if conn, err := net.Dial("tcp", p.Address); err == nil {
			conns = append(conns, conn)
		}
	}
	until.True(t, "connections above the limit are shut", func() bool {
		return metric(t, p.Relay, `latchstring_rss_remote_refused_total{reason="source"}`) != ""
	})
	for _, c := range conns {
		c.Close()
	}
	until.OK(t, "he is served again", func() error {
		_, err := p.Engineer.Health(t.Context())
		return err
	})
	q := relaytest.New(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.SourceRate = 5 }
	})
	c := q.Engineer("ada", "access")
	var err error
	for range 100 {
		if _, err = c.Health(t.Context()); err != nil {
			break
		}
	}
	wantCode(t, err, api.CodeBusy)
	var e *api.Error
	if errors.As(err, &e) && e.Status != http.StatusTooManyRequests {
		t.Errorf("status %d", e.Status)
	}
}
