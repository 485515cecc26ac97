package resume

import (
	"context"
	"net"
	"time"
)

// Window is how many bytes may be under way in each direction: written and not
// yet consumed by the other side's reader. Memory is taken as it is needed.
const (
	Window    = 16 << 20
	minWindow = 2 << 20
)

// Defaults of [Options].
const (
	Keep   = 60 * time.Second
	Ping   = 20 * time.Second
	Answer = 10 * time.Second
	Linger = 2 * time.Second
)

const (
	leastPing  = 5 * time.Second // that Adaptive goes down to
	ackEvery   = 256 << 10       // bytes consumed until that is told
	ackAlong   = 16 << 10        // the same, when there is something to send anyway
	maxUnsent  = 512 << 10       // that Write leaves for others to send
	behind     = 4 << 10         // what is that long is sent by others, with what comes after it; SSH's packets come in such pieces
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
	maxStrange = 8               // connections in a row that break the protocol
	healthy    = 5 * time.Second // a connection that lived so long was a good one
)

// Options of a [Stream]. The zero value is good for the system's side.
type Options struct {
	System   bool          // this is the system's end; [Table.Open] sets it
	Window   int           // bytes, at most [Window], which it is by default
	Keep     time.Duration // how long to wait for a new connection
	Ping     time.Duration // silence until the other side is asked
	Answer   time.Duration // until it must have answered
	Linger   time.Duration // for which Close waits for the other side to have everything
	Adaptive bool          // ask earlier where idle connections are cut; [Table.Open] sets it

	// Redial makes a new connection up to the point where frames begin: it
	// proves the enrolment, tells received to the other side and returns what
	// that one has received. It is called again with back-off until Keep is over,
	// when ctx ends. An error with a method Final() bool that says true ends
	// the stream at once.
	Redial func(ctx context.Context, received uint64) (raw net.Conn, peerReceived uint64, err error)

	// Side is called with every side message, one at a time. It may not keep p
	// or block: the stream waits. [Stream.Side] sets it later.
	Side func(kind byte, p []byte)

	// State is called when a connection was attached (nil) or lost. It may
	// not block or call the stream.
	State func(err error)
}

func (o *Options) complete() {
	if o.Window <= 0 || o.Window > Window {
		o.Window = Window
	}
	o.Window = max(o.Window, minWindow)
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{{&o.Keep, Keep}, {&o.Ping, Ping}, {&o.Answer, Answer}, {&o.Linger, Linger}} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
}
