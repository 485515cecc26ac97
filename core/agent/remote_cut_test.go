package agent

import (
	"bufio"
	"fmt"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/testdata/until"
)

// REQ B13: the relay is killed and started again; the engineer's shell goes on
// where it was, and the session is still the same.
func TestRelayRestarts(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	_, c := w.enter(o.Secret)
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("cat"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	say := func(text string) {
		t.Helper()
		fmt.Fprintln(in, text)
		if !lines.Scan() || lines.Text() != text {
			t.Fatalf("said %q, heard %q, %v", text, lines.Text(), lines.Err())
		}
	}
	say("before")
	id := w.state().Connections[0].ID
	w.Stop()
	until.True(w.t, "the link is seen to be down", func() bool { return !w.state().Link.Up })
	until.True(w.t, "the connection is seen to be lost", func() bool { return w.state().Connections[0].State == control.ConnectionLost })
	w.Start()
	say("after")
	until.True(w.t, "the link is up", func() bool { return w.state().Link.Up })
	now := w.state()
	if now.ID != o.Session.ID || len(now.Connections) != 1 || now.Connections[0].ID != id {
		t.Errorf("afterwards: %+v", now)
	}
	until.True(w.t, "the events tell it", func() bool { return len(w.events(audit.LinkDown)) == 1 && len(w.events(audit.ConnectionResumed)) == 1 })
	in.Close()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

// An administrator who waits does not wait long: on loopback the way is open at
// once.
func TestQuick(t *testing.T) {
	w := newWorld(t)
	w.on(control.OnRequest{})
	if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w.on(control.OnRequest{})
	took := time.Since(begin)
	t.Logf("on to usable: %s", took)
	if took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}
