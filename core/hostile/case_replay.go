package hostile

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/handshake"
)

// The relay sends again what was sent before.
var replays = []Case{
	{"replays-engineer", "sends a system everything that an engineer sent it before, with the secret and without", Refused, func(w *world) (string, error) {
		if err := w.twoVisits(); err != nil {
			return "", err
		}
		for n := range 2 {
			if err := w.renew(); err != nil {
				return "", err
			}
			if err := w.replayToSystem(w.splice(n).seen(true), w.system); err != nil {
				return "", fmt.Errorf("connection %d: %w", n, err)
			}
		}
		return "both recordings were refused: the system had said something new, to which they do not fit", w.after()
	}},
	{"replays-system", "answers an engineer with everything that the system answered before", Refused, func(w *world) (string, error) {
		if err := w.twoVisits(); err != nil {
			return "", err
		}
		// In the same session: the host key is the one that he knows.
		said, err := w.replayToEngineer(w.splice(1), func() error {
			_, err := w.dialEnrolled()
			return err
		})
		if err != nil {
			return said, err
		}
		return w.replayToEngineer(w.splice(0), func() error {
			if err := w.eng.forget(w.system); err != nil {
				return err
			}
			_, err := w.eng.dial(w.system)
			return err
		})
	}},
	{"replays-old-session", "sends what an engineer sent in yesterday's session to the system in today's", Refused, func(w *world) (string, error) {
		if err := w.twoVisits(); err != nil {
			return "", err
		}
		if err := w.again(plan{}); err != nil {
			return "", err
		}
		for n := range 2 {
			if err := w.replayToSystem(w.splice(n).seen(true), w.system); err != nil {
				return "", fmt.Errorf("connection %d: %w", n, err)
			}
		}
		// And what the engineer had kept is of no use there.
		if _, err := w.dialEnrolled(); err == nil {
			return "", errors.New("the enrolment of an ended session still lets in")
		}
		return "refused: nothing of an ended session is worth anything in the next one", w.after()
	}},
	{"replays-resume", "cuts a line, keeps what the engineer sends to go on, and sends it again on a line of its own", Refused, replaysResume},
}

// twoVisits lets the engineer in with the secret and without it.
func (w *world) twoVisits() error {
	for range 2 {
		v, err := w.eng.enter(w.system)
		if err != nil {
			return err
		}
		if err := v.works(); err != nil {
			return err
		}
		v.leave()
	}
	return nil
}

// replayToSystem plays an engineer to a system. It must not be let in.
func (w *world) replayToSystem(units []unit, s *system) error {
	before := len(s.events(audit.ConnectionRefused))
	conn, err := w.alone(s.id)
	if err != nil {
		return untested{err}
	}
	defer conn.Close()
	go func() {
		for _, u := range units {
			if _, err := conn.Write(u.b); err != nil {
				return
			}
		}
	}()
	if sealedFrom(conn) {
		return errors.New("the system answered as to an engineer")
	}
	conn.Close()
	return w.until("the system records that it refused somebody", func() bool { return len(s.events(audit.ConnectionRefused)) > before })
}

// sealedFrom reads what a system answers until the end, and reports whether it
// said anything sealed: only to whom it believes.
func sealedFrom(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	in := reader{r: conn}
	for {
		u, err := in.next()
		if err != nil || !u.frame && u.kind == refuse {
			return false
		}
		if u.kind == sealed || u.frame {
			return true
		}
	}
}

// replayToEngineer plays a system to an engineer who comes.
func (w *world) replayToEngineer(old *splice, come func() error) (string, error) {
	w.set(plan{join: func(s *splice) {
		defer s.close()
		go io.Copy(io.Discard, s.engineer)
		for _, u := range old.seen(false) {
			if _, err := s.engineer.Write(u.b); err != nil {
				return
			}
		}
		time.Sleep(300 * time.Millisecond)
	}})
	err := come()
	return w.refusedThen(err, handshake.CodeSecret, handshake.CodeSystem, handshake.CodeHostKey)
}

// replaysResume catches the handshake with which the engineer's program goes on
// with its stream.
func replaysResume(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	if err := v.works(); err != nil {
		return "", err
	}
	first := w.splice(0)
	first.cut()
	if err := w.until("the stream goes on", func() bool { return w.splice(1) != nil && len(w.splice(1).seen(true)) >= 4 }); err != nil {
		return "", err
	}
	if err := v.works(); err != nil {
		return "", fmt.Errorf("after the cut: %w", err)
	}
	for range 3 {
		if err := w.replayToSystem(w.splice(1).seen(true), w.system); err != nil {
			return "", err
		}
	}
	if err := v.works(); err != nil {
		return "", fmt.Errorf("the engineer's shell was disturbed: %w", err)
	}
	return "refused three times; the engineer's own shell went on and did not notice", nil
}
