package relay_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// Two nodes on one store: each sees what is open at the other, and what one
// revokes the other cuts within a second.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	node := func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) {
			e, err := natsstore.Connect(ns.ClientURL(), "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
			o.Engine = e
		}
	}
	one := relaytest.NewPair(t, node)
	other := relay.Local(relaytest.New(t, node).Server)
	s := one.Open(t)
	go s.Serve(t.Context(), echo)
	conn, _, err := one.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 1000)
	until(t, "the other node sees it", func() bool {
		var list struct {
			Systems []struct {
				Session *struct {
					ID        string
					Engineers []struct{ Engineer string }
				}
			}
		}
		if err := other.Call(t.Context(), "GET", "/admin/systems", nil, &list); err != nil {
			t.Fatal(err)
		}
		open := list.Systems[0].Session
		return open != nil && open.ID == s.Hello.Session && len(open.Engineers) == 1
	})
	if err := other.Call(t.Context(), "POST", "/admin/engineers/ada/revoke", nil, nil); err != nil {
		t.Fatal(err)
	}
	ended(t, "the engineer's connection", conn)
	if err := other.Call(t.Context(), "POST", "/admin/systems/array-7/retire", nil, nil); err != nil {
		t.Fatal(err)
	}
	ended(t, "the control stream", s.Control)
}
