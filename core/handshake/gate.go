package handshake

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/pake"
	"github.com/latchstring/latchstring/core/secret"
)

// Tries is how many wrong secrets burn it.
const Tries = 3

const maxEnrolments = 1024

// GateOptions are the parts of a gate that must outlive it. The functions are
// called one at a time, without a lock of the gate held except that they may not
// call its methods; they are quick, but for the disk.
type GateOptions struct {
	Tries int // wrong secrets until it is burnt; 0 means [Tries]
	Used  int // attempts that were counted before, by a process that ended
	// Counter writes durably that one more attempt was made. It is called
	// before each answer; if it fails there is no answer.
	Counter func() error
	// Right takes one attempt back: it was the secret.
	Right func()
	// Wrong tells of an attempt that stays counted, and of how many are left.
	Wrong func(left int)
	// Burnt tells once that the secret is no more.
	Burnt func()
}

// Gate keeps the secret of one session and the enrolments that it gave. All
// methods may be called by several goroutines.
type Gate struct {
	options GateOptions

	mu         sync.Mutex
	secret     []byte // normalised; nil when burnt
	generation int    // of the secret: attempts belong to one
	wrong      int
	open       int // answered attempts that are not decided
	closed     bool
	enrolments map[string]*enrolled

	callMu sync.Mutex // one callback at a time
}

// enrolled is an enrolment on the system's side.
type enrolled struct {
	Enrolment
	engineer string
	key      ssh.PublicKey // of the certificate
	until    time.Time     // of the certificate; zero for never
	replaced bool          // the secret that gave it was replaced
}

// New makes the gate of a session. The secret is taken as typed; the caller
// clears his copy. With as many attempts used as there are tries it is burnt from
// the beginning.
func New(typed []byte, o GateOptions) (*Gate, error) {
	if o.Tries <= 0 {
		o.Tries = Tries
	}
	g := &Gate{options: o, wrong: o.Used, enrolments: map[string]*enrolled{}}
	n, err := secret.Normalise(typed)
	if err != nil {
		return nil, err
	}
	if g.wrong >= o.Tries {
		secret.Clear(n)
		return g, nil
	}
	g.secret = n
	return g, nil
}

// Replace puts a new secret in place of the old one, with all tries. What the
// old one gave is good for going on with what was opened by it, and for nothing
// new: see [Conn.Replaced]. The caller has set his durable count to zero before.
func (g *Gate) Replace(typed []byte) error {
	n, err := secret.Normalise(typed)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		secret.Clear(n)
		return errors.New("the session is over")
	}
	secret.Clear(g.secret)
	g.secret, g.wrong, g.open = n, 0, 0
	g.generation++
	for _, e := range g.enrolments {
		e.replaced = true
	}
	return nil
}

// Burn ends the secret without waiting for wrong ones. Enrolments stay.
func (g *Gate) Burn() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.burn()
}

func (g *Gate) burn() {
	secret.Clear(g.secret)
	g.secret = nil
	g.generation++
	g.open = 0
}

// Forget ends every enrolment: the next connections need the secret.
func (g *Gate) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
}

// ForgetEngineer ends the enrolments of one engineer, who needs the secret again.
func (g *Gate) ForgetEngineer(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, e := range g.enrolments {
		if e.engineer == name {
			e.Clear()
			delete(g.enrolments, id)
		}
	}
}

func (g *Gate) forget() {
	for id, e := range g.enrolments {
		e.Clear()
		delete(g.enrolments, id)
	}
}

// Close ends the session: nothing is accepted any more, everything secret is
// overwritten.
func (g *Gate) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.burn()
	g.forget()
}

// State says whether the secret is good, and how many wrong ones it still bears.
func (g *Gate) State() (usable bool, left int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.secret == nil {
		return false, 0
	}
	return true, max(0, g.options.Tries-g.wrong)
}

// attempt is one use of the secret.
type attempt struct {
	gate       *Gate
	generation int
	exchange   *pake.Exchange
	decided    bool
}

