package hostile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/revoke"
)

// The relay carries the vendor's list of revoked certificates, and does not want
// it to count: bob is on it, and still has a key, a certificate that has not
// ended, and a friend at the relay who knows what he knows.
var revocations = []Case{
	{"withholds-revocations", "says nothing of a list that revokes an engineer who is in, then that it has an older one, then that it has none", Noticed, withholds},
	{"hides-revocations", "says that it has a newer list of revoked certificates, and hands out none, an error, or the one that is known", Noticed, hidesList},
	{"replays-revocations", "hands out an older list, in which the engineer does not stand yet, also after a restart of the system", Noticed, replaysList},
	{"truncates-revocations", "hands out half of a list, one without the engineer's entry, one without its signature, and one without an end", Noticed, truncatesList},
	{"forges-revocations", "makes lists of its own, with every key that it has and with signatures that the vendor gave for something else: to let in whom the vendor shut out, and to shut out whom he did not", Noticed, forgesList},
	{"delays-revocations", "holds the list back for as long as the system waits for it", Harmless, delays},
	{"keeps-revoked-in", "keeps the line of an engineer open who is revoked while he is in, and hides from him that it ended", Refused, keepsRevoked},
	{"brings-revoked-back", "brings an engineer back who was revoked: on the line that he lost, with what he kept, with the secret, with another key and under another name", Refused, bringsBack},
}

// revokes has the vendor sign a list and give it to the relay.
func (w *world) revokes(number uint64, what ...string) ([]byte, error) {
	l := revoke.List{Number: number, Issued: w.clock.Now()}
	for _, e := range what {
		l.Revoked = append(l.Revoked, revoke.Entry{What: e, Since: l.Issued.UTC().Truncate(time.Second), Reason: "left us"})
	}
	raw, err := revoke.Sign(w.relay.vendor.supportCA, l)
	if err != nil {
		return nil, untested{err}
	}
	w.publish(number, raw)
	return raw, nil
}

// relink makes the system come to the relay anew, and nobody who is in leave.
func (w *world) relink() error {
	old := w.link(w.id)
	w.relay.mu.Lock()
	spares := w.spares[w.id]
	w.spares[w.id] = nil
	w.relay.mu.Unlock()
	for _, c := range spares {
		c.Close()
	}
	old.conn.Close()
	return w.until("the system comes back", func() bool { l := w.link(w.id); return l != nil && l != old })
}

// knows waits until a list counts on the system.
func (w *world) knows(number uint64) error {
	return w.until(fmt.Sprintf("list %d counts", number), func() bool {
		l, err := revoke.Open(w.root.Revocations()).Current(w.relay.vendor.supportCA.PublicKey())
		return err == nil && l != nil && l.Number == number
	})
}

// isRevoked checks that an engineer is refused for the list's sake.
func (e *engineer) isRevoked(s *system) error {
	conn, err := e.dial(s)
	if err == nil {
		conn.Abort("")
		return fmt.Errorf("%s is let in, whose certificate was revoked", e.name)
	}
	if codeOf(err) != handshake.CodeCertificate || !strings.Contains(err.Error(), "was revoked by the vendor") {
		return fmt.Errorf("%s was refused for another reason than expected: %w", e.name, err)
	}
	return nil
}

// bobRevoked has the system know list 7, with bob on it.
func (w *world) bobRevoked() (bob *engineer, list []byte, err error) {
	if bob, err = w.newEngineer("bob"); err != nil {
		return nil, nil, untested{err}
	}
	if list, err = w.revokes(7, "name:mallory", "name:bob"); err != nil {
		return nil, nil, err
	}
	if err := w.again(plan{}); err != nil {
		return nil, nil, err
	}
	return bob, list, w.knows(7)
}

