package relay

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// gate bounds the open connections, in total and from one address. Above the
// total more wait in the kernel's queue; an address that has too many gets an
// answer that says so, and at twice as many none.
type gate struct {
	slots     chan struct{}
	perSource int

	mu     sync.Mutex
	source map[netip.Addr]int
	shut   func() // counts a connection that was not let in
}

func newGate(total, perSource int, shut func()) *gate {
	return &gate{slots: make(chan struct{}, total), perSource: perSource, source: map[netip.Addr]int{}, shut: shut}
}

// enter counts a connection in, and returns what counts it out.
func (g *gate) enter(a netip.Addr) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.source[a] >= 2*g.perSource {
		return nil, false
	}
	g.source[a]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.source[a]--; g.source[a] == 0 {
			delete(g.source, a)
		}
	}, true
}

// full reports whether the address of a request has more than it should.
func (g *gate) full(r *http.Request) bool {
	a := sourceOf(r.RemoteAddr)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.source[a] > g.perSource
}

func (g *gate) open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, k := range g.source {
		n += k
	}
	return n
}

// sourceOf is the address that limits count: of IPv6 the network of a host,
// because a host has all of its addresses.
func sourceOf(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// listen lets connections through the gate.
func (g *gate) listen(ln net.Listener) net.Listener {
	return &gated{Listener: ln, gate: g, done: make(chan struct{})}
}

type gated struct {
	net.Listener
	gate *gate
	done chan struct{}
	once sync.Once
}

func (l *gated) Accept() (net.Conn, error) {
	for {
		select {
		case l.gate.slots <- struct{}{}:
		case <-l.done:
			return nil, net.ErrClosed
		}
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.gate.slots
			return nil, err
		}
		leave, ok := l.gate.enter(sourceOf(c.RemoteAddr().String()))
		if !ok {
			c.Close()
			<-l.gate.slots
			l.gate.shut()
			continue
		}
		return &gatedConn{Conn: c, gate: l.gate, leave: leave}, nil
	}
}

func (l *gated) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type gatedConn struct {
	net.Conn
	gate  *gate
	mu    sync.Mutex
	leave func()
}

func (c *gatedConn) Close() error {
	c.mu.Lock()
	leave := c.leave
	c.leave = nil
	c.mu.Unlock()
	if leave != nil {
		leave()
		<-c.gate.slots
	}
	return c.Conn.Close()
}
