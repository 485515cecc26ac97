package tunnel_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/tunnel"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// session is a Run against a real relay; engineers' connections are echoed.
type session struct {
	states chan tunnel.State
	starts chan tunnel.Start
	done   chan error
	stop   context.CancelFunc
}

// open runs a session of the pair's system over connections of dial.
func open(t *testing.T, p *relaytest.Pair, c *client.Client, change ...func(*tunnel.Options)) *session {
	t.Helper()
	key, err := p.Vendor.ReceiptPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{states: make(chan tunnel.State, 1000), starts: make(chan tunnel.Start, 1000), done: make(chan error, 1), stop: cancel}
	o := tunnel.Options{Relay: c, RelayKey: key, State: func(x tunnel.State) { s.states <- x },
		Session: msg.Hello{V: msg.Version, Session: api.NewSessionID(), Since: time.Now().UTC(), Expires: time.Now().Add(time.Hour).UTC()},
		Serve: func(ctx context.Context, conn net.Conn, x tunnel.Start) {
			s.starts <- x
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			io.Copy(conn, conn)
		}}
	for _, f := range change {
		f(&o)
	}
	go func() { s.done <- tunnel.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-s.done:
		case <-time.After(20 * time.Second):
			t.Error("Run does not end")
		}
	})
	return s
}

// want waits for a state of that kind.
func (s *session) want(t *testing.T, k tunnel.Kind) tunnel.State {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case x := <-s.states:
			if x.Kind == k {
				return x
			}
			t.Logf("state %+v", x)
		case <-deadline:
			t.Fatalf("no state %s", k)
		}
	}
}

// echo connects as the engineer and sends some bytes there and back.
func echo(t *testing.T, p *relaytest.Pair) *msg.Start {
	t.Helper()
	conn, start, err := p.Connect(t.Context(), p.System.ID())
	if err != nil {
		t.Error(err)
		return nil
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	sent := make([]byte, 300_000)
	rand.Read(sent)
	go conn.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the echo differs: %v", err)
	}
	return start
}

// The whole way, several engineers at once, and again after the relay was gone.
func TestThroughTheRelay(t *testing.T) { // REQ B13
	p := relaytest.NewPair(t)
	s := open(t, p, p.SystemClient)
	if up := s.want(t, tunnel.Up); up.Framed || up.Muxed || up.InspectedBy != "" {
		t.Errorf("state %+v", up)
	}
	for range 3 {
		start := echo(t, p)
		if got := <-s.starts; start == nil || got.Connection != start.Connection || got.Engineer != "ada" || got.From != "127.0.0.1" {
			t.Errorf("the system is told %+v, the engineer %+v", got, start)
		}
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { echo(t, p) })
	}
	all.Wait()
	p.Stop()
	s.want(t, tunnel.Down)
	p.Start()
	s.want(t, tunnel.Up)
	echo(t, p)
}

// Another process with the same key takes over; the first one does not fight.
func TestReplacedByAnother(t *testing.T) {
	p := relaytest.NewPair(t)
	first := open(t, p, p.SystemClient)
	first.want(t, tunnel.Up)
	second := open(t, p, p.ClientOf(p.System, p.Vendor))
	second.want(t, tunnel.Up)
	if err := <-first.done; !errors.Is(err, tunnel.ErrReplaced) {
		t.Errorf("Run = %v", err)
	}
	first.done <- nil // for the clean-up
	echo(t, p)
}

// A box that inspects TLS: all works, in frames, and the customer is told.
func TestThroughInspection(t *testing.T) {
	p := relaytest.NewPair(t)
	address, pool := inspect(t, p.Address)
	c, err := client.ForSystem(p.System, p.Vendor, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.TrustToo(pool); err != nil {
		t.Fatal(err)
	}
	s := open(t, p, c)
	x := s.want(t, tunnel.Inspected)
	if !x.Framed || !strings.Contains(x.InspectedBy, "Corporate Inspection CA") {
		t.Errorf("state %+v", x)
	}
	for range 3 {
		echo(t, p)
	}
}

// inspect ends TLS with its own certificate and passes on what is inside.
func inspect(t *testing.T, relay string) (address string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Corporate Inspection CA"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := tls.Dial("tcp", relay, &tls.Config{InsecureSkipVerify: true})
				if err != nil {
					return
				}
				defer out.Close()
				go func() { io.Copy(out, in); out.Close() }()
				io.Copy(in, out)
			}()
		}
	}()
	return ln.Addr().String(), pool
}

// counted is a connection that counts round trips and says when it is closed.
type counted struct {
	net.Conn
	wrote  atomic.Bool
	trips  *atomic.Int64
	closed func()
}

func (c *counted) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(p)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.wrote.Swap(false) {
		c.trips.Add(1)
	}
	return n, err
}

func (c *counted) Close() error { c.closed(); return c.Conn.Close() }

// A proxy that allows one connection at a time, logins included.
func TestThroughOneConnection(t *testing.T) {
	for _, together := range []bool{false, true} {
		throughOneConnection(t, together)
	}
}

func throughOneConnection(t *testing.T, together bool) {
	p := relaytest.NewPair(t)
	var trips, used atomic.Int64
	c, err := client.ForSystem(p.System, p.Vendor, func(ctx context.Context, network, addr string) (net.Conn, error) {
		if used.Add(1) > 1 {
			used.Add(-1)
			return nil, errors.New("the proxy allows one connection")
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			used.Add(-1)
			return nil, err
		}
		return &counted{Conn: conn, trips: &trips, closed: sync.OnceFunc(func() { used.Add(-1) })}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, p, c, func(o *tunnel.Options) { o.Together = together })
	s.want(t, tunnel.Muxed)
	if up := s.want(t, tunnel.Up); !up.Muxed {
		t.Errorf("state %+v", up)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { echo(t, p) })
	}
	all.Wait()
	echo(t, p)
}

// From on to usable: how many round trips it takes, TCP's own not counted.
func TestRoundTrips(t *testing.T) {
	p := relaytest.NewPair(t)
	var trips atomic.Int64
	c, err := client.ForSystem(p.System, p.Vendor, func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &counted{Conn: conn, trips: &trips, closed: func() {}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() int64 {
		trips.Store(0)
		key, err := p.Vendor.ReceiptPublicKey()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var n int64
		if err := tunnel.Run(ctx, tunnel.Options{Relay: c, RelayKey: key, Spare: -1, Session: msg.Hello{V: 1, Session: api.NewSessionID(), Since: time.Now()},
			Serve: func(context.Context, net.Conn, tunnel.Start) {},
			State: func(s tunnel.State) {
				if n == 0 {
					n = trips.Load()
				}
				cancel()
			}}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// TLS, and the upgrade together with comparison, hello and welcome.
	if n := count(); n > 2 {
		t.Errorf("%d round trips", n)
	}
}
