package handshake

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/latchstring/latchstring/core/handshake/through"
)

// Request is the first sealed message, from the engineer: a new stream, the
// attachment of this connection to one that lost its own, or nothing yet.
type Request struct {
	Open  bool `json:"open,omitempty"`  // a new stream
	Enrol bool `json:"enrol,omitempty"` // no stream: the enrolment is for connections to come
	// SSH is the line with which the new stream will begin, if that is known; the
	// system may then begin to speak SSH before it comes.
	SSH string `json:"ssh,omitempty"`
	// Suites are those in which this side would leave TLS and go on below it, best
	// first; Ask sets them.
	Suites []through.Suite `json:"suites,omitempty"`
	// To go on with a stream; see resume.Table.Attach.
	Stream   string `json:"stream,omitempty"`
	Received uint64 `json:"received,omitempty"` // of the stream by the engineer's side
	Proof    []byte `json:"proof,omitempty"`    // under the key of the stream, over Conn.Binding
}

// The types of a [Reply].
const (
	Waiting  = "waiting"
	Accepted = "accepted"
	Refused  = "refused"
)

// Reply is a sealed message of the system.
type Reply struct {
	Type string `json:"type"`
	// waiting
	Why   string    `json:"why,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// accepted: from here on the connection carries the frames of the stream
	Stream   string `json:"stream,omitempty"`
	Received uint64 `json:"received,omitempty"` // of the stream by the system
	// Suite, unless empty, is in what it does so, below TLS; Grant sets it.
	Suite through.Suite `json:"suite,omitempty"`
	// refused
	Code   Code   `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// versionLine is what SSH begins with (RFC 4253, section 4.2), without the end of
// the line.
var versionLine = regexp.MustCompile(`^SSH-2\.0-[!-,.-~]{1,100}$`)

// HoldEvery is how often the engineer is told that he waits: proxies cut what
// is silent, and it shows when the engineer has gone.
const HoldEvery = 5 * time.Second

// Ask sends the request and waits for the answer; waiting, if not nil, hears of
// every message until then. A refusal is an [*Error].
func (c *Conn) Ask(ctx context.Context, r Request, waiting func(Reply)) (Reply, error) {
	defer bound(ctx, c.raw, 0)()
	if !r.Enrol {
		r.Suites = c.suitesHere()
	}
	if err := c.Send(r); err != nil {
		return Reply{}, because(ctx, err)
	}
	for {
		var p Reply
		if err := c.Receive(&p); err != nil {
			return Reply{}, because(ctx, err)
		}
		switch p.Type {
		case Waiting:
			if waiting != nil {
				p.Why = clean(p.Why, 512)
				waiting(p)
			}
		case Accepted:
			if r.Enrol != (p.Stream == "") || !r.Enrol && !word(p.Stream, 64) || !r.Open && p.Stream != r.Stream {
				return Reply{}, malformed("another stream than was asked for")
			}
			if !offered(p.Suite, r.Suites) {
				return Reply{}, malformed("records sealed in a way that was not offered")
			}
			return p, because(ctx, c.carryOn(p.Suite, false))
		case Refused:
			if !known(p.Code) {
				p.Code = CodeDenied
			}
			return Reply{}, &Error{Code: p.Code, Text: clean(p.Reason, 512), Remote: true, Sealed: true}
		default:
			return Reply{}, malformed("a reply of an unknown type")
		}
	}
}

// Requested waits for what the engineer wants.
func (c *Conn) Requested(ctx context.Context) (Request, error) {
	defer bound(ctx, c.raw, Timeout)()
	var r Request
	if err := c.Receive(&r); err != nil {
		return r, because(ctx, err)
	}
	wants := 0
	for _, w := range []bool{r.Open, r.Enrol, r.Stream != ""} {
		if w {
			wants++
		}
	}
	if r.SSH != "" && (!r.Open || !versionLine.MatchString(r.SSH)) {
		return r, malformed("the version of SSH in the request")
	}
	if wants != 1 || r.Stream != "" && !word(r.Stream, 64) || len(r.Proof) > 64 || len(r.Suites) > 8 || r.Enrol && r.Suites != nil {
		return r, malformed("the request")
	}
	c.suites = r.Suites
	return r, nil
}

// Hold tells the engineer that he has to wait, and why, until ctx ends, which
// is no error. An error means that he has gone.
func (c *Conn) Hold(ctx context.Context, why string, until time.Time) error {
	tick := time.NewTicker(HoldEvery)
	defer tick.Stop()
	for {
		c.raw.SetWriteDeadline(time.Now().Add(Timeout))
		err := c.Send(Reply{Type: Waiting, Why: cut(why, 512), Until: until.UTC().Truncate(time.Second)})
		c.raw.SetWriteDeadline(time.Time{})
		if err != nil {
			return fmt.Errorf("the engineer did not wait: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Grant says yes. What follows on [Conn.Raw] are the frames of the stream;
// nothing follows where stream is empty, for one who only enrols.
func (c *Conn) Grant(ctx context.Context, stream string, received uint64) error {
	defer bound(ctx, c.raw, Timeout)()
	suite := c.agreed()
	if err := c.Send(Reply{Type: Accepted, Stream: stream, Received: received, Suite: suite}); err != nil {
		return because(ctx, err)
	}
	return because(ctx, c.carryOn(suite, true))
}

// Deny says no and closes the connection. The error is that of sending.
func (c *Conn) Deny(ctx context.Context, code Code, reason string) error {
	done := bound(ctx, c.raw, Timeout)
	err := because(ctx, c.Send(Reply{Type: Refused, Code: code, Reason: cut(reason, 512)}))
	done()
	return errors.Join(err, c.Close())
}
