package e2e

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/testdata/peers"
)

// network is a way to the relay on which things go wrong.
type network struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

func newNetwork(t testing.TB, upstream string) *network {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{t: t, proxy: toxiproxy.NewProxy(server, "network", peers.FreeAddr(t), upstream)}
	if err := n.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.proxy.Stop)
	return n
}

func (n *network) address() string { return n.proxy.Listen }

// toxic makes something go wrong in both directions until the returned function
// is called.
func (n *network) toxic(kind, attributes string) (undo func()) {
	n.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		_, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes)))
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return func() {
		for _, stream := range []string{"upstream", "downstream"} {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := n.proxy.Toxics.RemoveToxic(ctx, kind+"_"+stream); err != nil {
				n.t.Error(err)
			}
		}
	}
}

// echo is a program of the system's that says what it is told.
type echo struct {
	t     testing.TB
	in    interface{ Write([]byte) (int, error) }
	lines chan string
	told  int
}

func startEcho(t testing.TB, c *ssh.Client) *echo {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("exec cat"); err != nil {
		t.Fatal(err)
	}
	e := &echo{t: t, in: in, lines: make(chan string, 10_000)}
	go func() {
		defer close(e.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			e.lines <- sc.Text()
		}
	}()
	return e
}

func (e *echo) tell(lines int) {
	e.t.Helper()
	for range lines {
		if _, err := fmt.Fprintf(e.in, "line %d %s\n", e.told, strings.Repeat("x", 200)); err != nil {
			e.t.Fatal(err)
		}
		e.told++
	}
}

// said expects lines from..told, all and in order.
func (e *echo) said(from int) {
	e.t.Helper()
	late := time.After(45 * time.Second)
	for n := from; n < e.told; n++ {
		select {
		case line, ok := <-e.lines:
			if want := fmt.Sprintf("line %d ", n); !ok || !strings.HasPrefix(line, want) || len(line) != len(want)+200 {
				e.t.Fatalf("line %d came back as %q (more: %v)", n, line, ok)
			}
		case <-late:
			e.t.Fatalf("line %d of %d does not come", n, e.told)
		}
	}
}

func (w *world) hear(kind connect.EventKind) {
	w.t.Helper()
	late := time.After(45 * time.Second)
	for {
		select {
		case e := <-w.heard:
			if e.Kind == kind {
				return
			}
		case <-late:
			w.t.Fatalf("the engineer does not hear that the connection is %s", kind)
		}
	}
}

// What an engineer runs goes on where it was, whatever happens on the way.
// REQ A12
func TestNetworkSession(t *testing.T) {
	w := newWorld(t)
	n := newNetwork(t, w.Address)
	n.toxic("latency", `{"latency":20,"jitter":10}`)
	n.toxic("slicer", `{"average_size":700,"size_variation":300}`)
	w.stream.Ping, w.stream.Answer = 2*time.Second, 2*time.Second
	o, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{For: "1h", RSS: n.address()})
	if err != nil {
		t.Fatal(err)
	}
	e := startEcho(t, w.enter(o.Secret))
	e.tell(20)
	e.said(0)
	faults := []struct {
		name string
		make func() (undo func())
	}{
		{"reset", func() func() { return n.toxic("reset_peer", `{"timeout":0}`) }},
		{"cut in the middle", func() func() { return n.toxic("limit_data", `{"bytes":3000}`) }},
		{"gone", func() func() {
			n.proxy.Stop()
			return func() {
				if err := n.proxy.Start(); err != nil {
					t.Error(err)
				}
			}
		}},
		{"drops everything", func() func() { return n.toxic("timeout", `{"timeout":0}`) }},
	}
	for _, f := range faults {
		from := e.told
		undo := f.make()
		e.tell(50)
		w.hear(connect.Lost)
		undo()
		e.tell(50)
		e.said(from)
		t.Logf("%s: %d lines, none lost", f.name, e.told-from)
	}
}

// A bundle goes on where it was.
// REQ H9
func TestNetworkBundle(t *testing.T) {
	w := newWorld(t)
	n := newNetwork(t, w.Address)
	n.toxic("latency", `{"latency":5,"jitter":5}`)
	faults := 0
	kinds := []func() func(){
		func() func() { return n.toxic("reset_peer", `{"timeout":0}`) },
		func() func() { return n.toxic("limit_data", `{"bytes":100000}`) },
		func() func() { return n.toxic("timeout", `{"timeout":300}`) },
	}
	last := int64(0)
	w.bundle(bundler.Delivery{RSS: n.address(), Rate: 8 << 20, Progress: func(sent, total int64) {
		if faults < len(kinds) && sent > last+total/8 && sent < total {
			undo := kinds[faults]()
			faults, last = faults+1, sent
			time.AfterFunc(700*time.Millisecond, undo)
		}
	}}, 24<<20)
	if faults != len(kinds) {
		t.Errorf("%d of %d faults happened: nothing was proven", faults, len(kinds))
	}
}
