package hostile

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// The relay mixes up who is who.
var others = []Case{
	{"answers-for-another-system", "leads an engineer to another customer's system whose session has the same secret", Refused, otherSystem},
	{"crosses-engineers", "swaps each message of the handshakes of two engineers who come at the same time", Refused, crosses},
	{"two-engineers-as-one", "gives two engineers' connections the same name", Refused, sameName},
	{"false-names", "says that the engineer is somebody else, from elsewhere", Harmless, falseNames},
}

func otherSystem(w *world) (string, error) {
	const secret = "T7QF-9XWD-M4TR-H8PV"
	req := w.request()
	req.Secret = []byte(secret)
	if _, _, err := w.off(); err != nil {
		return "", err
	}
	if err := w.on(req); err != nil {
		return "", untested{err}
	}
	b, err := w.newSystem("array-8")
	if err != nil {
		return "", untested{err}
	}
	w.others = append(w.others, b)
	req.Secret = []byte(secret)
	if err := b.on(req); err != nil {
		return "", untested{err}
	}
	p := plan{lead: func(string) string { return b.id }}
	w.set(p)
	conn, err := w.eng.dial(w.system)
	if err == nil {
		conn.Abort("")
		return "", errors.New("the engineer is on another system than he asked for")
	}
	if _, err := wantCode(err, handshake.CodeSystem); err != nil {
		return "", err
	}
	// And with the right name put into what the other one says.
	p.down = edit(offer, "system", w.id)
	w.set(p)
	conn, err = w.eng.dial(w.system)
	if err == nil {
		conn.Abort("")
		return "", errors.New("the engineer is on another system than he asked for")
	}
	return w.refusedThen(err, handshake.CodeSecret)
}

func crosses(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", err
	}
	for _, m := range []crossing{{true, claim}, {true, share}, {false, answer}, {true, proof}, {true, sealed}} {
		met := false
		for try := 0; !met && try < 3; try++ {
			var in [2]bool
			if met, in, err = w.cross(m, w.eng, bob); err != nil {
				return "", err
			}
			if met && (in[0] || in[1]) {
				return "", fmt.Errorf("with messages of type %d swapped ada is in: %v, bob: %v", m.kind, in[0], in[1])
			}
		}
		if !met {
			return "", untested{fmt.Errorf("the messages of type %d did not meet", m.kind)}
		}
	}
	return "neither got in, whichever of five messages was swapped: each is bound to the others of its own connection", w.after()
}

// crossing is a message that two engineers' connections swap.
type crossing struct {
	up   bool
	kind byte
}

// cross lets two engineers come at once. It reports whether the messages met
// and who got in.
func (w *world) cross(m crossing, a, b *engineer) (met bool, in [2]bool, err error) {
	if err := w.renew(); err != nil {
		return false, in, err
	}
	both := []*engineer{a, b}
	for _, e := range both {
		if err := e.forget(w.system); err != nil {
			return false, in, err
		}
	}
	meet := [2]chan []byte{make(chan []byte, 1), make(chan []byte, 1)}
	first := w.count()
	var swapped atomic.Int32
	swap := func(s *splice, u unit) [][]byte {
		me := s.n - first
		if u.frame || u.kind != m.kind || me > 1 {
			return [][]byte{u.b}
		}
		meet[me] <- slices.Clone(u.b)
		select {
		case other := <-meet[1-me]:
			swapped.Add(1)
			return [][]byte{other}
		case <-time.After(5 * time.Second):
			return nil
		}
	}
	p := plan{up: swap, from: first}
	if !m.up {
		p = plan{down: swap, from: first}
	}
	w.set(p)
	defer w.set(plan{})
	var all sync.WaitGroup
	for i, e := range both {
		all.Go(func() {
			conn, err := e.dial(w.system)
			if err == nil {
				in[i] = true
				conn.Abort("")
			}
		})
	}
	all.Wait()
	return swapped.Load() == 2, in, nil
}

func sameName(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", err
	}
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	id := w.state().Connections[0].ID
	w.set(plan{say: func(s *msg.Start, _ bool) { s.Connection = id }})
	if conn, err := bob.dialFor(w.system, 5*time.Second); err == nil {
		conn.Abort("")
		return "", errors.New("a second engineer is in under the name of the first one's connection")
	}
	if err := v.works(); err != nil {
		return "", fmt.Errorf("the first engineer was disturbed: %w", err)
	}
	v.leave()
	if err := w.until("the first is gone", func() bool { return len(w.state().Connections) == 0 }); err != nil {
		return "", err
	}
	// The name stays his, also when he is gone.
	if conn, err := bob.dialFor(w.system, 5*time.Second); err == nil {
		conn.Abort("")
		return "", errors.New("the name of an ended connection is used again")
	}
	return "the second was refused while the first was there, and afterwards: a name is used once", w.after()
}

func falseNames(w *world) (string, error) {
	w.set(plan{say: func(s *msg.Start, system bool) {
		if system {
			s.Engineer, s.From = "the customer's own administrator", "127.0.0.1, from inside"
		} else {
			s.System, s.Session = "sys-0000000000000000", "ses-00000000"
		}
	}})
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	if v.conn.Session != w.state().ID {
		return "", errors.New("the engineer's program believes what the relay says of the session")
	}
	if got := w.state().Connections; len(got) != 1 || got[0].Engineer != "ada" {
		return "", fmt.Errorf("the system shows %+v", got)
	}
	if e := w.events(audit.ConnectionOpened); len(e) != 1 || e[0].Actor != "engineer:ada" {
		return "", errors.New("the audit log has another name than that of the certificate")
	}
	return "status and audit log show the name in the certificate; what the relay said of him counts for nothing", v.works()
}

// seenBy reports whether the engineer's program told him of something.
func (e *engineer) seenBy(kind connect.EventKind) bool {
	for {
		select {
		case ev := <-e.events:
			if ev.Kind == kind {
				return true
			}
		default:
			return false
		}
	}
}
