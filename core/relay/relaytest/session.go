package relaytest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// Session is a system's end of an open session, as simple as can be: it does
// not come back when it is cut, and tests see each message.
type Session struct {
	Hello   msg.Hello
	Control net.Conn
	In      *msg.Reader
	Dialer  *link.Dialer

	send sync.Mutex
}

// Announce opens a session for a system; the relay has answered when it
// returns.
func Announce(ctx context.Context, c *client.Client, v identity.Vendor, change ...func(*link.Dialer, *msg.Hello)) (*Session, error) {
	key, err := v.ReceiptPublicKey()
	if err != nil {
		return nil, err
	}
	s := &Session{Dialer: &link.Dialer{Client: c, RelayKey: key},
		Hello: msg.Hello{V: msg.Version, Session: api.NewSessionID(), Since: time.Now().UTC().Truncate(time.Second), Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second), Name: v.System}}
	for _, f := range change {
		f(s.Dialer, &s.Hello)
	}
	conn, err := s.Dialer.Dial(ctx, msg.PathLink, nil)
	if err != nil {
		return nil, err
	}
	s.Control, s.In = conn, msg.NewReader(conn)
	if err := s.Tell(&s.Hello); err != nil {
		conn.Close()
		return nil, err
	}
	m, err := s.In.Next()
	if err == nil {
		if _, ok := m.(*msg.Welcome); !ok {
			err = fmt.Errorf("the relay answers %T %+v", m, m)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// Open opens a session for the pair's system. It is cut with the test.
func (p *Pair) Open(t testing.TB, change ...func(*link.Dialer, *msg.Hello)) *Session {
	t.Helper()
	s, err := Announce(t.Context(), p.SystemClient, p.Vendor, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Control.Close() })
	return s
}

// Tell sends a message on the control stream.
func (s *Session) Tell(m msg.Message) error {
	s.send.Lock()
	defer s.send.Unlock()
	return msg.Write(s.Control, m)
}

// Carry dials back with a ticket, or a spare without one.
func (s *Session) Carry(ctx context.Context, ticket string) (net.Conn, error) {
	q := url.Values{}
	if ticket != "" {
		q.Set(msg.QueryTicket, ticket)
	}
	return s.Dialer.Dial(ctx, msg.PathCarry, q)
}

// Started waits for the message that begins a connection, and answers pings
// before it.
func Started(conn net.Conn) (*msg.Start, error) {
	in := msg.NewReader(conn)
	for {
		m, err := in.Next()
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *msg.Start:
			return m, nil
		case *msg.Ping:
			if err := msg.Write(conn, &msg.Pong{N: m.N}); err != nil {
				return nil, err
			}
		case *msg.Refuse:
			return nil, &api.Error{Code: api.Code(m.Code), Message: m.Message}
		default:
			return nil, fmt.Errorf("the relay says %T", m)
		}
	}
}

// Serve dials back whenever the relay wants it and gives each connection to f,
// until the control stream ends, whose last word it returns (or nil).
func (s *Session) Serve(ctx context.Context, f func(net.Conn, *msg.Start)) msg.Message {
	for {
		m, err := s.In.Next()
		if err != nil {
			return nil
		}
		d, ok := m.(*msg.Dial)
		if !ok {
			if _, pong := m.(*msg.Pong); pong {
				continue
			}
			return m
		}
		go func() {
			conn, err := s.Carry(ctx, d.Ticket)
			if err != nil {
				return
			}
			start, err := Started(conn)
			if err != nil {
				conn.Close()
				return
			}
			f(conn, start)
		}()
	}
}

// Connect is an engineer's way to a system, up to the start of the bytes.
func Connect(ctx context.Context, engineer *client.Client, relayKey ssh.PublicKey, system string) (net.Conn, *msg.Start, error) {
	conn, err := link.Dial(ctx, engineer, relayKey, msg.PathConnect, url.Values{msg.QuerySystem: {system}})
	if err != nil {
		return nil, nil, err
	}
	start, err := Started(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, start, nil
}

// Connect connects the pair's engineer to a system, by its id or name.
func (p *Pair) Connect(ctx context.Context, system string) (net.Conn, *msg.Start, error) {
	return Connect(ctx, p.Engineer, p.Loaded.ReceiptKey.PublicKey(), system)
}