// handsOut lets a relay that says it has list 100 answer with what is given: the
// system must say so, go by the list that it knows, and refuse bob.
func (w *world) handsOut(bob *engineer, what string, list func(http.ResponseWriter) error) error {
	if err := w.again(plan{number: func() uint64 { return 100 }, list: list}); err != nil {
		return err
	}
	session := w.state().ID
	if err := w.until(what+" is noticed", func() bool {
		e := w.events(audit.RevocationsRefused)
		return len(e) > 0 && e[len(e)-1].Subject == session
	}); err != nil {
		return err
	}
	if err := w.knows(7); err != nil {
		return fmt.Errorf("after %s: %w", what, err)
	}
	if err := bob.isRevoked(w.system); err != nil {
		return fmt.Errorf("after %s: %w", what, err)
	}
	if left := w.state().TriesLeft; left != 3 {
		return fmt.Errorf("after %s: who is revoked costs the customer a try: %d are left", what, left)
	}
	return nil
}

// text hands out what is given as the list.
func text(list []byte) func(http.ResponseWriter) error {
	return func(w http.ResponseWriter) error { return reply(w, api.Revocations{List: string(list)}) }
}

// fresher is the honest end of a case: a newer list is taken, and ada works.
func (w *world) fresher(number uint64, bob *engineer) error {
	if _, err := w.revokes(number, "name:bob"); err != nil {
		return err
	}
	if err := w.again(plan{}); err != nil {
		return err
	}
	if err := w.knows(number); err != nil {
		return err
	}
	if err := bob.isRevoked(w.system); err != nil {
		return err
	}
	return w.after()
}

func withholds(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", untested{err}
	}
	if err := w.policy(`engineer { revocations_max_age = "20m" }`); err != nil {
		return "", untested{err}
	}
	if _, err := w.revokes(7, "name:mallory"); err != nil {
		return "", err
	}
	if err := w.again(plan{}); err != nil {
		return "", err
	}
	if err := w.knows(7); err != nil {
		return "", err
	}
	v, err := bob.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	pid, err := v.busy()
	if err != nil {
		return "", untested{err}
	}
	if _, err := w.revokes(8, "name:bob"); err != nil {
		return "", err
	}
	w.set(plan{number: func() uint64 { return 7 }})
	w.clock.move(25*time.Minute, 25*time.Minute)
	if err := w.until("he is cut", func() bool { return len(w.state().Connections) == 0 && dead(pid) }); err != nil {
		return "", fmt.Errorf("with a list of 25 minutes, where policy allows 20: %w", err)
	}
	if conn, err := bob.dial(w.system); err == nil {
		conn.Abort("")
		return "", errors.New("he is let in on a list that is too old")
	}
	for _, number := range []uint64{3, 0} {
		if err := w.again(plan{number: func() uint64 { return number }}); err != nil {
			return "", err
		}
		session := w.state().ID
		if err := w.until("it is told", func() bool {
			e := w.events(audit.RevocationsRefused)
			return len(e) > 0 && e[len(e)-1].Subject == session
		}); err != nil {
			return "", fmt.Errorf("the relay says that it has list %d: %w", number, err)
		}
		if conn, err := w.eng.dial(w.system); err == nil {
			conn.Abort("")
			return "", errors.New("somebody is let in on a list that is too old")
		}
	}
	return "for as long as policy bears an older list the engineer stayed in, which nobody can help who hears of the world from this relay alone; then he was cut, and nobody got in until there was a fresh list. " +
		"Without revocations_max_age in a policy he would stay until his certificate ends. That the relay had known a newer list was told twice", w.fresher(9, bob)
}

func hidesList(w *world) (string, error) {
	bob, list, err := w.bobRevoked()
	if err != nil {
		return "", err
	}
	for what, answer := range map[string]func(http.ResponseWriter) error{
		"no list": text(nil),
		"an error": func(http.ResponseWriter) error {
			return api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is none")
		},
		"rubbish":      func(w http.ResponseWriter) error { _, err := io.WriteString(w, "<html>"); return err },
		"a known list": text(list),
	} {
		if err := w.handsOut(bob, what, answer); err != nil {
			return "", err
		}
	}
	return "each of four times the audit log says that the relay keeps back what it says it has, and the list that is known went on to count", w.fresher(101, bob)
}

