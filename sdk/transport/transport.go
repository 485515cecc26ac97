package transport

import (
	"context"
	"net"
	"time"
)

// Target is where a connection shall lead.
type Target struct {
	Network string // "tcp"
	Address string // host:port; the host may be a name
	Bind    string // local address or interface to dial from; "" for any
}

// Transport makes connections. Dial may be called concurrently.
type Transport interface {
	// Dial connects to the target. The context bounds the dial, not the
	// connection. On error no connection is left open.
	Dial(ctx context.Context, target Target) (net.Conn, error)
}

// RemoteNames is a transport that resolves the target's name at its far end.
// The host then never looks the name up itself.
type RemoteNames interface {
	ResolvesNames() bool
}

// Prober is a transport that can show its steps one by one, for "Test
// Connection". Without it the host times Dial as a whole.
type Prober interface {
	// Probe tries what Dial would do and reports each step as it ends,
	// the failing one included. It leaves no connection open. The error
	// is that of the step that failed.
	Probe(ctx context.Context, target Target, report func(Step)) error
}

// Step is one step of a probe.
type Step struct {
	Name   string        // "connect to the proxy"
	Detail string        // what was seen: "proxy.example:3128 offers Digest, Basic"
	Took   time.Duration // how long the step took
	Err    error         // nil when it went well
}

// Noter is a connection that has something to tell about its way, for status
// pages: "through proxy.example:3128, digest". No secrets.
type Noter interface {
	Note() string
}

// Detacher is a connection that can be taken apart into the socket beneath it
// and what was already read from that. The SDK then hands over the socket.
// Detach is called once, and the connection not used after it.
type Detacher interface {
	Detach() (socket net.Conn, residual []byte)
}
