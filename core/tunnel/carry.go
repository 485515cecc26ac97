package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	dialBurst    = 16 // connections that the relay may ask for at once
	dialEvery    = 500 * time.Millisecond
	maxDialing   = 16
	maxActive    = 40 // connections that are served
	carryTimeout = 30 * time.Second
)

// dialBack opens a connection that the relay asked for. It reports whether it
// does: not above the rate, and not for a connection that is there.
func (r *runner) dialBack(d *msg.Dial) bool {
	r.mu.Lock()
	ok := r.dialing < maxDialing && !r.active[d.Connection] && len(r.active) < maxActive && r.rate.take()
	if ok {
		r.dialing++
	}
	r.mu.Unlock()
	if !ok {
		return false
	}
	r.conns.Go(func() {
		defer func() {
			r.mu.Lock()
			r.dialing--
			r.mu.Unlock()
		}()
		ctx, cancel := context.WithTimeout(r.ctx, carryTimeout)
		defer cancel()
		conn, err := r.dial(ctx, msg.PathCarry, url.Values{msg.QueryTicket: {d.Ticket}}, nil)
		r.carried(err)
		if err != nil {
			return
		}
		r.begin(conn, d.Connection)
	})
	return true
}

// carried counts dial-backs that did not get through to the relay.
func (r *runner) carried(err error) {
	if r.ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || reached(err) {
		r.failed = 0
		return
	}
	r.failed++
	r.why = err
	if r.failed >= muxAfter {
		poke(r.kick)
	}
}

// begin waits for start on a connection that was asked for, and serves it.
// want is its id, or "" for any.
func (r *runner) begin(conn net.Conn, want string) {
	stop := context.AfterFunc(r.ctx, func() { conn.Close() })
	defer stop()
	conn.SetReadDeadline(time.Now().Add(carryTimeout))
	m, err := msg.NewReader(conn).Next()
	s, ok := m.(*msg.Start)
	if err != nil || !ok || want != "" && s.Connection != want {
		conn.Close()
		return
	}
	r.serve(conn, s)
}

// serve hands a connection over, in a goroutine of its own. The next byte is
// the first behind the line of start.
func (r *runner) serve(conn net.Conn, s *msg.Start) {
	if err := r.enter(s.Connection); err != nil {
		conn.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	r.conns.Go(func() {
		defer r.leave(s.Connection)
		defer conn.Close()
		r.o.Serve(r.ctx, conn, Start{Connection: s.Connection, Engineer: s.Engineer, From: s.From, Node: s.Node})
	})
}

// enter takes a place for a connection.
func (r *runner) enter(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case r.active[id]:
		return fmt.Errorf("connection %s is in use", id)
	case len(r.active) >= maxActive:
		return errors.New("too many connections")
	}
	r.active[id] = true
	return nil
}

func (r *runner) leave(id string) {
	r.mu.Lock()
	delete(r.active, id)
	r.lastUse = time.Now()
	r.mu.Unlock()
	r.extendSpare()
}

// mayBegin holds connections that come by themselves, as streams or on the
// spare, to the rate of those that are asked for: each that fails is recorded by
// whoever serves it, and a relay must not fill the customer's disk with that.
func (r *runner) mayBegin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rate.take()
}

// acceptStreams takes engineers' connections as streams of the one connection.
func (r *runner) acceptStreams(s *yamux.Session) {
	slots := make(chan struct{}, maxDialing)
	for {
		stream, err := s.AcceptStream()
		if err != nil {
			return
		}
		if !r.mayBegin() {
			stream.Close()
			continue
		}
		select {
		case slots <- struct{}{}:
			r.conns.Go(func() {
				defer func() { <-slots }()
				r.begin(&whole{stream}, "")
			})
		default:
			stream.Close()
		}
	}
}

// whole is a stream whose Close ends both directions, as that of a connection
// does; yamux ends one.
type whole struct{ *yamux.Stream }

func (w *whole) Close() error {
	err := w.Stream.Close()
	w.Stream.SetDeadline(time.Unix(1, 0)) // wakes who reads
	return err
}

// CloseWrite ends the outgoing direction.
func (w *whole) CloseWrite() error { return w.Stream.Close() }