func replaysList(w *world) (string, error) {
	older, err := w.revokes(6, "name:mallory")
	if err != nil {
		return "", err
	}
	bob, _, err := w.bobRevoked()
	if err != nil {
		return "", err
	}
	if err := w.handsOut(bob, "an older list", text(older)); err != nil {
		return "", err
	}
	// Two of one number the vendor makes by mistake: the one that came first counts.
	second, err := w.revokes(7, "name:mallory")
	if err != nil {
		return "", err
	}
	if err := w.handsOut(bob, "another list of that number", text(second)); err != nil {
		return "", err
	}
	if err := w.system.stop(); err != nil {
		return "", untested{err}
	}
	if err := w.system.start(); err != nil {
		return "", untested{err}
	}
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	if err := w.handsOut(bob, "an older list after a restart", text(older)); err != nil {
		return "", err
	}
	return "refused and recorded each time, after a restart, too: the number of a list only grows", w.fresher(101, bob)
}

func truncatesList(w *world) (string, error) {
	bob, _, err := w.bobRevoked()
	if err != nil {
		return "", err
	}
	newer, err := w.revokes(100, "name:mallory", "name:bob")
	if err != nil {
		return "", err
	}
	var parts struct {
		List      string `json:"list"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(newer, &parts); err != nil {
		return "", untested{err}
	}
	with := func(list, signature string) []byte {
		parts.List, parts.Signature = list, signature
		b, _ := json.Marshal(parts)
		return b
	}
	list, signature := parts.List, parts.Signature
	var entries revoke.List
	if err := json.Unmarshal([]byte(list), &entries); err != nil {
		return "", untested{err}
	}
	entries.Revoked = entries.Revoked[:1]
	without, err := json.Marshal(entries)
	if err != nil {
		return "", untested{err}
	}
	for what, b := range map[string][]byte{
		"a half":                   newer[:len(newer)/2],
		"all but its last byte":    newer[:len(newer)-2],
		"a list without his entry": with(string(without), signature),
		"a list that breaks off":   with(list[:len(list)-20], signature),
		"a list without signature": with(list, ""),
		"half of its signature":    with(list, signature[:len(signature)/2]),
		"one with words behind it": append(bytes.Clone(newer), `{"list":"","signature":""}`...),
	} {
		if err := w.handsOut(bob, what, text(b)); err != nil {
			return "", err
		}
	}
	var sent atomic.Int64
	if err := w.handsOut(bob, "a list without an end", func(rw http.ResponseWriter) error {
		io.WriteString(rw, `{"list":"`)
		for b := bytes.Repeat([]byte("x"), 64<<10); w.relay.ctx.Err() == nil; {
			n, err := rw.Write(b)
			sent.Add(int64(n))
			if err != nil {
				break
			}
		}
		return nil
	}); err != nil {
		return "", err
	}
	// Buffers of the kernel on both sides take some.
	if n := sent.Load(); n > 32<<20 {
		return "", fmt.Errorf("the system took %d MB of a list that may have some kB", n>>20)
	}
	return "refused and recorded each of eight times; of a list without an end the system took little and hung up", w.fresher(101, bob)
}