// begin reserves an attempt and starts the exchange with the secret.
func (g *Gate) begin(system string, run []byte) (*attempt, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, refuse(CodeEnded, "the session is over")
	case g.secret == nil:
		return nil, refuse(CodeBurnt, "the secret was tried wrongly too often or was withdrawn, and is not valid any more")
	case g.wrong+g.open >= g.options.Tries:
		return nil, refuse(CodeBusy, "as many attempts are under way as the secret has left")
	}
	ex, err := pake.New(pake.Responder, pake.Input{Password: g.secret, Channel: channelOf(system), Session: run})
	if err != nil {
		return nil, err
	}
	g.open++
	return &attempt{gate: g, generation: g.generation, exchange: ex}, nil
}

// count writes the attempt down. Only after that may anything be answered.
func (a *attempt) count() error {
	g := a.gate
	g.callMu.Lock()
	defer g.callMu.Unlock()
	if g.options.Counter != nil {
		if err := g.options.Counter(); err != nil {
			return fmt.Errorf("count the attempt: %w", err)
		}
	}
	// The secret may have gone meanwhile.
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.generation != g.generation {
		return refuse(CodeBurnt, "the secret is not valid any more")
	}
	return nil
}

// unanswered gives an attempt back that told nobody anything.
func (a *attempt) unanswered() {
	a.exchange.Clear()
	g := a.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if !a.decided && a.generation == g.generation {
		g.open--
	}
	a.decided = true
}

// right takes the attempt back: the other side knew the secret.
func (a *attempt) right() {
	a.unanswered()
	a.gate.call(a.gate.options.Right)
}

// failed leaves the attempt counted and burns the secret if it was the last.
func (a *attempt) failed() {
	g := a.gate
	g.mu.Lock()
	if a.decided {
		g.mu.Unlock()
		return
	}
	a.decided = true
	if a.generation != g.generation {
		g.mu.Unlock()
		return
	}
	g.open--
	g.wrong++
	left := max(0, g.options.Tries-g.wrong)
	if left == 0 {
		g.burn()
	}
	g.mu.Unlock()
	if g.options.Wrong != nil {
		g.call(func() { g.options.Wrong(left) })
	}
	if left == 0 {
		g.call(g.options.Burnt)
	}
}

func (g *Gate) call(f func()) {
	if f != nil {
		g.callMu.Lock()
		defer g.callMu.Unlock()
		f()
	}
}

// enrol keeps the enrolment that a success with the secret made.
func (g *Gate) enrol(k *keys, cert *ssh.Certificate, now time.Time, generation int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return refuse(CodeEnded, "the session is over")
	}
	if generation != g.generation && g.secret != nil {
		return refuse(CodeEnrolment, "the secret was replaced by a new one in this moment")
	}
	if len(g.enrolments) >= maxEnrolments {
		for id, e := range g.enrolments {
			if e.over(now) {
				e.Clear()
				delete(g.enrolments, id)
			}
		}
	}
	if len(g.enrolments) >= maxEnrolments {
		return refuse(CodeBusy, "too many connections were enrolled in this session")
	}
	g.enrolments[k.enrolment.ID] = &enrolled{
		Enrolment: Enrolment{ID: k.enrolment.ID, Key: append([]byte(nil), k.enrolment.Key...)},
		engineer:  cert.KeyId, key: cert.Key, until: validUntil(cert),
	}
	return nil
}

func (e *enrolled) over(now time.Time) bool { return !e.until.IsZero() && !now.Before(e.until) }

// lookup returns a copy of the enrolment, if it is this engineer's, and whether
// the secret that gave it was replaced.
func (g *Gate) lookup(id string, cert *ssh.Certificate, now time.Time) (_ *Enrolment, replaced bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, false, refuse(CodeEnded, "the session is over")
	}
	e := g.enrolments[id]
	if e == nil || e.over(now) ||
		e.engineer != cert.KeyId || !sameKey(e.key, cert.Key) {
		return nil, false, refuse(CodeEnrolment, "the enrolment is not known in this session, or not this engineer's")
	}
	return &Enrolment{ID: e.ID, Key: append([]byte(nil), e.Key...)}, e.replaced, nil
}
