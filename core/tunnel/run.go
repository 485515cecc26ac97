package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	muxAfter = 2         // failed dial-backs in a row, with the control stream alive
	muxHold  = time.Hour // before a second connection is tried again
	muxTries = 3         // failed attempts to connect with one connection, before that
)

// dialFunc opens a link. secured, if not nil, is called when the connection has
// got through to the relay, and returns what is sent along.
type dialFunc func(ctx context.Context, path string, q url.Values, secured func() (early []byte, err error)) (*link.Conn, error)

// runner is one call of Run.
type runner struct {
	o    Options
	dial dialFunc
	idle *idle

	ctx   context.Context // ends with Run
	conns sync.WaitGroup  // goroutines that serve or dial
	state sync.Mutex      // around calls of State
	told  string          // who inspects, as last told

	together bool      // the spare is dialled with the control stream
	muxSince time.Time // zero: no mux
	muxFails int

	kick chan struct{} // the control stream should look at hello and failed
	wake chan struct{} // the spare should look at up and until

	begun    chan struct{} // closed when something may be announced, or never
	unwanted error         // then it is never

	mu      sync.Mutex
	hello   msg.Hello
	renewed bool // hello was not sent yet
	failed  int  // dial-backs in a row
	why     error
	up      bool          // control stream, without mux
	upped   chan struct{} // closed while it is up
	secured bool          // its connection stands, which is reason enough to dial the spare
	until   time.Time
	lastUse time.Time       // the end of an engineer's connection
	spread  time.Duration   // as the relay named it last
	active  map[string]bool // connections that are served
	dialing int
	rate    bucket
}

func newRunner(o Options) *runner {
	if o.Spare == 0 {
		o.Spare = spareTime
	}
	d := func(ctx context.Context, path string, q url.Values, secured func() ([]byte, error)) (*link.Conn, error) {
		d := link.Dialer{Client: o.Relay, RelayKey: o.RelayKey, Pass: path == msg.PathCarry}
		if secured != nil {
			d.Secured = func() (err error) { d.Early, err = secured(); return err }
		}
		return d.Dial(ctx, path, q)
	}
	return &runner{o: o, together: o.Together, dial: d, idle: newIdle(), hello: o.Session, kick: make(chan struct{}, 1), wake: make(chan struct{}, 1), upped: make(chan struct{}), active: map[string]bool{},
		begun: make(chan struct{}), rate: bucket{size: dialBurst, every: dialEvery}}
}

// learn finds out what is announced, once something may be.
func (r *runner) learn() {
	defer close(r.begun)
	if r.o.Begun == nil {
		return
	}
	hello, err := r.o.Begun(r.ctx)
	if err == nil {
		_, err = msg.Append(nil, &hello)
	}
	if err != nil {
		r.unwanted = &notBegun{err}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.renewed {
		r.hello = hello
	}
}

// awaitBegun waits until something may be announced.
func (r *runner) awaitBegun() error {
	select {
	case <-r.begun:
		return r.unwanted
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// notBegun ends everything before anything was announced.
type notBegun struct{ why error }

func (n *notBegun) Error() string { return n.why.Error() }

func (n *notBegun) Unwrap() error { return n.why }

func (r *runner) run(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	r.ctx = inner
	defer r.conns.Wait()
	defer cancel()
	r.conns.Go(r.learn)
	r.conns.Go(r.keepSpare)
	if r.o.Renew != nil {
		r.conns.Go(r.watchRenew)
	}
	r.extendSpare()

	var delays backoff
	first := true // the next attempt is the first after a link, or at all
	for {
		up, err := r.session(ctx, first)
		if ctx.Err() != nil {
			return nil
		}
		first = up > 0
		if r.together && up == 0 && !reached(err) && !final(err) {
			// Perhaps it was for the other connection.
			r.together = false
			continue
		}
		r.together = false
		var m *needMux
		if errors.As(err, &m) {
			r.muxSince, r.muxFails = time.Now(), 0
			r.tell(State{Kind: Muxed, Err: m.why, Muxed: true})
			continue
		}
		if final(err) {
			kind := Refused
			if errors.Is(err, ErrReplaced) {
				kind = Replaced
			}
			r.tell(State{Kind: kind, Err: err})
			return err
		}
		r.judgeMux(up, err)
		delay := delays.after(up, r.used(), r.spreadNow())
		if w, ok := wish(err); ok {
			delay = max(delay, w)
		}
		r.tell(State{Kind: Down, Err: err, Retry: delay, Muxed: r.muxed()})
		if !sleep(ctx, delay) {
			return nil
		}
	}
}

// sleep reports whether it slept through.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *runner) muxed() bool { return !r.muxSince.IsZero() }

// judgeMux goes back to a connection for each engineer where one connection
// does not work either, or after some time: the network may be another one.
func (r *runner) judgeMux(up time.Duration, err error) {
	if !r.muxed() {
		return
	}
	if up == 0 && !reached(err) {
		r.muxFails++
	} else {
		r.muxFails = 0
	}
	if r.muxFails >= muxTries || time.Since(r.muxSince) >= muxHold {
		r.muxSince = time.Time{}
		r.mu.Lock()
		r.failed = 0
		r.mu.Unlock()
	}
}

func (r *runner) tell(s State) {
	r.state.Lock()
	defer r.state.Unlock()
	if r.o.State != nil {
		r.o.State(s)
	}
}

// watchRenew takes what is to be announced from now on.
func (r *runner) watchRenew() {
	for {
		select {
		case h, ok := <-r.o.Renew:
			if !ok {
				return
			}
			r.mu.Lock()
			r.hello, r.renewed = h, true
			r.mu.Unlock()
			poke(r.kick)
		case <-r.ctx.Done():
			return
		}
	}
}

// poke wakes whoever waits on a channel of one place.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// needMux ends a control stream so that the next one carries everything.
type needMux struct{ why error }

func (n *needMux) Error() string {
	return fmt.Sprintf("no second connection to the relay can be made: %v", n.why)
}

// bucket limits a rate: size at once, and one more every so often.
type bucket struct {
	size  int
	every time.Duration
	used  time.Duration // of size*every
	last  time.Time
}

func (b *bucket) take() bool {
	now := time.Now()
	if !b.last.IsZero() {
		b.used = max(0, b.used-now.Sub(b.last))
	}
	b.last = now
	if b.used+b.every > time.Duration(b.size)*b.every {
		return false
	}
	b.used += b.every
	return true
}