func forgesList(w *world) (string, error) {
	bob, _, err := w.bobRevoked()
	if err != nil {
		return "", err
	}
	own, err := newKey()
	if err != nil {
		return "", untested{err}
	}
	made := func(key ssh.Signer, what ...string) []byte {
		l := revoke.List{Number: 100, Issued: time.Now()}
		for _, e := range what {
			l.Revoked = append(l.Revoked, revoke.Entry{What: e, Since: l.Issued.UTC().Truncate(time.Second)})
		}
		b, _ := revoke.Sign(key, l)
		return b
	}
	other := func(namespace string) []byte {
		l, _ := json.Marshal(revoke.List{Format: revoke.Format, Number: 100, Issued: time.Now().UTC().Truncate(time.Second), Revoked: []revoke.Entry{}})
		sig, _ := identity.Sign(w.relay.vendor.supportCA, namespace, bytes.NewReader(l))
		b, _ := json.Marshal(map[string]string{"list": string(l), "signature": string(sig)})
		return b
	}
	for what, b := range map[string][]byte{
		"a list signed by the key of receipts": made(w.relay.vendor.receipt, "name:mallory"),
		"a list signed by a key of its own":    made(own, "name:mallory"),
		"a list signed by an engineer's key":   made(bob.key, "name:mallory"),
		"what the CA signed as something else": other(identity.NamespaceBundle),
		"what the CA signed as a login":        other(identity.NamespaceRSS),
		"an empty list":                        made(own),
	} {
		if len(b) == 0 {
			return "", untested{fmt.Errorf("%s could not be made", what)}
		}
		if err := w.handsOut(bob, what, text(b)); err != nil {
			return "", err
		}
	}
	if err := w.handsOut(bob, "a list that shuts an honest engineer out", text(made(w.relay.vendor.receipt, "name:ada", "name:bob"))); err != nil {
		return "", err
	}
	if err := w.honest(); err != nil {
		return "", fmt.Errorf("after a list that shuts an honest engineer out: %w", err)
	}
	return "refused and recorded each of seven times; who had been revoked stayed out, and who had not got in", w.fresher(101, bob)
}

func delays(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", untested{err}
	}
	v, err := bob.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	pid, err := v.busy()
	if err != nil {
		return "", untested{err}
	}
	list, err := w.revokes(7, "name:bob")
	if err != nil {
		return "", err
	}
	asked, release := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	held := func(rw http.ResponseWriter) error {
		first()
		select {
		case <-release:
			return text(list)(rw)
		case <-w.relay.ctx.Done():
			return nil
		}
	}
	w.set(plan{list: held})
	if err := w.relink(); err != nil {
		return "", err
	}
	select {
	case <-asked:
	case <-time.After(slow):
		return "", errors.New("the system does not ask for the new list")
	}
	// It waits for that alone: meanwhile everything else goes on.
	ada, err := w.eng.enter(w.system)
	if err != nil {
		return "", fmt.Errorf("while the system waits for the list: %w", err)
	}
	defer ada.leave()
	close(release)
	begin := time.Now()
	if err := w.until("he is cut", func() bool { return dead(pid) && len(w.events(audit.ConnectionCut)) == 1 }); err != nil {
		return "", err
	}
	took := time.Since(begin)
	if err := ada.works(); err != nil {
		return "", fmt.Errorf("the engineer who was not revoked: %w", err)
	}
	// And who waits for a list can be turned off.
	if _, err := w.revokes(8, "name:bob"); err != nil {
		return "", err
	}
	again := make(chan struct{})
	first = sync.OnceFunc(func() { close(again) })
	release = make(chan struct{})
	if err := w.again(plan{list: held}); err != nil {
		return "", err
	}
	select {
	case <-again:
	case <-time.After(slow):
		return "", errors.New("the system does not ask for the new list")
	}
	_, stopped, err := w.off()
	if err != nil || stopped > slow/2 {
		return "", fmt.Errorf("off took %s, %v", stopped, err)
	}
	w.set(plan{})
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	return fmt.Sprintf("as long as the relay held it the engineer stayed in (what it gains by that ends with revocations_max_age); %s after it came he was cut, with his processes. Nobody else waited, and off took %s",
		took.Round(time.Millisecond), stopped.Round(time.Millisecond)), w.after()
}

