package server

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/transport"
)

func TestScrubber(t *testing.T) {
	var s scrubber
	forget := s.learn(config.NewSecret("p@ss w/rd"), config.NewSecret("abc"))
	kept := "the abc of it"
	for text, want := range map[string]string{
		"login p@ss w/rd failed":        "login [secret] failed",
		"GET /?pw=p%40ss+w%2Frd":        "GET /?pw=[secret]",
		"at http://u:p%40ss%20w%2Frd@h": "at http://u:[secret]@h",
		"Basic cEBzcyB3L3Jk":            "Basic [secret]",
		kept:                            kept, // too short to search for
		"":                              "",
	} {
		if got := s.clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
	if !s.holds("p@ss w/rd") || s.holds(kept) {
		t.Error("holds is wrong")
	}
	forget()
	if s.holds("p@ss w/rd") {
		t.Error("not forgotten")
	}
}

// blocking is an event sink that holds its calls.
type blocking struct{ enter, leave chan struct{} }

func (b blocking) Deliver(ctx context.Context, _ eventsink.Event) error {
	b.enter <- struct{}{}
	<-b.leave
	return nil
}

func TestCallsAreBounded(t *testing.T) {
	b := blocking{make(chan struct{}), make(chan struct{})}
	s, err := New(Options{Role: wire.RoleEventSink, Name: "x", Make: func() any { return b }})
	if err != nil {
		t.Fatal(err)
	}
	sink := s.Services().EventSink
	ended := make(chan struct{})
	for range maxCalls {
		go func() {
			sink.Deliver(context.Background(), new(pluginv1.DeliverRequest))
			ended <- struct{}{}
		}()
		<-b.enter
	}
	resp, err := sink.Deliver(context.Background(), new(pluginv1.DeliverRequest))
	if err != nil || resp.GetFailure().GetCode() != string(failure.Busy) || !resp.GetFailure().GetTemporary() {
		t.Errorf("one call too many: %v, %v", resp, err)
	}
	close(b.leave)
	for range maxCalls {
		<-ended
	}
}

func TestNewRefusesTheWrongRole(t *testing.T) {
	if _, err := New(Options{Role: wire.RoleAuth, Name: "x", Make: func() any { return blocking{} }}); err == nil {
		t.Error("an event sink serves as an authentication method")
	}
	if _, err := New(Options{Role: "root", Name: "x", Make: func() any { return blocking{} }}); err == nil {
		t.Error("an unknown role is served")
	}
}

// embedded is not a plain socket although it looks like one.
type embedded struct{ *net.TCPConn }

func TestDetach(t *testing.T) {
	near, _ := tcpPair(t)
	br := bufio.NewReader(strings.NewReader("inner"))
	br.Peek(5)
	outer := bufio.NewReader(strings.NewReader("outer "))
	outer.Peek(6)
	conn := transport.WithNote(transport.Buffered(transport.WithNote(transport.Buffered(near, br), "a"), outer), "b")
	socket, residual := detach(conn)
	if socket != near || string(residual) != "outer inner" {
		t.Errorf("%T with %q", socket, residual)
	}
	if _, ok := plain(socket); !ok {
		t.Error("a TCP connection is not plain")
	}
	if _, ok := plain(embedded{near.(*net.TCPConn)}); ok {
		t.Error("what embeds a TCP connection counts as one: its Read may differ")
	}
}

// nothing is a transport that returns neither.
type nothing struct{ typed bool }

func (n nothing) Dial(context.Context, transport.Target) (net.Conn, error) {
	if n.typed {
		return (*net.TCPConn)(nil), nil
	}
	return nil, nil
}

func TestNilConnection(t *testing.T) {
	for _, typed := range []bool{false, true} {
		s, err := New(Options{Role: wire.RoleTransport, Name: "x", Make: func() any { return nothing{typed} }})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Services().Transport.Dial(context.Background(), new(pluginv1.DialRequest))
		if err != nil || !strings.Contains(resp.GetFailure().GetMessage(), "neither") {
			t.Errorf("typed %v: %v, %v", typed, resp, err)
		}
	}
}
