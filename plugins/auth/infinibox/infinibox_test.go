package infinibox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
	fake "github.com/latchstring/latchstring/testdata/infinibox"
	"github.com/latchstring/latchstring/testdata/until"
)

// lab is an array with two management addresses.
type lab struct {
	box   *fake.Box
	nodes []*httptest.Server
}

func newLab(t *testing.T, o fake.Options) *lab {
	l := &lab{box: fake.New(o)}
	for i := range 2 {
		srv := httptest.NewUnstartedServer(l.box.Node(i))
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		l.nodes = append(l.nodes, srv)
	}
	return l
}

func (l *lab) settings() map[string]any {
	return map[string]any{
		"addresses": []string{l.nodes[0].Listener.Addr().String(), l.nodes[1].Listener.Addr().String()},
		"pin":       trust.ShowPin(sha256.Sum256(l.nodes[0].Certificate().Raw)),
		"timeout":   "2s",
	}
}

func method(t *testing.T, set map[string]any) *Method {
	t.Helper()
	m := New()
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Decode(m.Config(), data); err != nil {
		t.Fatal(err)
	}
	return m
}

// person types a name and a password.
type person struct {
	user, password string
	shown          []auth.Notice
	given          auth.Answers
}

func (p *person) Ask(context.Context, ...auth.Field) (auth.Answers, error) {
	p.given = auth.Answers{"user": config.NewSecret(p.user), "password": config.NewSecret(p.password)}
	return p.given, nil
}

func (p *person) Show(_ context.Context, n auth.Notice) error {
	p.shown = append(p.shown, n)
	return nil
}

func TestConformance(t *testing.T) {
	l := newLab(t, fake.Options{})
	plugintest.Auth(t, func() auth.Method { return New() }, plugintest.Options{
		Config: l.settings(),
		Login:  &plugintest.Login{Answers: map[string]string{"user": "admin", "password": "123456"}, User: "admin"},
	})
	if n := l.box.Sessions(); n != 0 {
		t.Errorf("%d sessions were not closed", n)
	}
}

// REQ B2, C1
func TestWhoGetsIn(t *testing.T) {
	users := append(fake.DefaultUsers(),
		fake.User{Name: "small", Password: "p", Role: "admin"}, fake.User{Name: "camel", Password: "p", Role: "PoolAdmin"},
		fake.User{Name: "both", Password: "p", Role: "READ_ONLY,ADMIN"}, fake.User{Name: "none", Password: "p"},
		fake.User{Name: "dotless", Password: "p", Role: "admın"},
		fake.User{Name: "quoted", Password: "\"\\\n\x01ü", Role: "ADMIN"})
	for _, tt := range []struct {
		user, password string
		want           failure.Code
	}{
		{"admin", "123456", ""}, {"ADMIN", "123456", ""}, {"ldap-admin", "ldap-pass", ""}, {"small", "p", ""}, {"both", "p", ""},
		{"quoted", "\"\\\n\x01ü", ""},
		{"admin", "wrong", auth.BadLogin}, {"nobody", "x", auth.BadLogin}, {"gone", "gone-pass", auth.BadLogin},
		{"", "123456", auth.BadLogin}, {"admin", "", auth.BadLogin}, {"admin", "\xff", auth.BadLogin}, {"a\x1b[2J", "123456", auth.BadLogin},
		{"reader", "reader-pass", auth.Denied}, {"pool", "pool-pass", auth.Denied}, {"tech", "tech-pass", auth.Denied},
		{"camel", "p", auth.Denied}, {"none", "p", auth.Denied}, {"dotless", "p", auth.Denied},
	} {
		t.Run(tt.user+"/"+string(tt.want), func(t *testing.T) {
			l := newLab(t, fake.Options{Users: users})
			p := &person{user: tt.user, password: tt.password}
			id, err := method(t, l.settings()).Authenticate(t.Context(), auth.Request{}, p)
			if tt.want == "" {
				if err != nil || !strings.EqualFold(id.User, tt.user) || id.Roles[0] != "admin" || id.Evidence["serial"] != "4242" || id.Evidence["certificate"] != "pinned" {
					t.Errorf("%+v, %v", id, err)
				}
			} else if !errors.Is(err, tt.want) || id.User != "" {
				t.Errorf("%+v, %v, want %s", id, err, tt.want)
			}
			if err != nil && (failure.From(err).Hint == "" || strings.Contains(failure.From(err).Hint, "challenge")) {
				t.Errorf("hint %q", failure.From(err).Hint)
			}
			if n := l.box.Sessions(); n != 0 {
				t.Errorf("%d sessions stay open", n)
			}
			if !p.given["password"].IsZero() {
				t.Error("the password was not wiped")
			}
		})
	}
}

