package relay

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/latchstring/latchstring/core/tunnel/cork"
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

// enter counts a connection in.
func (g *gate) enter(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.source[a] >= 2*g.perSource {
		return false
	}
	g.source[a]++
	return true
}

// leave counts one out.
func (g *gate) leave(a netip.Addr) {
	<-g.slots
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.source[a]--; g.source[a] == 0 {
		delete(g.source, a)
	}
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
		source := sourceOf(c.RemoteAddr().String())
		if !l.gate.enter(source) {
			c.Close()
			<-l.gate.slots
			l.gate.shut()
			continue
		}
		return &gatedConn{Conn: c, gate: l.gate, source: source}, nil
	}
}

func (l *gated) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// gatedConn is a connection below TLS that was let in. Streams of bytes go
// through it in pieces that are larger than the records of TLS.
type gatedConn struct {
	net.Conn
	gate   *gate
	source netip.Addr
	closed atomic.Bool

	// Reading; one goroutine at a time.
	ahead *[aheadSize]byte // nil while nothing streams
	at, n int
	only  atomic.Bool // read what is ahead and no more

	bounds *cork.Bounds // unless nil, reads keep within a record
	rest   []byte       // that was behind it

	// Writing.
	mu     sync.Mutex
	corked *[]byte
}

const aheadSize = 128 << 10

var (
	aheads = sync.Pool{New: func() any { return new([aheadSize]byte) }}
	corks  = sync.Pool{New: func() any { b := make([]byte, 0, 144<<10); return &b }}
)

// readAhead makes reads take as much as there is.
func (c *gatedConn) readAhead() {
	if c.ahead == nil {
		c.ahead = aheads.Get().(*[aheadSize]byte)
	}
}

// drop gives the memory back; what is in it is lost only where TLS has failed.
func (c *gatedConn) drop() {
	if c.ahead != nil && c.at == c.n {
		aheads.Put(c.ahead)
		c.ahead, c.at, c.n = nil, 0, 0
	}
}

// Bound makes reads stop at the ends of records; see [cork.Leavable].
func (c *gatedConn) Bound() { c.bounds = new(cork.Bounds) }

// Below is the connection that records go over.
func (c *gatedConn) Below() net.Conn { return c.Conn }

// Rest is what was read of it behind the last record.
func (c *gatedConn) Rest() []byte {
	rest := c.rest
	if c.ahead != nil {
		rest = append(rest, c.ahead[c.at:c.n]...)
		c.at = c.n
		c.drop()
	}
	c.rest = nil
	return rest
}

func (c *gatedConn) Read(p []byte) (n int, err error) {
	switch {
	case c.bounds == nil:
		return c.read(p)
	case len(c.rest) > 0:
		n = c.bounds.Within(p[:copy(p, c.rest)])
		c.rest = c.rest[n:]
		return n, nil
	}
	n, err = c.read(p)
	m := c.bounds.Within(p[:n])
	if m < n {
		c.rest = append([]byte(nil), p[m:n]...)
	}
	return m, err
}

func (c *gatedConn) read(p []byte) (int, error) {
	if c.ahead == nil {
		return c.Conn.Read(p)
	}
	if c.at == c.n {
		if c.only.Load() {
			return 0, os.ErrDeadlineExceeded
		}
		n, err := c.Conn.Read(c.ahead[:])
		c.at, c.n = 0, n
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, c.ahead[c.at:c.n])
	c.at += n
	return n, nil
}

// cork holds writes back until uncork.
func (c *gatedConn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.corked == nil {
		c.corked = corks.Get().(*[]byte)
	}
}

func (c *gatedConn) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.corked == nil {
		return nil
	}
	b := c.corked
	c.corked = nil
	_, err := c.Conn.Write(*b)
	*b = (*b)[:0]
	corks.Put(b)
	return err
}

func (c *gatedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.corked != nil {
		*c.corked = append(*c.corked, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *gatedConn) Close() error {
	if !c.closed.Swap(true) {
		c.gate.leave(c.source)
	}
	return c.Conn.Close()
}
