package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/disable"
	"github.com/latchstring/latchstring/core/disable/goodbye"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// sealedNow checks that nobody gets in any more, here or at the relay.
func (w *world) sealedNow(when string) {
	w.t.Helper()
	if s := w.state(); s.State != "off" {
		w.t.Errorf("%s: it is %s", when, s.State)
	}
	if _, err := w.agent.On(w.t.Context(), control.Self(), control.OnRequest{}); code(err) != 3 || !strings.Contains(err.Error(), "disabled for good") {
		w.t.Errorf("%s: on: %v", when, err)
	}
	if left := disable.Left(w.root, w.agent.system); len(left) > 0 {
		w.t.Errorf("%s: left: %v", when, left)
	}
	st, err := w.agent.Status(w.t.Context(), control.Self())
	if err != nil || !strings.Contains(st.Remote.Reason, "permanently disabled") {
		w.t.Errorf("%s: status: %+v, %v", when, st.Remote, err)
	}
}

func (w *world) atRelay() error {
	_, err := relaytest.Announce(w.t.Context(), w.ClientOf(w.System, w.Vendor), w.Vendor)
	return err
}

// REQ G6, G5: a policy file seals: seal first, the session is cut, the trust is
// destroyed, the relay takes the key for no session; the file's absence, other
// clocks, an open switch and a restart change nothing. Bundles go on.
func TestSealed(t *testing.T) {
	w := newWorld(t)
	if err := os.MkdirAll(w.root.Etc("auth.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.root.Etc("auth.d", "infinibox.json"), []byte(`{"password":"hunter2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o := w.on(control.OnRequest{})
	conn, c := w.enter(o.Secret)
	file, ended := w.sleeper(c, "seal")
	begin := time.Now()
	writePolicy(t, w.root, `remote_access = "permanently_disabled"`)
	<-ended
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it was cut after %s", took)
	}
	until.True(w.t, "it is off", func() bool { return w.state().State == "off" && conn.Ended() != nil })
	if alive(file) {
		t.Error("a process outlived the seal")
	}
	until.True(w.t, "the relay was told", func() bool { return !goodbye.Pending(w.root, w.Vendor) })
	var refused *api.Error
	if err := w.atRelay(); !errors.As(err, &refused) || refused.Code != api.CodeSealed {
		t.Errorf("the relay opens a session: %v", err)
	}
	if strings.Contains(w.everything(), "hunter2") {
		t.Error("the password of a login is still on disk")
	}
	w.sealedNow("sealed")
	if got := w.order(audit.SessionOpened, audit.SystemSealed, audit.ConnectionClosed, audit.SessionEnded, audit.TrustDestroyed, audit.SealTold); !strings.HasPrefix(got, "session.opened system.sealed connection.closed session.ended system.trust_destroyed") || !strings.HasSuffix(got, "seal_told") {
		t.Errorf("the order is %s", got)
	}

	writePolicy(t, w.root, ``)
	until.True(w.t, "the file is seen", func() bool { return w.agent.policyPrint() == w.agent.print() })
	w.sealedNow("the policy file is gone")
	for _, d := range []time.Duration{-20 * 365 * 24 * time.Hour, 60 * 365 * 24 * time.Hour} {
		w.clock.pass(d)
		w.sealedNow("another clock")
	}
	w.localConfig(`REMOTE_SUPPORT_ENABLE="yes"`)
	w.agent.refreshPolicy()
	w.sealedNow("the global switch")
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	w.start()
	w.sealedNow("restarted")

	for action, facts := range map[policy.Action]policy.Facts{
		policy.PluginLaunch:  {policy.Role: "auth", policy.Name: "challenge", policy.State: "builtin"},
		policy.TransportDial: {policy.Transport: "direct", policy.Address: "rss.example.com:443", policy.Purpose: "session"},
		policy.ConnectAccept: {policy.Engineer: "ada"},
	} {
		if d := w.agent.Decide(action, facts); d.Allowed || d.Rule.Key != "seal" {
			t.Errorf("%s: %+v", action, d)
		}
	}
	if d := w.agent.Decide(policy.BundleSend, policy.Facts{policy.RSS: "rss.example.com", policy.Bytes: "1"}); !d.Allowed {
		t.Errorf("bundles: %v", d.Err())
	}
}

// REQ G6: the state and the configuration of before are put back while the agent
// is down: the next start is sealed, and what came back is destroyed again.
func TestSealedAndRestored(t *testing.T) {
	for _, dirs := range [][]string{{"etc"}, {"var"}, {"etc", "var"}} {
		w := newWorld(t)
		w.on(control.OnRequest{})
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		backup := t.TempDir()
		if err := os.CopyFS(backup, os.DirFS(w.root.Dir)); err != nil {
			t.Fatal(err)
		}
		w.start()
		if err := seal.Seal(w.root, seal.Record{SealedAt: time.Now(), Bundles: true}); err != nil {
			t.Fatal(err)
		}
		until.True(w.t, "the agent sees it", func() bool { return len(disable.Left(w.root, w.agent.system)) == 0 })
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		for _, d := range dirs {
			if err := errors.Join(os.RemoveAll(filepath.Join(w.root.Dir, d)), os.CopyFS(filepath.Join(w.root.Dir, d), os.DirFS(filepath.Join(backup, d)))); err != nil {
				t.Fatal(err)
			}
		}
		for _, secret := range []string{"system_key", "lock", "vendor.json", "machine.json"} {
			_ = os.Chmod(filepath.Join(w.root.Identity(), secret), 0o600)
		}
		w.start()
		w.sealedNow(strings.Join(dirs, "+") + " restored")
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// A race: somebody turns it on while somebody seals. Whoever is first, a second
// later nothing is open, and the state says so.
func TestSealAgainstOn(t *testing.T) {
	for _, lead := range []time.Duration{-30 * time.Millisecond, 0, 5 * time.Millisecond, 20 * time.Millisecond} {
		w := newWorld(t)
		opened := make(chan error, 1)
		turnOn := func() {
			_, err := w.agent.On(context.Background(), control.Self(), control.OnRequest{})
			opened <- err
		}
		if lead >= 0 {
			go turnOn()
			time.Sleep(lead)
		} else {
			time.AfterFunc(-lead, turnOn)
		}
		if err := seal.Seal(w.root, seal.Record{SealedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		sealedAt := time.Now()
		err := <-opened
		until.True(w.t, "nothing is open", func() bool { return w.state().State == "off" })
		if took := time.Since(sealedAt); took > 2*time.Second {
			t.Errorf("it was off after %s (on: %v)", took, err)
		}
		until.True(w.t, "the trust is gone", func() bool { return len(disable.Left(w.root, w.agent.system)) == 0 })
		w.sealedNow("after the race")
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// Sealed while the relay cannot be reached: status says what is left to do.
func TestSealedOffline(t *testing.T) {
	w := newWorld(t)
	w.Stop()
	writePolicy(t, w.root, `remote_access = "permanently_disabled"`)
	until.True(w.t, "it is sealed", func() bool { return seal.Check(w.root).Sealed })
	st, err := w.agent.Status(t.Context(), control.Self())
	if err != nil || !strings.Contains(strings.Join(st.Problems, "\n"), "does not know yet") || !strings.Contains(strings.Join(st.Problems, "\n"), "disabled.txt.sig") {
		t.Errorf("%v, %v", st.Problems, err)
	}
	w.Start()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	// A start tells nobody: what is off keeps quiet (REQ H6). Asked for, it does.
	w.start()
	if !goodbye.Pending(w.root, w.Vendor) {
		t.Skip("the relay came back in time")
	}
	if told, err := w.agent.TellSealed(t.Context()); !told || err != nil {
		t.Errorf("%t, %v", told, err)
	}
	if st, _ := w.agent.Status(t.Context(), control.Self()); strings.Contains(strings.Join(st.Problems, "\n"), "does not know") {
		t.Errorf("%v", st.Problems)
	}
}