// REQ B4: SSO is never sent to the array.
func TestSSOIsNoPassword(t *testing.T) {
	l := newLab(t, fake.Options{})
	_, err := method(t, l.settings()).Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: "SSO"})
	if !errors.Is(err, auth.Denied) || l.box.Logins() != 0 {
		t.Errorf("%v, %d logins", err, l.box.Logins())
	}
}

func TestTrouble(t *testing.T) {
	admin := person{user: "admin", password: "123456"}
	for _, tt := range []struct {
		name    string
		trouble fake.Trouble
		who     person
		want    failure.Code // "" is a login
		says    string
	}{
		{"node A does not serve", fake.Trouble{Unavailable: []int{0}}, admin, "", ""},
		{"no node serves", fake.Trouble{Unavailable: []int{0, 1}}, admin, auth.Unreachable, "503"},
		{"html 500", fake.Trouble{Status: 500}, admin, auth.Unreachable, "500"},
		{"html 200", fake.Trouble{Status: 200}, admin, auth.Unreachable, "not that of an InfiniBox"},
		{"redirect", fake.Trouble{Status: 302}, admin, auth.Unreachable, "302"},
		{"reset", fake.Trouble{Reset: true}, admin, auth.Unreachable, "does not answer"},
		{"truncated", fake.Trouble{Truncate: true}, admin, auth.Unreachable, "not that of an InfiniBox"},
		{"slow", fake.Trouble{Delay: 10 * time.Second}, admin, auth.Unreachable, "does not answer"},
		{"gone in the middle", fake.Trouble{Reset: true, Only: "system"}, admin, "", ""},
		{"session expired", fake.Trouble{Expire: true}, admin, "", ""},
		{"refused by 403", fake.Trouble{Refuse: 403}, person{user: "admin", password: "wrong"}, auth.BadLogin, "wrong user name or password"},
		{"refused without a body", fake.Trouble{Refuse: 401, Bare: true}, person{user: "admin", password: "wrong"}, auth.BadLogin, "wrong user name or password"},
		{"html 401", fake.Trouble{Status: 401}, admin, auth.BadLogin, "wrong user name or password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, fake.Options{})
			l.box.Knobs.Set(tt.trouble)
			set := l.settings()
			set["timeout"] = "300ms"
			if tt.want != auth.Unreachable {
				set["timeout"] = "5s"
			}
			id, err := method(t, set).Authenticate(t.Context(), auth.Request{}, &tt.who)
			if tt.want == "" {
				if err != nil || id.User != "admin" {
					t.Errorf("%+v, %v", id, err)
				}
			} else if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %s with %q", err, tt.want, tt.says)
			}
			// Only an array that is not there is a reason for the other way in.
			if suggests := err != nil && strings.Contains(failure.From(err).Hint, "challenge"); suggests != (tt.want == auth.Unreachable) {
				t.Errorf("challenge is suggested: %v (%q)", suggests, failure.From(err).Hint)
			}
			if n := l.box.Sessions(); n != 0 {
				t.Errorf("%d sessions stay open", n)
			}
			if tt.want == auth.BadLogin && l.box.Logins() > 1 {
				t.Error("a wrong password was tried at both addresses")
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l := newLab(t, fake.Options{})
	set := l.settings()
	l.nodes[0].Close()
	if id, err := method(t, set).Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: "123456"}); err != nil || id.User != "admin" {
		t.Errorf("node A down: %+v, %v", id, err)
	}
	l.nodes[1].Close()
	_, err := method(t, set).Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: "123456"})
	if !errors.Is(err, auth.Unreachable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("both down: %v", err)
	}
}

