package relay_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// carrying is a spare that is under way.
type carrying struct {
	conn net.Conn
	err  error
}

func early(t *testing.T, p *relaytest.Pair) <-chan carrying {
	t.Helper()
	d := link.Dialer{Client: p.SystemClient, RelayKey: p.Loaded.ReceiptKey.PublicKey()}
	came := make(chan carrying, 1)
	go func() {
		c, err := d.Dial(t.Context(), msg.PathCarry, nil)
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		came <- carrying{c, err}
	}()
	return came
}

func notOpenYet(err error) bool {
	var a *api.Error
	return errors.As(err, &a) && a.Code == api.CodeNotOpen
}

// A spare that overtakes its control stream waits for it, and is used.
func TestEarlySpare(t *testing.T) {
	p := relaytest.NewPair(t)
	first := early(t, p)
	// Of those that wait there is one: the other is sent away at once.
	second := early(t, p)
	var waits <-chan carrying
	select {
	case c := <-first:
		waits = second
		if !notOpenYet(c.err) {
			t.Fatalf("two spares: %v", c.err)
		}
	case c := <-second:
		waits = first
		if !notOpenYet(c.err) {
			t.Fatalf("two spares: %v", c.err)
		}
	case <-time.After(4 * time.Second):
		t.Fatal("two spares wait")
	}
	s := p.Open(t)
	c := <-waits
	if c.err != nil {
		t.Fatal(c.err)
	}
	go func() {
		if _, err := relaytest.Started(c.conn); err == nil {
			echo(c.conn, nil)
		}
	}()
	dialled := make(chan msg.Message, 1)
	go func() { m, _ := s.In.Next(); dialled <- m }()
	until.True(t, "the relay has it", func() bool { return metric(t, p.Relay, "latchstring_rss_spares") == "1" })
	conn, _, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	roundTrip(t, conn, 5)
	select {
	case m := <-dialled:
		t.Errorf("the relay says %T on the control stream", m)
	default:
	}
}

// Without a session there is no waiting for long.
func TestEarlySpareOfNothing(t *testing.T) {
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Patience = 200 * time.Millisecond }
	})
	if c := <-early(t, p); !notOpenYet(c.err) {
		t.Errorf("error %v", c.err)
	}
}

// An engineer who waits for a dial-back takes the spare that comes first.
func TestSpareForWhoWaits(t *testing.T) {
	p := relaytest.NewPair(t)
	s := p.Open(t)
	came := make(chan carrying, 1)
	go func() {
		conn, _, err := p.Connect(t.Context(), "array-7")
		came <- carrying{conn, err}
	}()
	m, err := s.In.Next()
	d, ok := m.(*msg.Dial)
	if err != nil || !ok {
		t.Fatalf("%T, %v", m, err)
	}
	spare := <-early(t, p)
	if spare.err != nil {
		t.Fatal(spare.err)
	}
	start, err := relaytest.Started(spare.conn)
	if err != nil || start.Connection != d.Connection {
		t.Fatalf("%+v, %v", start, err)
	}
	go echo(spare.conn, nil)
	c := <-came
	if c.err != nil {
		t.Fatal(c.err)
	}
	defer c.conn.Close()
	roundTrip(t, c.conn, 5)
	// The ticket is worth nothing any more.
	if _, err := s.Carry(t.Context(), d.Ticket); err == nil {
		t.Error("the ticket is still good")
	}
}
