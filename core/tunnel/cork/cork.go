package cork

import (
	"crypto/tls"
	"net"
	"sync"
)

const (
	record = 16 << 10  // of TLS, at most
	most   = 128 << 10 // of a write that is held back at a time
	ahead  = 64 << 10
)

// Below is the connection below TLS.
type Below struct {
	net.Conn

	// Reading; TLS has one reader at a time.
	buf   []byte // nil until much came at once
	rest  []byte // of buf, read and not taken
	large bool
	// bounds, unless nil, keeps reads within a record.
	bounds *Bounds

	mu   sync.Mutex
	held *[]byte // what waits to be written; nil while nothing is held back
	err  error   // of a write that was held back: records are missing after it
}

var spaces = sync.Pool{New: func() any { b := make([]byte, 0, most+most/8); return &b }}

// New wraps a connection on which there is no TLS yet. Where TLS may be left
// later, Bound comes before it begins.
func New(c net.Conn) *Below { return &Below{Conn: c} }

// Bound makes reads stop at the ends of records; see [Leavable].
func (b *Below) Bound() { b.bounds = new(Bounds) }

// Unbound takes that back: TLS stays.
func (b *Below) Unbound() { b.bounds = nil }

// Below is the connection that records go over.
func (b *Below) Below() net.Conn { return b.Conn }

// Rest is what was read of it behind the last record; see [Leavable].
func (b *Below) Rest() []byte {
	rest := b.rest
	b.rest, b.buf = nil, nil
	return rest
}

// Read reads for TLS.
func (b *Below) Read(p []byte) (int, error) {
	if b.bounds != nil {
		return b.readRecord(p)
	}
	if len(b.rest) > 0 {
		n := copy(p, b.rest)
		b.rest = b.rest[n:]
		return n, nil
	}
	if !b.large {
		n, err := b.Conn.Read(p)
		b.large = n == len(p) && n >= record/2 // there was more
		return n, err
	}
	if b.buf == nil {
		b.buf = make([]byte, ahead)
	}
	n, err := b.Conn.Read(b.buf)
	m := copy(p, b.buf[:n])
	b.rest = b.buf[m:n]
	return m, err
}

// readRecord reads no further than to the end of a record. What came with it is
// kept.
func (b *Below) readRecord(p []byte) (int, error) {
	if len(b.rest) > 0 {
		n := copy(p, b.rest)
		n = b.bounds.Within(p[:n])
		b.rest = b.rest[n:]
		return n, nil
	}
	n, err := b.Conn.Read(p)
	m := b.bounds.Within(p[:n])
	if m < n {
		b.rest = append([]byte(nil), p[m:n]...)
	}
	return m, err
}

// Write writes a record, or keeps it until release.
func (b *Below) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if b.held == nil {
		return b.Conn.Write(p)
	}
	*b.held = append(*b.held, p...)
	return len(p), nil
}

// hold keeps back what is written from now on.
func (b *Below) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		b.held = spaces.Get().(*[]byte)
	}
}

// release writes it.
func (b *Below) release() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		return nil
	}
	held := b.held
	b.held = nil
	if b.err == nil {
		_, b.err = b.Conn.Write(*held)
	}
	*held = (*held)[:0]
	spaces.Put(held)
	return b.err
}

// Conn is the connection above TLS.
type Conn struct {
	*tls.Conn
	below *Below

	mu sync.Mutex // one large write at a time
}

// Over is t, which must be over below, with large writes in one piece.
func Over(t *tls.Conn, below *Below) *Conn { return &Conn{Conn: t, below: below} }

// Write writes p. After an error nothing more can be written, as with TLS.
func (c *Conn) Write(p []byte) (n int, err error) {
	if len(p) <= record {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(p) && err == nil {
		part := p[n:min(len(p), n+most)]
		if err = c.gather([][]byte{part}); err == nil {
			n += len(part)
		}
	}
	return n, err
}

// WritePieces writes several pieces as if they were one.
func (c *Conn) WritePieces(pieces [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for from := 0; from < len(pieces); {
		to, size := from+1, len(pieces[from])
		for to < len(pieces) && size+len(pieces[to]) <= most {
			size += len(pieces[to])
			to++
		}
		if err := c.gather(pieces[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// gather hands the records of the pieces to the kernel together.
func (c *Conn) gather(pieces [][]byte) (err error) {
	c.below.hold()
	for _, p := range pieces {
		if _, err = c.Conn.Write(p); err != nil {
			break
		}
	}
	if e := c.below.release(); err == nil {
		err = e
	}
	return err
}

// Close closes the connection, also under a write that is stuck; then, as with
// TLS, without a goodbye.
func (c *Conn) Close() error {
	if !c.mu.TryLock() {
		return c.below.Conn.Close()
	}
	defer c.mu.Unlock()
	return c.Conn.Close()
}
