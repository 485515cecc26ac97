package relay_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// startNATS is a NATS server of its own, as an operator would run it.
func startNATS(t *testing.T) (url string) {
	t.Helper()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	return ns.ClientURL()
}

// onNATS makes a relay a node that shares its store.
func onNATS(t *testing.T, url string, change ...func(*relay.Options)) func(*relaytest.Relay) {
	return func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) {
			e, err := natsstore.Connect(url, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.Close() })
			o.Engine, o.NodeBeat = e, 100*time.Millisecond
			for _, f := range change {
				f(o)
			}
		}
	}
}

// Two nodes on one store: each sees what is open at the other, and what one
// revokes the other cuts within a second.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	node := onNATS(t, startNATS(t))
	one := relaytest.NewPair(t, node)
	other := relay.Local(relaytest.New(t, node, relaytest.Beside(one.Relay)).Server)
	s := one.Open(t)
	go s.Serve(t.Context(), echo)
	conn, _, err := one.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 1000)
	until.True(t, "the other node sees it", func() bool {
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

// at is a client of the system of p that comes to another node.
func at(t *testing.T, p *relaytest.Pair, address string) (*client.Client, identity.Vendor) {
	t.Helper()
	v := p.Vendor
	v.RSS = address
	return p.ClientOf(p.System, v), v
}

// open opens the session of p at another node.
func open(t *testing.T, p *relaytest.Pair, address string, change ...func(*link.Dialer, *msg.Hello)) *relaytest.Session {
	t.Helper()
	c, v := at(t, p, address)
	s, err := relaytest.Announce(t.Context(), c, v, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Control.Close() })
	return s
}

// A system hangs on one node and an engineer comes to another. The node is
// killed; the engineer is told to come again, and finds the system where it came
// back.
func TestAcrossNodes(t *testing.T) {
	t.Parallel()
	url := startNATS(t)
	p := relaytest.NewPair(t, onNATS(t, url))
	far := relaytest.New(t, onNATS(t, url), relaytest.Beside(p.Relay))
	far.Stop()
	killed := startChild(t, far.Root, envNATS+"="+url) // a process of its own, on the port of far

	s := open(t, p, far.Address)
	go s.Serve(t.Context(), echo)
	conn, start, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 3<<20)
	if start.Session != s.Hello.Session || !api.ValidConnectionID(start.Connection) {
		t.Errorf("start %+v", start)
	}
	until.True(t, "the list says who is connected and where", func() bool {
		open := system1Session(t, p)
		return open != nil && open.Node == start.Node && len(open.Engineers) == 1 && open.Engineers[0].Connection == start.Connection && open.Engineers[0].From == "127.0.0.1"
	})
	var nodes relay.NodeList
	until.True(t, "each node knows of the other", func() bool {
		err := relay.Local(p.Server).Call(t.Context(), "GET", "/admin/nodes", nil, &nodes)
		return err == nil && len(nodes.Nodes) == 2
	})
	if nodes.Self == start.Node {
		t.Errorf("nodes %+v", nodes)
	}
	spliced := events(t, p.Relay, "connect.spliced")
	if len(spliced) != 1 || !strings.Contains(spliced[0], `"via":"`+nodes.Self) || !strings.Contains(spliced[0], `"node":"`+start.Node) {
		t.Errorf("the log says %v", spliced)
	}

	// Segments that come to both at the same time are all counted, and whose
	// connection it was is known at each.
	farClient, _ := at(t, p, far.Address)
	var wg sync.WaitGroup
	for n := range 8 {
		to := []*client.Client{p.SystemClient, farClient}[n%2]
		wg.Go(func() {
			if _, err := post(t, to, start.Connection, n, sealedSegment(start.Connection, n, "x")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var recs api.RecordingList
	if err := p.Engineer.JSON(t.Context(), "GET", api.PathRecordings, nil, true, nil, &recs); err != nil {
		t.Fatal(err)
	}
	if len(recs.Recordings) != 1 || recs.Recordings[0].Segments != 8 || recs.Recordings[0].Engineer != "ada" {
		t.Errorf("recordings %+v", recs.Recordings)
	}

	// What one node revokes is cut on both, where the two are connected.
	bob, _ := p.EngineerIn("bob", nil, "access")
	bobs, _, err := relaytest.Connect(t.Context(), bob, p.Loaded.ReceiptKey.PublicKey(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	if err := relay.Local(p.Server).Call(t.Context(), "POST", "/admin/engineers/bob/revoke", nil, nil); err != nil {
		t.Fatal(err)
	}
	ended(t, "the connection of an engineer who was removed", bobs)
	roundTrip(t, conn, 1000)

	killed.kill()
	ended(t, "the connection by a node that was killed", conn)
	_, _, err = p.Connect(t.Context(), "array-7")
	wantCode(t, err, api.CodeUnavailable)
	back := p.Open(t, func(_ *link.Dialer, h *msg.Hello) { h.Session = s.Hello.Session })
	go back.Serve(t.Context(), echo)
	again, start2, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, again, 100_000)
	if start2.Node != nodes.Self || start2.Session != s.Hello.Session {
		t.Errorf("start %+v; want it by %s", start2, nodes.Self)
	}
}

// A system that comes back at another node leaves the first; a node whose word
// has expired is down; limits count across nodes; a node that stops lets
// connections end.
func TestNodesAgree(t *testing.T) {
	t.Parallel()
	url := startNATS(t)
	few := func(r *relaytest.Relay) { r.Configure = func(c *setup.Config) { c.Remote.PerEngineer = 2 } }
	p := relaytest.NewPair(t, onNATS(t, url), few)
	far := relaytest.New(t, onNATS(t, url, func(o *relay.Options) { o.Drain = 10 * time.Second }), few, relaytest.Beside(p.Relay))

	old := p.Open(t)
	s := open(t, p, far.Address)
	m, err := old.In.Next()
	if _, ok := m.(*msg.Replaced); !ok {
		t.Errorf("the first node says %T, %v", m, err)
	}
	old.Control.Close()
	go s.Serve(t.Context(), echo)

	// Two connections elsewhere are all that ada may have here.
	sys8, v8 := p.Enroll("array-8")
	s8, err := relaytest.Announce(t.Context(), p.ClientOf(sys8, v8), v8)
	if err != nil {
		t.Fatal(err)
	}
	defer s8.Control.Close()
	go s8.Serve(t.Context(), echo)
	var conns []net.Conn
	until.True(t, "two connections go across", func() bool {
		conn, _, err := p.Connect(t.Context(), "array-7")
		if err == nil {
			conns = append(conns, conn)
		}
		return len(conns) == 2
	})
	until.True(t, "a third is refused", func() bool {
		conn, _, err := p.Connect(t.Context(), "array-8")
		if err == nil {
			conn.Close()
			return false
		}
		wantCode(t, err, api.CodeBusy)
		return true
	})
	_, _, err = p.Connect(t.Context(), "array-7") // and the other node says no itself
	wantCode(t, err, api.CodeBusy)

	stopped := make(chan struct{})
	go func() { far.Stop(); close(stopped) }()
	until.True(t, "the other node drains", func() bool {
		_, _, err := p.Connect(t.Context(), "array-7")
		return err != nil && strings.Contains(err.Error(), "stopping") || strings.Contains(fmt.Sprint(err), "no open session")
	})
	for _, conn := range conns {
		roundTrip(t, conn, 100_000)
		conn.Close()
	}
	select {
	case <-stopped:
	case <-time.After(8 * time.Second):
		t.Error("the other node does not stop although its connections have ended")
	}
	if open := system1Session(t, p); open != nil {
		t.Errorf("open at a node that has stopped: %+v", open)
	}
}

// The word of a node that is not repeated expires, and what hung on it is not
// open any more.
func TestNodeIsDown(t *testing.T) {
	t.Parallel()
	url := startNATS(t)
	p := relaytest.NewPair(t, onNATS(t, url))
	e, err := natsstore.Connect(url, "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	reg, err := store.NewRegistry(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	gone := store.Node{Name: "rss-aaaaaaaa", Address: "127.0.0.1:1", Key: "ab"}
	word := store.Present{Node: gone.Name, Sessions: map[string]api.Session{p.System.ID(): {ID: "ses-00000000", Node: gone.Name, Connected: time.Now()}}}
	if err := errors.Join(reg.PutNode(t.Context(), gone), reg.PutPresent(t.Context(), 0, word)); err != nil {
		t.Fatal(err)
	}
	until.True(t, "its session is seen", func() bool { return system1Session(t, p) != nil })
	_, _, err = p.Connect(t.Context(), "array-7")
	wantCode(t, err, api.CodeUnavailable)
	if err := reg.ForgetNode(t.Context(), gone.Name); err != nil { // as its time to live does
		t.Fatal(err)
	}
	until.True(t, "it is down", func() bool { return system1Session(t, p) == nil })

	// A state directory that was copied with the node's name in it.
	twin := store.Node{Name: nodeOf(t, p.Relay), Address: "192.0.2.7:443", Key: "cd"}
	p.Stop()
	if err := reg.PutNode(t.Context(), twin); err != nil {
		t.Fatal(err)
	}
	engine, err := natsstore.Connect(url, "")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	srv, err := relay.New(t.Context(), relay.Options{Relay: p.Loaded, Engine: engine, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(t.Context(), ln); err == nil || !strings.Contains(err.Error(), "needs a name of its own") {
		t.Errorf("a second node of the same name: %v", err)
	}
}

func nodeOf(t *testing.T, r *relaytest.Relay) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Loaded.Places.State, "node"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// Only nodes get a word in among nodes.
func TestHostileNode(t *testing.T) {
	t.Parallel()
	url := startNATS(t)
	p := relaytest.NewPair(t, onNATS(t, url))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: nodeOf(t, p.Relay)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := p.Loaded.Certs.Get(nil) // of the relay's authority, and known to everybody but for its key
	if err != nil {
		t.Fatal(err)
	}
	for name, certs := range map[string][]tls.Certificate{
		"no certificate": nil, "a stranger's": {{Certificate: [][]byte{der}, PrivateKey: key}}, "one of the relay's authority": {*own},
	} {
		conn, err := tls.Dial("tcp", p.Address, &tls.Config{InsecureSkipVerify: true, Certificates: certs, NextProtos: []string{"latchstring-node/1"}})
		if err == nil { // TLS 1.3: the client learns it with its first read
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(conn, `{"v":1,"system":"`+p.System.ID()+`","engineer":"ada"}`+"\n")
			var b []byte
			b, err = io.ReadAll(conn)
			conn.Close()
			if len(b) > 0 {
				t.Errorf("%s: it answers %q", name, b)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v; want a refusal of the certificate", name, err)
		}
	}
	// A relay that is alone has no such door.
	alone := relaytest.New(t)
	conn, err := tls.Dial("tcp", alone.Address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"latchstring-node/1"}})
	if err == nil {
		conn.Close()
		t.Error("a relay that is alone speaks to nodes")
	}
}
