package through

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/nowait"
)

const (
	headSize = 5
	overhead = 16
	most     = 16 << 10                   // of the stream in a record
	whole    = headSize + most + overhead // a record, at most
	batch    = 16                         // records that go to the kernel together
	much     = 3 * whole                  // bytes read at once that take their time
)

// ErrRecord is a record that the other end did not make, or not in this place.
var ErrRecord = errors.New("a sealed record was changed, left out, doubled or moved")

// Carrier is a connection through a relay whose TLS can be left.
type Carrier interface {
	net.Conn
	// Passes reports whether the relay agrees to that.
	Passes() bool
	// CloseWrite ends TLS in the outgoing direction.
	CloseWrite() error
	// Below is the connection below TLS.
	Below() net.Conn
	// Rest is what was read of it already. It is called once, after Read has
	// returned io.EOF.
	Rest() []byte
}

// Conn is a net.Conn in sealed records. One goroutine may read while another
// writes.
type Conn struct {
	carrier Carrier
	below   net.Conn

	writing sync.Mutex
	send    *direction
	out     []byte
	broken  error // of a write: records are missing after it

	reading sync.Mutex
	receive *direction
	left    bool   // the other side's TLS has ended
	buf     []byte // at:n was read and is sealed
	at, n   int
	opened  []byte // of buf, not taken yet
	failed  error
	much    atomic.Bool // the last read brought much, and not all of it is taken
	waits   func()
}

// New ends TLS in the outgoing direction. What is written from now on is sealed,
// and so is what is read: the other side ends its TLS, too.
func New(c Carrier, s Suite, sendKey, receiveKey []byte) (*Conn, error) {
	send, err := newDirection(s, sendKey)
	if err != nil {
		return nil, err
	}
	receive, err := newDirection(s, receiveKey)
	if err != nil {
		return nil, err
	}
	if err := c.CloseWrite(); err != nil {
		return nil, fmt.Errorf("leave TLS: %w", err)
	}
	conn := &Conn{carrier: c, below: nowait.New(c.Below()), send: send, receive: receive}
	// TLS has left one of the past.
	if err := conn.below.SetWriteDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("leave TLS: %w", err)
	}
	return conn, nil
}

// Waits sets what is called whenever Read is about to wait for more, before the
// first Read. It may not block.
func (c *Conn) Waits(f func()) { c.waits = f }

// Much reports whether Read has much at hand: it will not wait for a while, and
// call what Waits set when it does.
func (c *Conn) Much() bool { return c.much.Load() }

// Close closes the connection.
func (c *Conn) Close() error { return c.carrier.Close() }

// LocalAddr is that of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.below.LocalAddr() }

// RemoteAddr is that of the connection.
func (c *Conn) RemoteAddr() net.Addr { return c.below.RemoteAddr() }

// SetDeadline bounds reads and writes.
func (c *Conn) SetDeadline(t time.Time) error { return c.below.SetDeadline(t) }

// SetReadDeadline bounds reads. One that it ends can be made again.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.below.SetReadDeadline(t) }

// SetWriteDeadline bounds writes. After one that it ends there are no more.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.below.SetWriteDeadline(t) }
