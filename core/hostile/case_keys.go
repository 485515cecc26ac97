package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// The relay puts other keys and other words in place of those that are sent.
var keys = []Case{
	{"swaps-host-key", "puts a host key of its own into what the system says of itself", Refused, func(w *world) (string, error) {
		return w.changed(plan{down: edit(offer, "host_key", w.ownKey())}, handshake.CodeSecret)
	}},
	{"swaps-host-key-later", "puts its host key into the second connection, for which no secret is asked", Refused, func(w *world) (string, error) {
		if err := w.honest(); err != nil {
			return "", err
		}
		own := w.ownKey()
		w.set(plan{down: edit(offer, "host_key", own)})
		_, err := w.dialEnrolled()
		return w.refusedThen(err, handshake.CodeHostKey)
	}},
	{"swaps-offer", "changes session, end, policy and nonce in what the system says of itself", Refused, func(w *world) (string, error) {
		for name, v := range map[string]any{"expires": time.Now().Add(1000 * time.Hour).UTC(), "policy": "sha256:00", "session": api.NewSessionID(), "nonce": make([]byte, 32)} {
			if said, err := w.changed(plan{down: edit(offer, name, v)}, handshake.CodeSecret); err != nil {
				return said, fmt.Errorf("%s: %w", name, err)
			}
		}
		return "each of the four changes was refused: the secret did not fit what was said", nil
	}},
	{"swaps-engineer", "puts a colleague's good certificate in place of the engineer's", Refused, func(w *world) (string, error) {
		bob, err := w.newEngineer("bob")
		if err != nil {
			return "", err
		}
		return w.changed(plan{up: edit(claim, "certificate", identity.FormatKey(bob.cert))}, handshake.CodeSecret)
	}},
	{"swaps-engineer-forged", "puts a certificate that it signed itself in place of the engineer's", Refused, func(w *world) (string, error) {
		mallory, err := w.mallory()
		if err != nil {
			return "", err
		}
		return w.changed(plan{up: edit(claim, "certificate", identity.FormatKey(mallory.cert))}, handshake.CodeCertificate)
	}},
	{"swaps-claim", "changes case, witness and nonce in what the engineer says", Refused, func(w *world) (string, error) {
		for name, v := range map[string]any{"case": "INF-8", "witness": w.ownKey(), "nonce": make([]byte, 32)} {
			if said, err := w.changed(plan{up: edit(claim, name, v)}, handshake.CodeSecret); err != nil {
				return said, fmt.Errorf("%s: %w", name, err)
			}
		}
		return "each of the three changes was refused: the secret did not fit what was said", nil
	}},
	{"own-ssh-server", "stands in for the system, with an SSH server of its own and a guess at the secret", Refused, ownServer},
	{"own-ssh-server-later", "stands in for the system when the engineer comes again without the secret", Refused, func(w *world) (string, error) {
		if err := w.honest(); err != nil {
			return "", err
		}
		session := w.state().ID
		hostKey := w.splice(-1).handshakeSeen(offer)
		w.set(plan{join: func(s *splice) {
			s.system.Close()
			// The same words as the system's, and no key behind them.
			s.engineer.Write(message(offer, hostKey))
			in := reader{r: s.engineer, up: true}
			for range 3 { // claim, share, proof
				if _, err := in.next(); err != nil {
					break
				}
			}
			s.engineer.Write(message(answer, make([]byte, 96)))
			time.Sleep(200 * time.Millisecond)
			s.engineer.Close()
		}})
		_, err := w.dialEnrolled()
		if w.state().ID != session {
			return "", untested{errors.New("the session changed")}
		}
		return w.refusedThen(err, handshake.CodeSecret, handshake.CodeMalformed)
	}},
	{"downgrades-version", "says that either side speaks another version of the protocol", Refused, func(w *world) (string, error) {
		for _, v := range []int{0, 2, 99} {
			for _, p := range []plan{{down: edit(offer, "v", v)}, {up: edit(claim, "v", v)}} {
				if said, err := w.changed(p, handshake.CodeVersion); err != nil {
					return said, fmt.Errorf("version %d: %w", v, err)
				}
			}
		}
		return "refused on either side, for each of three versions: the other side speaks another version", nil
	}},
	{"downgrades-mode", "turns a claim with the secret into one of somebody who is known already, and invents modes", Refused, downgradesMode},
	{"adds-members", "adds members that a later version might know to what both sides say", Refused, func(w *world) (string, error) {
		if said, err := w.changed(plan{down: edit(offer, "compress", true)}, handshake.CodeMalformed); err != nil {
			return said, err
		}
		return w.changed(plan{up: edit(claim, "admin", true)}, handshake.CodeMalformed)
	}},
}

