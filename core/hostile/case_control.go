package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// The relay says what it should not on the lines that are its own.
var controls = []Case{
	{"forges-start", "begins connections with names that are none, control characters, unknown members and endless lines", Harmless, forgesStart},
	{"forges-control", "sends unknown messages, a second welcome, answers to nothing, and endless lines down the control stream", Noticed, forgesControl},
	{"floods", "asks for a thousand connections, and pings without end", Harmless, floods},
	{"says-replaced", "says that another machine took over", Noticed, saysReplaced},
	{"says-drain", "says that it goes away and that the system should come back in an hour", Noticed, saysDrain},
	{"says-refuse", "says in the middle of a session that this system is not wanted", Noticed, saysRefuse},
}

func forgesStart(w *world) (string, error) {
	lines := []string{
		`{"type":"start","connection":"../../etc/passwd"}`,
		`{"type":"start","connection":"con-00000000","engineer":"\u001b]0;owned\u0007"}`,
		`{"type":"start","connection":"con-00000000","run":"sh"}`,
		`{"type":"start"}`, `{"type":"welcome","v":1}`, `start`, "\x00\x01\x02",
		`{"type":"start","connection":"con-00000000","engineer":"` + strings.Repeat("a", 70000) + `"}`,
	}
	for _, line := range lines {
		conn, err := w.ask(w.id, "con-00000000", patience)
		if err != nil {
			return "", untested{err}
		}
		fmt.Fprintf(conn, "%s\n", line)
		conn.SetReadDeadline(time.Now().Add(patience))
		if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
			return "", fmt.Errorf("the system goes on after %.60q", line)
		}
		conn.Close()
	}
	return fmt.Sprintf("%d forged beginnings, each ended its connection and nothing else", len(lines)), w.after()
}

func forgesControl(w *world) (string, error) {
	for what, b := range map[string][]byte{
		"an unknown message":    []byte(`{"type":"run","command":"id"}` + "\n"),
		"a second welcome":      []byte(`{"type":"welcome","v":1}` + "\n"),
		"an answer to nothing":  []byte(`{"type":"pong","n":77}` + "\n"),
		"a message of a system": []byte(`{"type":"hello","v":1,"session":"ses-00000000","since":"2026-01-01T00:00:00Z"}` + "\n"),
		"an endless line":       bytes.Repeat([]byte("x"), 1<<20),
		"control characters":    []byte(`{"type":"refuse","code":"forbidden","message":"\u001b[2J"}` + "\n"),
	} {
		if err := w.again(plan{}); err != nil {
			return "", err
		}
		down := len(w.events(audit.LinkDown))
		go w.link(w.id).raw(b)
		if err := w.until(what+" is noticed", func() bool { return len(w.events(audit.LinkDown)) > down }); err != nil {
			return "", err
		}
		if s := w.state(); s.State == "off" || s.Link.Up {
			return "", fmt.Errorf("after %s: %+v", what, s)
		}
	}
	if err := w.again(plan{}); err != nil {
		return "", err
	}
	return "each time the system dropped the link, said so in audit log and status, and dialled anew", w.honest()
}

func floods(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	c := w.link(w.id)
	before := w.carriesNow()
	for range 1000 {
		if c.tell(&msg.Dial{Ticket: api.NewTicket(), Connection: api.NewConnectionID()}) != nil {
			break // it hung up
		}
	}
	if spare := w.spare(w.id); spare != nil {
		for n := range 1000 {
			if msg.Write(spare, &msg.Ping{N: uint64(n)}) != nil {
				break
			}
		}
	}
	if err := v.works(); err != nil {
		return "", fmt.Errorf("the engineer who is in was disturbed: %w", err)
	}
	time.Sleep(300 * time.Millisecond)
	got := w.carriesNow() - before
	if got > 60 {
		return "", fmt.Errorf("the system made %d connections at the relay's wish", got)
	}
	if err := w.until("the link is up", func() bool { l := w.state().Link; return l != nil && l.Up }); err != nil {
		return "", err
	}
	return fmt.Sprintf("the system made %d connections of a thousand and dropped the link; the engineer who was in did not notice", got), w.after()
}

func (r *relay) carriesNow() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.carries
}

// isOff waits for the end of the session and returns its reason.
func (w *world) isOff() (string, error) {
	if err := w.until("the session ends", func() bool { return w.state().State == "off" }); err != nil {
		return "", err
	}
	e := w.events(audit.SessionEnded)
	if len(e) == 0 {
		return "", errors.New("the audit log does not say that the session ended")
	}
	return e[len(e)-1].Detail["reason"], nil
}

func saysReplaced(w *world) (string, error) {
	if _, err := w.eng.enter(w.system); err != nil {
		return "", err
	}
	if err := w.link(w.id).tell(&msg.Replaced{}); err != nil {
		return "", untested{err}
	}
	why, err := w.isOff()
	if err != nil {
		return "", err
	}
	if len(w.events(audit.LinkReplaced)) != 1 {
		return "", errors.New("the audit log does not say that the link was replaced")
	}
	return "the session was ended and everybody cut, and the audit log says why: " + why, w.on(w.request())
}

func saysDrain(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	if err := w.link(w.id).tell(&msg.Drain{RetryAfter: 3600}); err != nil {
		return "", untested{err}
	}
	if err := w.until("status says so", func() bool { l := w.state().Link; return l != nil && !l.Up && l.Error != "" }); err != nil {
		return "", err
	}
	said := w.state().Link.Error
	if err := v.works(); err != nil {
		return "", fmt.Errorf("the engineer who was in: %w", err)
	}
	if _, took, err := w.off(); err != nil || took > slow {
		return "", fmt.Errorf("off took %s, %v", took, err)
	}
	return "status and audit log say so: " + said + "; off works as ever", w.on(w.request())
}

func saysRefuse(w *world) (string, error) {
	if err := w.link(w.id).tell(&msg.Refuse{Code: string(api.CodeForbidden), Message: "go away"}); err != nil {
		return "", untested{err}
	}
	why, err := w.isOff()
	if err != nil {
		return "", err
	}
	if s := w.state(); s.State != "off" {
		return "", fmt.Errorf("the session is %s", s.State)
	}
	return "the session was ended, and the audit log says why: " + why, w.on(control.OnRequest{For: "1h"})
}
