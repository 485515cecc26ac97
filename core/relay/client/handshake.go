package client

import (
	"context"
	"crypto/tls"
	"net"
)

// Handshake makes the TLS connection on a connection that was dialled, checks
// the relay's certificate, and says what was agreed on. It closes the
// connection. Errors are explained as those of any other call.
func (c *Client) Handshake(ctx context.Context, raw net.Conn) (tls.ConnectionState, error) {
	defer raw.Close()
	host, _, err := net.SplitHostPort(c.o.Address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	conn := tls.Client(raw, c.o.Trust.config(host))
	if err := conn.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, explain(c.o.Address, err)
	}
	return conn.ConnectionState(), nil
}

// Customer reports whether the certificate of a connection is not the vendor's
// and good only by [Client.TrustToo]: something of the customer's inspects TLS.
func (c *Client) Customer(s tls.ConnectionState) bool {
	host, _, err := net.SplitHostPort(c.o.Address)
	return err == nil && c.o.Trust.Extra != nil && c.o.Trust.vendor(s, host) != nil
}