func keepsRevoked(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", untested{err}
	}
	v, err := bob.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.conn.Abort("")
	pid, err := v.busy()
	if err != nil {
		return "", untested{err}
	}
	ada, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer ada.leave()
	s := w.splice(0)
	if _, err := w.revokes(7, fmt.Sprintf("serial:%d", bob.cert.Serial)); err != nil {
		return "", err
	}
	// Nothing reaches him any more, so that he does not hear of his end.
	w.set(plan{down: func(on *splice, u unit) [][]byte {
		if on == s {
			return nil
		}
		return [][]byte{u.b}
	}})
	if err := w.relink(); err != nil {
		return "", err
	}
	if err := w.until("he is cut", func() bool { return dead(pid) && len(w.state().Connections) == 1 }); err != nil {
		return "", err
	}
	cut := w.events(audit.ConnectionCut)
	if len(cut) != 1 || !strings.Contains(cut[0].Detail["reason"], "was revoked by the vendor") {
		return "", errors.New("the audit log does not say why he was cut")
	}
	gone := w.events(audit.ConnectionClosed)
	if len(gone) != 1 {
		return "", fmt.Errorf("the audit log has %d ends of connections", len(gone))
	}
	// What the relay still has of his line leads nowhere.
	s.system.SetReadDeadline(time.Now().Add(patience))
	s.system.Write(frame(ping, 0, nil))
	if err := ada.works(); err != nil {
		return "", fmt.Errorf("the engineer who was not revoked: %w", err)
	}
	if n := len(w.state().Connections); n != 1 {
		return "", fmt.Errorf("%d connections are there", n)
	}
	if err := bob.forget(w.system); err != nil {
		return "", err
	}
	w.set(plan{})
	return "he was cut when the list came, though the relay closed nothing: his processes were dead, and a colleague's shell went on", bob.isRevoked(w.system)
}

func bringsBack(w *world) (string, error) {
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", untested{err}
	}
	v, err := bob.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.conn.Abort("")
	if _, err := w.revokes(7, "name:bob"); err != nil {
		return "", err
	}
	// His line breaks; until the list counts he does not come back.
	w.set(plan{join: func(s *splice) { s.close() }})
	w.splice(-1).cut()
	if err := w.relink(); err != nil {
		return "", err
	}
	if err := w.knows(7); err != nil {
		return "", err
	}
	w.set(plan{})
	if err := w.until("his stream ends", func() bool { return v.conn.Err() != nil || v.conn.Ended() != nil }); err != nil {
		return "", fmt.Errorf("he goes on where his line broke: %w", err)
	}
	if err := w.until("his connection is gone", func() bool { return len(w.state().Connections) == 0 }); err != nil {
		return "", err
	}
	// With what he kept of the secret, and with the secret.
	if err := bob.isRevoked(w.system); err != nil {
		return "", fmt.Errorf("with what he kept: %w", err)
	}
	if err := bob.forget(w.system); err != nil {
		return "", err
	}
	if err := bob.isRevoked(w.system); err != nil {
		return "", fmt.Errorf("with the secret: %w", err)
	}
	// With another key, which somebody at the vendor certified for him.
	other, err := w.newEngineer("bob")
	if err != nil {
		return "", untested{err}
	}
	if err := other.isRevoked(w.system); err != nil {
		return "", fmt.Errorf("with another key: %w", err)
	}
	// His key is revoked: another name does not help.
	if _, err := w.revokes(8, "key:"+ssh.FingerprintSHA256(bob.key.PublicKey())); err != nil {
		return "", err
	}
	if err := w.again(plan{}); err != nil {
		return "", err
	}
	if err := w.knows(8); err != nil {
		return "", err
	}
	if bob.cert, err = connect.Certify(w.relay.vendor.supportCA, connect.CertificateRequest{Key: bob.key.PublicKey(), Name: "robert", Valid: time.Hour}); err != nil {
		return "", untested{err}
	}
	if err := bob.isRevoked(w.system); err != nil {
		return "", fmt.Errorf("under another name: %w", err)
	}
	if left := w.state().TriesLeft; left != 3 {
		return "", fmt.Errorf("he costs the customer tries: %d are left", left)
	}
	return "refused each of five times, and none cost the customer a try", w.after()
}

// policy puts a policy of the customer's in force.
func (s *system) policy(text string) error {
	if err := os.MkdirAll(s.root.Policies(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.root.Policies(), "site.hcl"), []byte(text), 0o644); err != nil {
		return err
	}
	_, err := s.agent.Reload(s.w.ctx, administrator)
	return err
}
