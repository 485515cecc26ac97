package connect_test

import (
	"sync/atomic"
	"testing"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/core/handshake"
)

// REQ B13: the relay dies while an engineer is coming in: he is asked for the
// secret once, and comes in.
func TestBrokenHandshakeIsMadeAgain(t *testing.T) {
	s := connecttest.New(t)
	var calls atomic.Int32
	s.Before = func() {
		if calls.Add(1) == 1 {
			s.Near.Cut()
		}
	}
	asked := 0
	var events heard
	o := s.Options("")
	o.Notify = events.add
	o.Secret = func() ([]byte, error) { asked++; return []byte(s.Secret), nil }
	conn, err := connect.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	conn.Abort("the test is over")
	if asked != 1 || calls.Load() != 2 || events.count(connect.Broke) != 1 {
		t.Errorf("asked %d times, %d connections:\n%v", asked, calls.Load(), &events)
	}
	if good, left := s.Gate.State(); !good || left != handshake.Tries {
		t.Errorf("it cost tries: %v, %d left", good, left)
	}
}

// One that breaks each time ends with an error that says what to do, and only
// one more is made.
func TestBrokenHandshakeIsMadeAgainOnce(t *testing.T) {
	s := connecttest.New(t)
	var calls atomic.Int32
	s.Before = func() { calls.Add(1); s.Near.Cut() }
	o := s.Options("")
	o.Secret = func() ([]byte, error) { return []byte(s.Secret), nil }
	_, err := connect.Dial(t.Context(), o)
	if err == nil || calls.Load() != 2 {
		t.Errorf("%v, %d connections", err, calls.Load())
	}
	if good, left := s.Gate.State(); !good || left != handshake.Tries {
		t.Errorf("it cost tries: %v, %d left", good, left)
	}
}
