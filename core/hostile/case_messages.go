package hostile

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/relay/api"
)

// The relay damages each message of the handshake in turn.
var messages = []Case{
	{"flips-bits", "flips a bit in each message of the handshake, with the secret and without", Refused, each(func(b []byte, round int) [][]byte {
		// A place in the head, the middle and the end.
		at := []int{1, messageHead, len(b) / 2, len(b) - 1}[round%4]
		b[at] ^= 1 << (round % 8)
		return [][]byte{b}
	}, 4)},
	{"truncates-messages", "cuts each message of the handshake short, with a right and with a wrong length before it", Refused, each(func(b []byte, round int) [][]byte {
		if round == 0 {
			return [][]byte{b[:len(b)-1]}
		}
		return [][]byte{message(b[0], b[messageHead:len(b)-1])}
	}, 2)},
	{"doubles-messages", "sends each message of the handshake twice", Refused, each(func(b []byte, _ int) [][]byte { return [][]byte{b, b} }, 1)},
	{"drops-messages", "leaves each message of the handshake out", Refused, each(func([]byte, int) [][]byte { return nil }, 1)},
	{"reorders-messages", "sends a message of another kind before each message of the handshake", Refused, each(func(b []byte, _ int) [][]byte {
		return [][]byte{message(proof, make([]byte, 64)), b}
	}, 1)},
	{"reflects-messages", "gives each side back what it sent itself", Refused, reflects},
}

// What passes in a handshake: up claim, share, proof and the sealed request,
// down offer, answer and the sealed reply.
var handshakeMessages = []struct {
	up   bool
	kind byte
}{{false, offer}, {true, claim}, {true, share}, {false, answer}, {true, proof}, {true, sealed}, {false, sealed}}

// each damages every message, in both modes and some rounds. Whatever is
// damaged, no shell comes of it.
func each(damage func(b []byte, round int) [][]byte, rounds int) func(*world) (string, error) {
	return func(w *world) (string, error) {
		tried := 0
		for _, enrolled := range []bool{false, true} {
			for _, m := range handshakeMessages {
				for round := range rounds {
					var err error
					for range 3 { // a machine with much else to do may not answer in time
						err = w.damaged(enrolled, m.up, m.kind, func(b []byte) [][]byte { return damage(b, round) })
						if !unanswered(err) {
							break
						}
					}
					if err != nil {
						return "", fmt.Errorf("message of type %d, round %d, without the secret: %v: %w", m.kind, round, enrolled, err)
					}
					tried++
				}
			}
		}
		return fmt.Sprintf("damaged in %d ways: before both were sure of each other no connection came of it, and afterwards none but the right one", tried), w.after()
	}
}

// unanswered reports whether an attempt was none.
func unanswered(err error) bool {
	var u untested
	var a *api.Error
	return errors.As(err, &u) || errors.As(err, &a) && a.Code == api.CodeNoAnswer
}

// damaged makes one attempt.
func (w *world) damaged(enrolled, up bool, kind byte, damage func([]byte) [][]byte) error {
	if err := w.fresh(); err != nil {
		return err
	}
	w.set(plan{})
	if err := w.eng.forget(w.system); err != nil {
		return err
	}
	if enrolled {
		conn, err := w.eng.dial(w.system)
		if err != nil {
			return err
		}
		w.let++
		conn.Abort("")
	}
	var once sync.Once
	done := false
	meddle := func(s *splice, u unit) [][]byte {
		out := [][]byte{u.b}
		if u.frame || u.kind != kind {
			return out
		}
		once.Do(func() {
			done = true
			if out = damage(u.b); kind == answer && len(out) == 2 && string(out[0]) == string(out[1]) {
				w.may++ // the first was good
			}
			// Nobody should wait long for what does not come.
			time.AfterFunc(300*time.Millisecond, s.close)
		})
		return out
	}
	p := plan{down: meddle}
	if up {
		p = plan{up: meddle}
	}
	p.from = w.count()
	w.set(p)
	var conn *connect.Conn
	var err error
	if enrolled {
		conn, err = w.dialEnrolled()
	} else {
		conn, err = w.eng.dial(w.system)
	}
	w.set(plan{})
	if !done {
		return untested{fmt.Errorf("the message did not pass (%v)", err)}
	}
	if kind == sealed {
		// Both were sure of each other before. The system may have let him in
		// without his hearing of it.
		w.may++
	}
	if err == nil {
		return w.stray(conn, kind)
	}
	return nil
}

// stray checks a connection that came about although a message was damaged. That
// may be where both were sure of each other already, and a message too many was
// thrown away with the line that brought it; then it is a good one.
func (w *world) stray(conn *connect.Conn, kind byte) error {
	defer conn.Abort("")
	if kind != sealed {
		return errors.New("the engineer was told that he is in")
	}
	v, err := w.eng.speak(conn)
	if err != nil {
		return nil // or a bad one, with nobody on it
	}
	return v.works()
}

// reflects answers each side with its own messages.
func reflects(w *world) (string, error) {
	w.set(plan{join: func(s *splice) {
		defer s.close()
		go func() {
			in := reader{r: s.system}
			for {
				u, err := in.next()
				if err != nil {
					return
				}
				s.system.Write(u.b)
			}
		}()
		in := reader{r: s.engineer, up: true}
		s.engineer.SetReadDeadline(time.Now().Add(time.Second))
		if u, err := in.next(); err == nil { // it waits for the offer, so nothing comes
			s.engineer.Write(u.b)
		}
	}})
	conn, err := w.eng.dial(w.system)
	if err == nil {
		conn.Abort("")
		return "", errors.New("the engineer took himself for the system")
	}
	return fmt.Sprintf("refused by both: %s", err), w.after()
}
