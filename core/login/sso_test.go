package login

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
)

// form is a user who fills in the form of the array's login.
type form struct {
	password []byte
	shown    []host.Notice
}

func (f *form) Ask(_ context.Context, fields []host.Field) (map[string][]byte, error) {
	return map[string][]byte{"user": []byte("ada"), "password": f.password}, nil
}

func (f *form) Show(_ context.Context, n host.Notice) error {
	f.shown = append(f.shown, n)
	return nil
}

// twoPlugins are the array's, which must never see the word, and the provider's.
type twoPlugins struct {
	method string
	seen   *[]string
	facts  *map[string]string
}

func (p twoPlugins) Close() error { return nil }

func (p twoPlugins) Authenticate(ctx context.Context, l host.Login, talk host.Conversation) (host.Identity, error) {
	*p.facts = l.Facts
	if p.method == "infinibox" {
		answers, err := talk.Ask(ctx, []host.Field{{Name: "user"}, {Name: "password", Secret: true}})
		if err != nil {
			return host.Identity{}, err
		}
		*p.seen = append(*p.seen, string(answers["password"]))
	}
	return host.Identity{User: "ada", Roles: []string{"admin"}, Method: p.method}, nil
}

// REQ B4
func TestPasswordSSO(t *testing.T) {
	for _, tt := range []struct {
		password string
		method   string
	}{
		{"SSO", SSO}, {"sso", "infinibox"}, {"SSO ", "infinibox"}, {" SSO", "infinibox"}, {"SSO\n", "infinibox"}, {"SS0", "infinibox"}, {"", "infinibox"},
	} {
		t.Run(tt.password, func(t *testing.T) {
			w := newWorld(t)
			if err := os.WriteFile(filepath.Join(w.opts.Config, "sso.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			var seen []string
			var facts map[string]string
			w.opts.Relay = func() string { return "rss.vendor.example:443" }
			w.opts.Open = func(method string, _ json.RawMessage) (Authenticator, error) {
				return twoPlugins{method, &seen, &facts}, nil
			}
			f := &form{password: []byte(tt.password)}
			got, err := w.Login(t.Context(), bob, How{Method: "infinibox", Redirect: "https://sa/back"}, f)
			if err != nil || got.Method != tt.method {
				t.Fatalf("%+v, %v", got, err)
			}
			if tt.method != SSO {
				if len(seen) != 1 || len(f.shown) != 0 {
					t.Errorf("seen %q, shown %v", seen, f.shown)
				}
				return
			}
			if len(seen) != 0 {
				t.Errorf("the array's plugin saw %q", seen)
			}
			if string(f.password) != "\x00\x00\x00" {
				t.Error("what was typed is not wiped")
			}
			if len(f.shown) != 1 || !strings.Contains(f.shown[0].Value, "is ignored; the configured one is used: rss.vendor.example:443") {
				t.Errorf("shown %+v", f.shown)
			}
			if facts[factRedirect] != "https://sa/back" {
				t.Errorf("facts %v", facts)
			}
			if len(w.audit.all) != 1 || w.audit.all[0].Type != audit.LoginOK || w.audit.all[0].Detail["method"] != SSO || w.audit.all[0].Detail[relayEvidence] != "configured" {
				t.Errorf("recorded %+v", w.audit.all)
			}
		})
	}
}

// Without a provider the word is no password either.
func TestPasswordSSOWithoutProvider(t *testing.T) {
	w := newWorld(t)
	var seen []string
	var facts map[string]string
	w.opts.Open = func(method string, _ json.RawMessage) (Authenticator, error) {
		return twoPlugins{method, &seen, &facts}, nil
	}
	_, err := w.Login(t.Context(), bob, How{Method: "infinibox"}, &form{password: []byte("SSO")})
	if err == nil || !strings.Contains(err.Error(), "logging in by sso is not set up") || len(seen) != 0 {
		t.Errorf("%v, seen %q", err, seen)
	}
}
