package agent

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
)

// An engineer in his shell, whom the vendor could help to any login, does not get
// to decide for the customer; nor does root in that shell by the same way.
// REQ A9, B2, C9
func TestEngineersDoNotControlTheirSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.on(control.OnRequest{For: "1h"})
	_, c := w.enter(o.Secret)
	file, _ := w.sleeper(c, "insider")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	ctx, a := t.Context(), w.agent
	try := map[string]func(control.Caller) error{
		"on": func(by control.Caller) error { _, err := a.On(ctx, by, control.OnRequest{}); return err },
		"extend": func(by control.Caller) error {
			_, err := a.Extend(ctx, by, control.ExtendRequest{By: "1h"})
			return err
		},
		"secret":  func(by control.Caller) error { _, err := a.Secret(ctx, by, control.SecretRequest{}); return err },
		"approve": func(by control.Caller) error { _, err := a.Approve(ctx, by, "con-00000000"); return err },
		"login": func(by control.Caller) error {
			_, err := a.Login(ctx, by, control.LoginRequest{Method: "challenge"}, nil)
			return err
		},
		"certificate": func(by control.Caller) error {
			if by.Trusted() {
				return w.agent.outsider(by, "x") // who acts as root can change root's files
			}
			_, err := a.SelfSignCertificate(ctx, by, control.CertificateSubject{CommonName: "evil"})
			return err
		},
		"key": func(by control.Caller) error {
			if by.Trusted() {
				return w.agent.outsider(by, "x")
			}
			_, err := a.CertificateKey(ctx, by)
			return err
		},
		"restart": func(by control.Caller) error { return a.Restart(ctx, by) },
		"consent": func(by control.Caller) error {
			_, err := a.ConfirmLogin(ctx, by, control.Confirmation{ID: "X", Yes: true})
			return err
		},
	}
	inside := []control.Caller{{UID: 4242, User: "support", PID: int32(pid)}, {UID: 0, User: "root", PID: int32(pid)},
		control.OfBrowser("b", "root", "127.0.0.1", 0, int32(pid)),         // a browser in his shell
		control.OfBrowser("b", "root", "127.0.0.1", 0, int32(os.Getpid()))} // one that comes through a forward of his
	for name, f := range try {
		for _, by := range inside {
			if err := f(by); err == nil || !strings.Contains(err.Error(), "engineers who are connected") {
				t.Errorf("%s by %s: %v", name, by.User, err)
			}
		}
	}
	if err := a.Admit(control.Caller{UID: 4242, PID: int32(pid)}, "POST /v1/connections/{id}/approve"); err == nil || !strings.Contains(err.Error(), "engineers") {
		t.Errorf("admit: %v", err)
	}
	if n := len(w.events(audit.AccessRefused)); n != len(inside)*len(try)+1 {
		t.Errorf("%d refusals are recorded, not %d", n, len(inside)*len(try)+1)
	}
	if _, err := a.Extend(ctx, control.Self(), control.ExtendRequest{By: "10m"}); err != nil {
		t.Errorf("root of the customer: %v", err)
	}
}

// A local user who has not logged in sees that somebody is in, not who, for which
// case, from where and by which way.
func TestStatusForStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.on(control.OnRequest{For: "1h", Case: "CS-4711"})
	w.enter(o.Secret)
	full, err := w.agent.Status(t.Context(), control.Self())
	if err != nil || len(full.Remote.Connections) != 1 {
		t.Fatalf("%+v, %v", full.Remote, err)
	}
	s, err := w.agent.Status(t.Context(), control.Caller{UID: 4242, User: "nosy"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"CS-4711", full.System.ID, full.System.RSS, full.Policy.Hash, full.Remote.By, full.Remote.RSS, full.Remote.System, full.Remote.Connections[0].Engineer, full.Remote.Connections[0].From}
	for _, secret := range secrets {
		if secret == "" {
			t.Errorf("the test looks for nothing: %q", secrets)
		}
		if strings.Contains(string(b), strconv.Quote(secret)) {
			t.Errorf("%s is told to everybody: %s", secret, b)
		}
	}
	if s.Remote.State != full.Remote.State || len(s.Remote.Connections) != 1 {
		t.Errorf("that somebody is in is not told: %s", b)
	}
}
