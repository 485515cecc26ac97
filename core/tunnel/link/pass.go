package link

import (
	"crypto/tls"
	"net"

	"github.com/latchstring/latchstring/core/tunnel/cork"
)

// A connection can be made to be passed through: the two ends that a relay has
// joined end TLS towards it, each in its own direction and by the closure alert
// (RFC 8446, section 6.1), once they share keys that it does not have, and go on
// below, with records that are sealed from end to end. The relay hands the alert
// on, and from there on moves bytes between two sockets. It does less work, and
// can read less. Both hops have to agree to that when the link is made, which is
// only possible where nobody inspects TLS.

// Passes reports whether the relay passes on, unread, what follows the end of
// TLS in either direction.
func (c *Conn) Passes() bool { return c.below != nil }

// Below is the connection below TLS. It is for [Conn.Passes] only. Writes may
// begin there after CloseWrite, and reads after Read has returned io.EOF, behind
// what Rest returns. TLS leaves a write deadline of the past on it.
func (c *Conn) Below() net.Conn { return c.below.Below() }

// Stay says that TLS will not be left: reads need not keep within its records.
func (c *Conn) Stay() {
	if b, ok := c.below.(*cork.Below); ok {
		b.Unbound()
		c.below = nil
	}
}

// Rest is what was read of Below already. It is called once.
func (c *Conn) Rest() []byte { return c.below.Rest() }

// passable is what is below the TLS of a request, if TLS can be left there.
func passable(conn net.Conn, state *tls.ConnectionState) cork.Leavable {
	t, ok := conn.(interface{ NetConn() net.Conn })
	if !ok || state == nil || state.Version < tls.VersionTLS13 {
		return nil
	}
	below, _ := t.NetConn().(cork.Leavable)
	return below
}