// The password goes to nobody who does not prove to be the array.
func TestCertificates(t *testing.T) {
	wrong := trust.ShowPin(sha256.Sum256([]byte("another")))
	for _, tt := range []struct {
		name   string
		change func(l *lab, set map[string]any)
		ok     bool
		trust  string
	}{
		{"pin", func(*lab, map[string]any) {}, true, "pinned"},
		{"pin in hex", func(l *lab, set map[string]any) {
			set["pin"] = fmt.Sprintf("%X", sha256.Sum256(l.nodes[0].Certificate().Raw))
		}, true, "pinned"},
		{"another pin", func(_ *lab, set map[string]any) { set["pin"] = wrong }, false, ""},
		{"authority", func(l *lab, set map[string]any) {
			delete(set, "pin")
			set["ca"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.nodes[0].Certificate().Raw}))
		}, true, "own authority"},
		{"nothing set", func(_ *lab, set map[string]any) { delete(set, "pin") }, false, ""},
		{"not verified", func(_ *lab, set map[string]any) {
			delete(set, "pin")
			set["insecure_skip_verify"] = true
		}, true, notVerified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, fake.Options{})
			set := l.settings()
			tt.change(l, set)
			p := &person{user: "admin", password: "123456"}
			id, err := method(t, set).Authenticate(t.Context(), auth.Request{}, p)
			if tt.ok {
				if err != nil || id.Evidence["certificate"] != tt.trust {
					t.Errorf("%+v, %v", id, err)
				}
				if loud := len(p.shown) == 1 && strings.Contains(p.shown[0].Value, "NOT verified"); loud != (tt.trust == notVerified) {
					t.Errorf("shown %+v", p.shown)
				}
				return
			}
			if !errors.Is(err, auth.Unreachable) || !strings.Contains(failure.From(err).Hint, "certificate") || l.box.Logins() != 0 {
				t.Errorf("%v, hint %q, %d passwords sent", err, failure.From(err).Hint, l.box.Logins())
			}
		})
	}
}

// A login that the user gives up while the array thinks is closed all the same.
func TestCancelledLoginIsLoggedOut(t *testing.T) {
	l := newLab(t, fake.Options{})
	l.box.Knobs.Set(fake.Trouble{Delay: 200 * time.Millisecond, Only: "users/login"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := method(t, l.settings()).Authenticate(ctx, auth.Request{}, &person{user: "admin", password: "123456"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 190*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	until.OK(t, "there was a login, and its session is closed", func() error {
		if logins, sessions := l.box.Logins(), l.box.Sessions(); logins == 0 || sessions > 0 {
			return fmt.Errorf("%d logins, %d sessions", logins, sessions)
		}
		return nil
	})
}

func TestSettings(t *testing.T) {
	for name, set := range map[string]map[string]any{
		"addresses": {}, "addresses ": {"addresses": []string{"https://box/"}}, "addresses  ": {"addresses": []string{"box:0"}},
		"addresses   ":         {"addresses": strings.Split("a,b,c,d,e,f,g,h,i", ",")},
		"pin":                  {"addresses": []string{"box"}, "pin": "SHA256:short"},
		"ca":                   {"addresses": []string{"box"}, "ca": "none"},
		"insecure_skip_verify": {"addresses": []string{"box"}, "pin": strings.Repeat("ab", 32), "insecure_skip_verify": true},
		"timeout":              {"addresses": []string{"box"}, "timeout": "0s"},
	} {
		data, _ := json.Marshal(set)
		if err := config.Decode(New().Config(), data); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for in, want := range map[string]string{"box": "box:443", "::1": "[::1]:443", "[::1]": "[::1]:443", "[::1]:8443": "[::1]:8443", "10.0.0.1:1": "10.0.0.1:1"} {
		if got, err := withPort(in); got != want || err != nil {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

// The canary is in nothing that anybody keeps.
func TestPasswordStaysInside(t *testing.T) {
	const canary = "canary-correct-horse"
	var logs bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(old)
	for _, trouble := range []fake.Trouble{{}, {Status: 500}, {Reset: true}, {Truncate: true}} {
		l := newLab(t, fake.Options{Users: []fake.User{{Name: "admin", Password: canary, Role: "READ_ONLY"}}})
		l.box.Knobs.Set(trouble)
		id, err := method(t, l.settings()).Authenticate(t.Context(), auth.Request{}, &person{user: "admin", password: canary})
		if all := fmt.Sprintf("%+v %+v %v %s", id, err, failure.From(err).Hint, logs.String()); strings.Contains(all, canary) {
			t.Errorf("%+v: %s", trouble, all)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("pass\"word\\\n\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // refused before
		}
		var got string
		if err := json.Unmarshal(quote(nil, []byte(s)), &got); err != nil || got != s {
			t.Errorf("%q became %q, %v", s, got, err)
		}
	})
}
