package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// Start is what the relay says about an engineer's connection. It is for
// display; nothing may depend on it.
type Start struct {
	Connection string // its id, in the form of one and not in use
	Engineer   string
	From       string // where he connects from
	Node       string // of the relay
}

// Options say what to announce and what to do with it. All but Renew, State and
// Revoked are needed.
type Options struct {
	Relay    *client.Client
	RelayKey ssh.PublicKey // the receipt key of the vendor's record
	Session  msg.Hello     // what is announced
	// Begun, unless nil, is waited for before anything is sent to the relay, and
	// returns what is announced in place of Session. Connections are made meanwhile.
	// An error of its own is final.
	Begun func(ctx context.Context) (msg.Hello, error)
	// Renew changes what is announced, such as when the session expires.
	Renew <-chan msg.Hello
	// Serve serves one engineer's connection. It owns conn, whose next byte is
	// the first of the handshake, and returns when ctx ends.
	Serve func(ctx context.Context, conn net.Conn, s Start)
	// State is told what happens, one call at a time; it must not block.
	State func(State)
	// Revoked, unless nil, is told the number of the list of revoked certificates
	// that the relay says it has, now and then; it must not block.
	Revoked func(number uint64)
	// Spare is how long a spare connection is kept after the opening and after
	// each connection. 0: five minutes; below 0: there is none.
	Spare time.Duration
	// Together dials the first spare at the same time as the control stream, and
	// not when its connection stands. It is for ways on which nobody counts
	// connections, as proxies do.
	Together bool
}

// Kind says what happened.
type Kind string

// The kinds.
const (
	Up        Kind = "up"        // the session is reachable
	Down      Kind = "down"      // it is not: Err, and another attempt after Retry
	Inspected Kind = "inspected" // after Up: InspectedBy reads the outer layer
	Muxed     Kind = "muxed"     // everything goes over one connection from now on; Err says why
	Replaced  Kind = "replaced"  // final: another process opened a session as this system
	Refused   Kind = "refused"   // final: Err is the relay's reason
)

// State is what happened to the link.
type State struct {
	Kind        Kind
	Err         error
	Retry       time.Duration
	Node        string // of the relay
	InspectedBy string
	Framed      bool // in WebSocket frames
	Muxed       bool // over one connection
}

// ErrReplaced is returned when another process took over the session.
var ErrReplaced = errors.New("the relay ended this link: another process, or another machine with the same system key, opened a session in this system's name")

var (
	errFlood = errors.New("the relay sends pings without end")
	errSpare = errors.New("the relay sent something else than ping or start on the spare connection")
)

// drained says that the relay asked to come back later.
type drained struct{ after time.Duration }

func (d *drained) Error() string {
	return fmt.Sprintf("the relay is about to stop and asked to come back in %s", d.after)
}

// Run keeps the session reachable until ctx ends; then it says goodbye with
// the cause, waits for the calls of Serve, and returns nil. It returns an error
// only for what another attempt cannot change: the relay refuses this system,
// or another process replaced it.
func Run(ctx context.Context, o Options) error {
	if o.Relay == nil || o.RelayKey == nil || o.Serve == nil {
		return errors.New("tunnel: relay, relay key and serve are needed")
	}
	if _, err := msg.Append(nil, &o.Session); err != nil && o.Begun == nil {
		return fmt.Errorf("tunnel: %w", err)
	}
	return newRunner(o).run(ctx)
}

// final reports whether another attempt is of no use.
func final(err error) bool {
	var a *api.Error
	var n *notBegun
	return errors.Is(err, ErrReplaced) || errors.As(err, &n) || errors.As(err, &a) && !a.Temporary()
}

// reached reports whether an error came from the relay itself, so that the way
// to it is open.
func reached(err error) bool {
	var a *api.Error
	var f *link.ForgedError
	return errors.As(err, &a) || errors.As(err, &f)
}

// wish is when to come back by what the relay said: not before, and with a
// spread where one answer went to many systems. A relay that drains has spread
// them itself.
func wish(err error) (time.Duration, bool) {
	var d *drained
	var r *api.Error
	switch {
	case errors.As(err, &d):
		return d.after + upTo(firstDelay), true
	case errors.As(err, &r):
		return spread(r.RetryAfter), r.RetryAfter > 0
	}
	return 0, false
}
