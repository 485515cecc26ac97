package sso

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
)

// steps runs a probe and writes down what it shows.
func steps(t *testing.T, m *Method) (string, error) {
	t.Helper()
	var b strings.Builder
	err := m.Probe(t.Context(), func(s auth.Step) {
		b.WriteString(s.Name + ": " + s.Detail)
		if s.Err != nil {
			b.WriteString(" FAILED " + s.Err.Error())
			if failure.From(s.Err).Hint == "" {
				t.Errorf("%v has no hint", s.Err)
			}
		}
		b.WriteString("\n")
	})
	if strings.Contains(b.String(), clientSecret) {
		t.Errorf("a secret is in %s", b.String())
	}
	return b.String(), err
}

// REQ B7
func TestProbe(t *testing.T) {
	const path = "/.well-known/openid-configuration"
	for _, tt := range []struct {
		name     string
		set      func(*op)
		settings []any
		code     failure.Code
		says     string
	}{
		{name: "all is well", says: "known as latchstring\nlogin on command lines: offered"},
		{name: "no device flow", set: func(p *op) {
			p.discover = func(d map[string]any) { delete(d, "device_authorization_endpoint") }
		}, says: "only the web page"},
		{name: "down", set: func(p *op) { p.Close() }, code: auth.Unreachable, says: "identity provider:"},
		{name: "another issuer", set: func(p *op) {
			p.discover = func(d map[string]any) { d["issuer"] = "https://evil.example" }
		}, code: auth.Config, says: "another one"},
		{name: "another secret", settings: []any{"client_secret", "x"}, code: auth.Config, says: "at the identity provider:  FAILED the identity provider does not serve this client"},
		{name: "tokens for anybody", set: func(p *op) {
			p.token = func(w http.ResponseWriter) bool {
				reply(w, 200, map[string]any{"access_token": "x", "token_type": "Bearer"})
				return true
			}
		}, code: auth.Config, says: "codes that it never made"},
		{name: "no keys", set: func(p *op) {
			p.trouble["/keys"] = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }
		}, code: auth.Unreachable, says: "no keys"},
		{name: "clock", set: func(p *op) {
			p.trouble[path] = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
				p.serveDiscovery(w, r)
			}
		}, code: auth.Config, says: "ahead of the other's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newOP(t)
			s := p.settings()
			if tt.set != nil {
				tt.set(p)
			}
			got, err := steps(t, method(t, s, tt.settings...))
			if tt.code == "" && err != nil || tt.code != "" && !errors.Is(err, tt.code) || !strings.Contains(got, tt.says) {
				t.Errorf("%s%v, want %s with %q", got, err, tt.code, tt.says)
			}
		})
	}
}

func TestProbeSAML(t *testing.T) {
	p := newIDP(t)
	got, err := steps(t, method(t, p.settings()))
	if err != nil || !strings.Contains(got, p.URL+"/metadata") || !strings.Contains(got, "clocks: 0s apart") || !strings.Contains(got, "certificates for signatures: 1, good until") {
		t.Errorf("%s%v", got, err)
	}
	m := method(t, p.settings())
	m.now = func() time.Time { return time.Now().Add(48 * time.Hour) }
	if got, err := steps(t, m); !errors.Is(err, auth.Config) {
		t.Errorf("%s%v", got, err)
	}
	s := p.settings()
	p.Close()
	if got, err := steps(t, method(t, s)); !errors.Is(err, auth.Unreachable) {
		t.Errorf("%s%v", got, err)
	}
}
