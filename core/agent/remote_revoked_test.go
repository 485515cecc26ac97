package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/revoke"
	"github.com/latchstring/latchstring/testdata/until"
)

// list signs a list of revoked certificates.
func (w *world) list(ca ssh.Signer, number uint64, issued time.Time, what ...string) []byte {
	w.t.Helper()
	l := revoke.List{Number: number, Issued: issued}
	for _, e := range what {
		l.Revoked = append(l.Revoked, revoke.Entry{What: e, Since: issued.UTC().Truncate(time.Second), Reason: "laptop stolen"})
	}
	raw, err := revoke.Sign(ca, l)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

func (w *world) publish(raw []byte) {
	w.t.Helper()
	if err := w.Engineer.PublishRevocations(w.t.Context(), raw); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) revoked(err error) bool {
	return codeOf(err) == string(handshake.CodeCertificate) && strings.Contains(err.Error(), "was revoked by the vendor") && strings.Contains(err.Error(), "laptop stolen")
}

// A revoked certificate is refused at the handshake; the list comes with the
// link.
func TestRevokedIsRefused(t *testing.T) {
	w := newWorld(t)
	name := fmt.Sprintf("serial:%d", w.Certificate.Serial)
	w.publish(w.list(w.SupportCA, 3, time.Now(), "name:mallory", name))
	o := w.on(control.OnRequest{})
	until.True(w.t, "the list is there", func() bool { return len(w.events(audit.RevocationsTaken)) == 1 })
	if _, err := w.dial(o.Secret); !w.revoked(err) {
		t.Errorf("%v", err)
	}
	if s := w.state(); s.TriesLeft != 3 {
		t.Errorf("it cost a try: %+v", s)
	}
	until.True(w.t, "it is told", func() bool {
		e := w.events(audit.ConnectionRefused)
		return len(e) == 1 && strings.Contains(e[0].Detail["reason"], name)
	})
	// A list that the vendor takes him from again lets him in, after a restart too.
	if w.stop(); len(w.events(audit.SessionEnded)) != 1 {
		t.Error("the session goes on")
	}
	w.publish(w.list(w.SupportCA, 4, time.Now(), "name:mallory"))
	w.start()
	o = w.on(control.OnRequest{})
	until.True(w.t, "the new list is there", func() bool { return len(w.events(audit.RevocationsTaken)) == 2 })
	w.enter(o.Secret)
}

// Who is in with a certificate that is revoked meanwhile is cut: by a list that
// was brought on a stick, and by policy of the customer.
func TestRevokedIsCut(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	conn, _ := w.enter(o.Secret)
	raw := w.list(w.SupportCA, 1, time.Now(), "key:"+ssh.FingerprintSHA256(w.Certificate.Key))
	if _, changed, err := revoke.Open(w.root.Revocations()).Take(raw, w.SupportCA.PublicKey()); err != nil || !changed {
		t.Fatal(err)
	}
	until.True(w.t, "he is cut", func() bool { return conn.Ended() != nil && len(w.state().Connections) == 0 })
	if e := w.events(audit.ConnectionCut); len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "was revoked by the vendor (key:SHA256:") {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(conn.Ended().Error(), "laptop stolen") {
		t.Errorf("he hears %v", conn.Ended())
	}
	if _, err := w.dial(o.Secret); !w.revoked(err) {
		t.Errorf("again: %v", err)
	}
	if _, _, err := revoke.Open(w.root.Revocations()).Take(w.list(w.SupportCA, 2, time.Now()), w.SupportCA.PublicKey()); err != nil {
		t.Fatal(err)
	}
	conn, _ = w.enter(w.secretNow())
	writePolicy(t, w.root, fmt.Sprintf(`engineer { revoked = ["serial:%d"] }`, w.Certificate.Serial))
	until.True(w.t, "policy cuts him", func() bool { return conn.Ended() != nil && len(w.state().Connections) == 0 })
	if _, err := w.dial(w.secretNow()); err == nil || !strings.Contains(err.Error(), "revoked here, by serial:") || !strings.Contains(err.Error(), "site.hcl:") {
		t.Errorf("%v", err)
	}
}

// A relay that keeps the list back, plays back an older one, forges one, or makes
// two of one number: what is known goes on to count, and each is told.
func TestHostileList(t *testing.T) {
	var answer atomic.Pointer[string]
	w := newWorld(t)
	good := w.list(w.SupportCA, 7, time.Now(), "name:ada")
	w.publish(good)
	w.on(control.OnRequest{})
	until.True(w.t, "the list is there", func() bool { return len(w.events(audit.RevocationsTaken)) == 1 })
	l := w.agent.remote.Load().current()
	idle := func() bool {
		l.revoked.mu.Lock()
		defer l.revoked.mu.Unlock()
		return !l.revoked.fetching
	}
	until.True(w.t, "it is done", idle)
	l.revoked.from = func(context.Context) ([]byte, error) {
		if a := *answer.Load(); a != "" {
			return []byte(a), nil
		}
		return nil, nil
	}
	other := anotherCA(t)
	for _, tt := range []struct {
		name, answer, want string
		number             uint64
	}{
		{"keeps it back", "", "keeps the list of revoked certificates back", 8},
		{"an older one", string(w.list(w.SupportCA, 6, time.Now())), "older than the one that is known", 8},
		{"another of that number", string(w.list(w.SupportCA, 7, time.Now().Add(time.Hour))), "another list of the same number", 8},
		{"forged", string(w.list(other, 8, time.Now())), "expected SHA256:", 8},
		{"rubbish", "rubbish", "list of revoked certificates: invalid", 8},
		{"says that it has an older one", "", "the relay has list 5 of revoked certificates, and 7 is known here", 5},
		{"says that it has none", "", "the relay has no list of revoked certificates", 0},
	} {
		answer.Store(&tt.answer)
		l.revoked.told(tt.number)
		until.True(w.t, tt.name+": it is refused", func() bool {
			for _, e := range w.events(audit.RevocationsRefused) {
				if strings.Contains(e.Detail["reason"], tt.want) {
					return true
				}
			}
			return false
		})
		until.True(w.t, "it is done", idle)
		if got := l.revoked.number(); got != 7 {
			t.Errorf("%s: %d counts", tt.name, got)
		}
		if _, err := w.dial(w.secretNow()); !w.revoked(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if n := len(w.events(audit.RevocationsTaken)); n != 1 {
		t.Errorf("%d lists were taken", n)
	}
}

// Against a relay that keeps the list back, policy can demand a fresh one: without
// it nobody gets in, and who is in is cut when it grows old.
func TestListMustBeFresh(t *testing.T) {
	w := newWorld(t)
	writePolicy(t, w.root, `engineer { revocations_max_age = "20m" }`)
	w.on(control.OnRequest{For: "8h"})
	if _, err := w.dial(w.secretNow()); err == nil || !strings.Contains(err.Error(), "no list of revoked certificates is known") {
		t.Errorf("without one: %v", err)
	}
	l := w.agent.remote.Load().current()
	w.publish(w.list(w.SupportCA, 1, time.Now().Add(-3*time.Hour)))
	l.revoked.told(1)
	until.True(w.t, "the old list is there", func() bool { return len(w.events(audit.RevocationsTaken)) == 1 })
	if _, err := w.dial(w.secretNow()); err == nil || !strings.Contains(err.Error(), "and no more than 20m are allowed") {
		t.Errorf("with an old one: %v", err)
	}
	w.publish(w.list(w.SupportCA, 2, time.Now()))
	l.revoked.told(2)
	until.True(w.t, "the new list is there", func() bool { return len(w.events(audit.RevocationsTaken)) == 2 })
	conn, _ := w.enter(w.secretNow())
	w.clock.pass(15 * time.Minute)
	w.agent.remote.Load().checkClocks()
	if conn.Ended() != nil {
		t.Errorf("cut too early: %v", conn.Ended())
	}
	w.clock.pass(10 * time.Minute)
	until.True(w.t, "he is cut", func() bool { return conn.Ended() != nil })
	if e := w.events(audit.ConnectionCut); len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "revocations_max_age") {
		t.Errorf("%+v", e)
	}
}

// The relay takes only what the support CA signed, and nothing that goes back.
func TestRelayTakesLists(t *testing.T) {
	w := newWorld(t)
	other := anotherCA(t)
	three := w.list(w.SupportCA, 3, time.Now(), "name:x")
	w.publish(three)
	w.publish(three) // once more is no error
	for name, raw := range map[string][]byte{"older": w.list(w.SupportCA, 2, time.Now()), "another": w.list(w.SupportCA, 3, time.Now()), "forged": w.list(other, 4, time.Now()), "rubbish": []byte("x")} {
		if err := w.Engineer.PublishRevocations(t.Context(), raw); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := w.SystemClient.PublishRevocations(t.Context(), w.list(w.SupportCA, 9, time.Now())); err == nil {
		t.Error("a system publishes")
	}
	for name, c := range map[string]*client.Client{"system": w.SystemClient, "engineer": w.Engineer} {
		if raw, err := c.Revocations(t.Context()); err != nil || string(raw) != string(three) {
			t.Errorf("%s gets %q, %v", name, raw, err)
		}
	}
	w.Stop()
	w.Start()
	if raw, err := w.Engineer.Revocations(t.Context()); err != nil || string(raw) != string(three) {
		t.Errorf("after a restart: %q, %v", raw, err)
	}
}

func anotherCA(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