// edit changes one member of the JSON in a kind of message.
func edit(kind byte, name string, value any) func(*splice, unit) [][]byte {
	return editAll(kind, map[string]any{name: value})
}

func editAll(kind byte, values map[string]any) func(*splice, unit) [][]byte {
	return func(_ *splice, u unit) [][]byte {
		if u.frame || u.kind != kind {
			return [][]byte{u.b}
		}
		var members map[string]any
		if json.Unmarshal(u.payload(), &members) != nil {
			return [][]byte{u.b}
		}
		for name, value := range values {
			members[name] = value
		}
		b, err := json.Marshal(members)
		if err != nil {
			return [][]byte{u.b}
		}
		return [][]byte{message(kind, b)}
	}
}

// changed lets the engineer come with the secret while a plan is in force: that
// must fail on his side and be no connection on the system's.
func (w *world) changed(p plan, codes ...handshake.Code) (string, error) {
	if err := w.fresh(); err != nil {
		return "", err
	}
	if err := w.eng.forget(w.system); err != nil {
		return "", err
	}
	p.from = w.count()
	w.set(p)
	conn, err := w.eng.dial(w.system)
	if err == nil {
		conn.Abort("")
		return "", errors.New("the engineer takes it for the system")
	}
	return w.refusedThen(err, codes...)
}

// forget removes what the engineer's program kept of a session.
func (e *engineer) forget(s *system) error { return e.cache.Remove(s.id) }

// dialEnrolled goes in without a secret, which must not succeed.
func (w *world) dialEnrolled() (*connect.Conn, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 15*time.Second)
	defer cancel()
	// The program would ask for the secret next; there the attack is over.
	o := w.eng.options(w.system, "")
	o.Secret = nil
	o.Cache = w.eng.cache
	return connect.Dial(ctx, o)
}

// ownKey is a key of the relay's, as a line.
func (w *world) ownKey() string {
	key, err := newKey()
	if err != nil {
		return ""
	}
	return identity.FormatKey(key.PublicKey())
}

// mallory is an engineer whom the relay vouches for, not the vendor.
func (w *world) mallory() (*engineer, error) {
	m, err := w.newEngineer("mallory")
	if err != nil {
		return nil, err
	}
	m.cert, err = connect.Certify(w.relay.vendor.receipt, connect.CertificateRequest{Key: m.key.PublicKey(), Name: "ada", Valid: time.Hour})
	return m, err
}

// ownServer answers the engineer with the gate of a system, a host key of the
// relay's and a guess.
func ownServer(w *world) (string, error) {
	key, err := newKey()
	if err != nil {
		return "", err
	}
	gate, err := handshake.New([]byte("AAAA-BBBB-CCCC"), handshake.GateOptions{})
	if err != nil {
		return "", untested{err}
	}
	served := make(chan error, 1)
	p := plan{join: func(s *splice) {
		s.system.Close()
		_, err := gate.Accept(w.ctx, s.engineer, handshake.ServerOptions{SupportCA: w.relay.vendor.supportCA.PublicKey(), SystemNames: []string{"array-7"},
			Offer: handshake.Offer{System: w.id, Session: w.state().ID, HostKey: identity.FormatKey(key.PublicKey()), Expires: time.Now().Add(time.Hour)}})
		served <- err
	}}
	said, err := w.changed(p, handshake.CodeSecret)
	if err != nil {
		return said, err
	}
	if err := <-served; err == nil {
		return "", errors.New("the engineer's program proved itself to the relay")
	}
	return said, nil
}

// downgradesMode changes what kind of proof is asked for.
func downgradesMode(w *world) (string, error) {
	for _, v := range []string{"enrolled", "open", ""} {
		if said, err := w.changed(plan{up: edit(claim, "mode", v)}, handshake.CodeMalformed); err != nil {
			return said, fmt.Errorf("mode %q: %w", v, err)
		}
	}
	// With a name for what is known, too: the system then waits for a proof that
	// nobody can make, and the engineer for an answer.
	if err := w.fresh(); err != nil {
		return "", err
	}
	if err := w.eng.forget(w.system); err != nil {
		return "", err
	}
	w.set(plan{up: editAll(claim, map[string]any{"mode": "enrolled", "enrolment": "ENROLLED"})})
	conn, err := w.eng.dialFor(w.system, 2*time.Second)
	if err == nil {
		conn.Abort("")
		return "", errors.New("the engineer is in")
	}
	return "refused three times, and once both waited for a proof that nobody can make", w.after()
}
