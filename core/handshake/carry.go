package handshake

import (
	"fmt"
	"slices"

	"github.com/latchstring/latchstring/core/handshake/through"
)

// staying is a carrier that can be told that its TLS will not be left.
type staying interface{ Stay() }

// suitesHere are the suites in which this side could go on below TLS.
func (c *Conn) suitesHere() []through.Suite {
	if t, ok := c.raw.(through.Carrier); ok && t.Passes() {
		return through.Preferred()
	}
	return nil
}

// carryOn goes on below TLS, sealed by s, or stays above it where s is "".
func (c *Conn) carryOn(s through.Suite, system bool) error {
	t, ok := c.raw.(through.Carrier)
	switch {
	case s == "":
		if t, ok := c.raw.(staying); ok {
			t.Stay()
		}
		return nil
	case !ok || !t.Passes():
		return malformed("records below TLS, which is not possible on this connection")
	}
	send, receive := c.keys.throughUp, c.keys.throughDown
	if system {
		send, receive = receive, send
	}
	conn, err := through.New(t, s, send, receive)
	if err != nil {
		return fmt.Errorf("go on below TLS: %w", err)
	}
	c.raw = conn
	return nil
}

// agreed is the suite for what the engineer's side named.
func (c *Conn) agreed() through.Suite {
	if len(c.suitesHere()) == 0 {
		return ""
	}
	return through.Choose(c.suites)
}

func offered(s through.Suite, in []through.Suite) bool { return s == "" || slices.Contains(in, s) }
