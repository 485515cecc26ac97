package relay_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// echo answers everything until the other side has ended.
func echo(conn net.Conn, _ *msg.Start) {
	io.Copy(conn, conn)
	if w, ok := conn.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
	}
	conn.Close()
}

// roundTrip sends what it expects back.
func roundTrip(t *testing.T, conn net.Conn, size int) {
	t.Helper()
	sent, got := make([]byte, size), make([]byte, size)
	rand.Read(sent)
	go conn.Write(sent)
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(sent, got) {
		t.Fatalf("%d of %d bytes came back, %v; equal %v", n, size, err, bytes.Equal(sent, got))
	}
}

func system1(t *testing.T, p *relaytest.Pair) api.System {
	t.Helper()
	var list api.SystemList
	if err := p.Engineer.JSON(t.Context(), "GET", api.PathSystems, map[string][]string{"q": {"ARRAY-7"}}, true, nil, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Systems) != 1 {
		t.Fatalf("%d systems", len(list.Systems))
	}
	return list.Systems[0]
}

// events returns the relay's events whose type begins so, one a line.
func events(t *testing.T, r *relaytest.Relay, prefix string) []string {
	t.Helper()
	body, err := relay.Local(r.Server).Stream(t.Context(), "/admin/audit")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, `"type":"`+prefix) {
			out = append(out, line)
		}
	}
	return out
}

// The whole way: a session, an engineer, bytes both ways, the end of one
// direction, what is listed and what is recorded.
func TestConnect(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct {
		name   string
		framed bool
	}{{"raw", false}, {"framed", true}} {
		t.Run(mode.name, func(t *testing.T) {
			p := relaytest.NewPair(t, func(r *relaytest.Relay) {
				r.Change = func(o *relay.Options) { o.AlwaysFramed = mode.framed }
			})
			if s := system1(t, p); s.Session != nil {
				t.Errorf("open before it was opened: %+v", s.Session)
			}
			_, _, err := p.Connect(t.Context(), "array-7")
			wantCode(t, err, api.CodeNotOpen)

			s := p.Open(t, func(_ *link.Dialer, h *msg.Hello) { h.Case = "00123456" })
			go s.Serve(t.Context(), echo)
			got := system1(t, p).Session
			if got == nil || got.ID != s.Hello.Session || got.Case != "00123456" || !got.Expires.Equal(s.Hello.Expires) {
				t.Fatalf("the listing says %+v", got)
			}
			for _, name := range []string{"array-7", p.System.ID()} {
				conn, start, err := p.Connect(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if start.System != p.System.ID() || start.Session != s.Hello.Session || !api.ValidConnectionID(start.Connection) {
					t.Errorf("start %+v", start)
				}
				roundTrip(t, conn, 1)
				roundTrip(t, conn, 1<<20)
				if e := system1(t, p).Session.Engineers; len(e) != 1 || e[0].Engineer != "ada" || e[0].Connection != start.Connection {
					t.Errorf("connected: %+v", e)
				}
				if w, ok := conn.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
					conn.Close()
				} else if n, err := io.Copy(io.Discard, conn); n != 0 || err != nil {
					t.Errorf("the end: %d bytes, %v", n, err)
				}
				conn.Close()
			}
			until.True(t, "the connections are gone", func() bool { return len(system1(t, p).Session.Engineers) == 0 })
			until.True(t, "their ends are recorded", func() bool { return len(events(t, p.Relay, "connect.closed")) == 2 })
			ev := events(t, p.Relay, "connect.closed")[0]
			if !strings.Contains(ev, `"from_engineer":"1048577"`) || !strings.Contains(ev, `"from_system":"1048577"`) || !strings.Contains(ev, `"engineer:ada"`) {
				t.Errorf("event %s", ev)
			}
			if err := s.Tell(&msg.Bye{Reason: "remote-support off"}); err != nil {
				t.Fatal(err)
			}
			until.True(t, "the session is closed", func() bool { return system1(t, p).Session == nil })
			until.True(t, "its end is recorded", func() bool { return len(events(t, p.Relay, "session.ended")) == 1 })
			if n := len(events(t, p.Relay, "session.announced")); n != 1 {
				t.Errorf("%d announcements", n)
			}
		})
	}
}
