package sso

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

// REQ C7
func TestCode(t *testing.T) {
	p := newOP(t)
	u := &user{visit: p.visit}
	id, err := method(t, p.settings(), "max_age", "10m", "mfa_acr", []string{"gold"}).Authenticate(t.Context(), web(), u)
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "ada" || id.Method != "sso" || len(id.Roles) != 1 || id.Roles[0] != "admin" {
		t.Errorf("%+v", id)
	}
	for k, want := range map[string]string{"issuer": p.URL, "subject": "u-17", "acr": "gold", "amr": "pwd mfa", "mfa": "true", "flow": "code", "certificate": "own authority", "protocol": "oidc"} {
		if id.Evidence[k] != want {
			t.Errorf("evidence %s is %q, want %q", k, id.Evidence[k], want)
		}
	}
	q := p.asked[0]
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || len(q.Get("state")) < 20 || q.Get("max_age") != "600" || q.Get("acr_values") != "gold" || q.Get("redirect_uri") != redirect || q.Get("response_type") != "code" {
		t.Errorf("asked with %v", q)
	}
	if !u.given[Callback].IsZero() {
		t.Error("the answer is not wiped")
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	p := newOP(t)
	p.device = []string{"authorization_pending"}
	u := &user{}
	id, err := method(t, p.settings()).Authenticate(t.Context(), cli(), u)
	if err != nil || id.User != "ada" || u.asked != 0 || id.Evidence["flow"] != "device" {
		t.Fatalf("%+v, %v; asked %d times", id, err, u.asked)
	}
	if n := u.shown[0]; n.Value != "WDJB-MJHT" || n.URL != p.URL+"/activate" || n.Expires.IsZero() || !strings.Contains(n.Label, "log in on sa") {
		t.Errorf("shown %+v", n)
	}
}

func TestDeviceRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*op)
		code failure.Code
		says string
	}{
		{"denied", func(p *op) { p.device = []string{"access_denied"} }, auth.Denied, "says no (access_denied)"},
		{"expired", func(p *op) { p.device = []string{"expired_token"} }, auth.Timeout, "nobody logged in"},
		{"not allowed to this client", func(p *op) { p.device = []string{"unauthorized_client"} }, auth.Config, "does not serve this client"},
		{"gone in the middle", func(p *op) {
			p.trouble["/token"] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, auth.Unreachable, "is not available"},
		{"no such endpoint", func(p *op) {
			p.discover = func(d map[string]any) { delete(d, "device_authorization_endpoint") }
		}, failure.Unsupported, "no login for command lines"},
		{"a page that is no page", func(p *op) {
			p.trouble["/device"] = func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 200, map[string]any{"device_code": "d", "user_code": "A\x1b[2J", "verification_uri": "http://evil.example"})
			}
		}, auth.Unreachable, "no usable code"},
		{"a token of another login", func(p *op) { p.change = func(c map[string]any) { c["nonce"] = "other" } }, auth.Denied, "another login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newOP(t)
			tt.set(p)
			id, err := method(t, p.settings()).Authenticate(t.Context(), cli(), &user{})
			refused(t, id, err, tt.code, tt.says)
		})
	}
}

// refused holds an error to its code and its text, and to what must not be in it.
func refused(t *testing.T, id auth.Identity, err error, code failure.Code, says string) {
	t.Helper()
	if id.User != "" || !errors.Is(err, code) || !strings.Contains(err.Error(), says) {
		t.Errorf("%+v, %v (%+v); want %s with %q", id, err, failure.From(err), code, says)
		return
	}
	f := failure.From(err)
	for _, canary := range []string{clientSecret, "access-c4n4ry", "device-code", "eyJ"} {
		if strings.Contains(f.Message+f.Hint, canary) {
			t.Errorf("%q is in %v", canary, err)
		}
	}
	if f.Hint == "" {
		t.Errorf("%v has no hint", err)
	}
}

// Every way in which a provider's token, or an attacker's, does not hold.
func TestTokens(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(*op) {
		return func(p *op) { p.change = func(c map[string]any) { c[name] = v } }
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	for _, tt := range []struct {
		name     string
		set      func(*op)
		code     failure.Code
		says     string
		settings []any
	}{
		{name: "wrong audience", set: set("aud", "somebody"), code: auth.Denied, says: "audience"},
		{name: "several audiences without azp", set: set("aud", []string{clientID, "x"}), code: auth.Denied, says: "another client (azp)"},
		{name: "azp of another", set: set("azp", "x"), code: auth.Denied, says: "another client (azp)"},
		{name: "azp that is no text", set: set("azp", []string{clientID}), code: auth.Denied, says: "another client (azp)"},
		{name: "other issuer", set: set("iss", "https://evil.example"), code: auth.Denied, says: "different provider"},
		{name: "expired", set: set("exp", ago(time.Second)), code: auth.Denied, says: "it has expired"},
		{name: "no expiry", set: set("exp", nil), code: auth.Denied, says: "it has expired"},
		{name: "issued in the future", set: set("iat", ago(-10*time.Minute)), code: auth.Denied, says: "in the future"},
		{name: "not yet valid", set: set("nbf", ago(-time.Hour)), code: auth.Denied, says: "nbf"},
		{name: "replayed: another nonce", set: set("nonce", "other"), code: auth.Denied, says: "another login (nonce)"},
		{name: "no nonce", set: set("nonce", nil), code: auth.Denied, says: "another login (nonce)"},
		{name: "another access token", set: set("at_hash", "AAAA"), code: auth.Denied, says: "another access token"},
		{name: "alg none", set: func(p *op) {
			p.sign = func(c []byte) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(c) + "."
			}
		}, code: auth.Denied, says: "does not hold"},
		{name: "HMAC with the client secret", set: func(p *op) {
			p.sign = func(c []byte) string { return signed(c, jose.HS256, []byte(clientSecret+clientSecret), "k") }
		}, code: auth.Denied, says: "does not hold"},
		{name: "HMAC with the public key", set: func(p *op) {
			p.sign = func(c []byte) string { return signed(c, jose.HS256, key().PublicKey.N.Bytes(), "k") }
		}, code: auth.Denied, says: "does not hold"},
		{name: "another key", set: func(p *op) {
			p.sign = func(c []byte) string { return signed(c, jose.RS256, other, "k") }
		}, code: auth.Denied, says: "does not hold"},
		{name: "changed after it was signed", set: func(p *op) {
			p.sign = func(c []byte) string {
				parts := strings.Split(signed(c, jose.RS256, key(), "k"), ".")
				parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(c), "ada", "eve", 1)))
				return strings.Join(parts, ".")
			}
		}, code: auth.Denied, says: "does not hold"},
		{name: "no token", set: func(p *op) { p.sign = func([]byte) string { return "" } }, code: auth.Denied, says: "no id token"},
		{name: "no role", set: set("groups", []string{"staff"}), code: auth.Denied, says: "ada, but not as an administrator (groups is staff)"},
		{name: "no roles at all", set: set("groups", nil), code: auth.Denied, says: "groups is none"},
		{name: "a role that is nearly it", set: set("groups", "Storage-Admins"), code: auth.Denied, says: "not as an administrator"},
		{name: "roles of another type", set: set("groups", map[string]any{"storage-admins": true}), code: auth.Denied, says: "not as an administrator"},
		{name: "old auth_time", set: set("auth_time", ago(time.Hour)), settings: []any{"max_age", "10m"}, code: auth.Denied, says: "ago; 10m0s is allowed"},
		{name: "no auth_time", set: set("auth_time", nil), settings: []any{"max_age", "10m"}, code: auth.Denied, says: "does not say when"},
		{name: "auth_time in the future", set: set("auth_time", ago(-time.Hour)), code: auth.Denied, says: "in the future"},
		{name: "auth_time that is none", set: set("auth_time", 1e300), code: auth.Denied, says: "no time"},
		{name: "no second factor", set: func(p *op) {
			p.change = func(c map[string]any) { c["amr"], c["acr"] = []string{"pwd"}, "0" }
		}, settings: []any{"require_mfa", true}, code: auth.Denied, says: "second factor (acr 0, amr pwd)"},
		{name: "no name", set: set("preferred_username", "a\nb"), code: auth.Config, says: "does not say who"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newOP(t)
			tt.set(p)
			id, err := method(t, p.settings(), tt.settings...).Authenticate(t.Context(), web(), &user{visit: p.visit})
			refused(t, id, err, tt.code, tt.says)
		})
	}
}

// What a browser brings back is not what its own login asked for.
func TestCallbacks(t *testing.T) {
	for _, tt := range []struct {
		name string
		back func(url.Values)
		code failure.Code
		says string
	}{
		{"another state", func(v url.Values) { v.Set("state", "other") }, auth.BadLogin, "another login"},
		{"no state", func(v url.Values) { v.Del("state") }, auth.BadLogin, "another login"},
		{"two states", func(v url.Values) { v.Add("state", "x") }, auth.BadLogin, "twice"},
		{"another provider", func(v url.Values) { v.Set("iss", "https://evil.example") }, auth.BadLogin, "another identity provider"},
		{"no code", func(v url.Values) { v.Del("code") }, auth.BadLogin, "no code"},
		{"a code that is none", func(v url.Values) { v.Set("code", "x") }, auth.BadLogin, "does not know this login"},
		{"denied", func(v url.Values) { v.Set("error", "access_denied"); v.Set("error_description", "no\x1b[2J way") }, auth.Denied, `says no (access_denied: no\x1b[2J way)`},
		{"login required", func(v url.Values) { v.Set("error", "login_required") }, auth.Denied, "says no"},
		{"broken", func(v url.Values) { v.Set("error", "server_error") }, auth.Unreachable, "does not work"},
		{"an error without state", func(v url.Values) { v.Set("error", "access_denied"); v.Del("state") }, auth.BadLogin, "another login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newOP(t)
			p.callback = tt.back
			id, err := method(t, p.settings()).Authenticate(t.Context(), web(), &user{visit: p.visit})
			refused(t, id, err, tt.code, tt.says)
		})
	}
	t.Run("stolen from another browser", func(t *testing.T) {
		p := newOP(t)
		m := method(t, p.settings())
		victim := &user{}
		stolen := ""
		victim.visit = func(address string) string {
			stolen = p.visit(address)
			return "" // the victim's browser never comes back
		}
		m.Authenticate(t.Context(), web(), victim)
		id, err := m.Authenticate(t.Context(), web(), &user{visit: func(string) string { return stolen }})
		refused(t, id, err, auth.BadLogin, "another login")
		// With the state of his own login the code does not fit the verifier.
		thief := &user{visit: func(address string) string {
			u, _ := url.Parse(address)
			v, _ := url.ParseQuery(stolen)
			v.Set("state", u.Query().Get("state"))
			return v.Encode()
		}}
		id, err = m.Authenticate(t.Context(), web(), thief)
		refused(t, id, err, auth.BadLogin, "does not know this login")
	})
	t.Run("answer without issuer", func(t *testing.T) {
		p := newOP(t)
		p.discover = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = true }
		id, err := method(t, p.settings()).Authenticate(t.Context(), web(), &user{visit: p.visit})
		refused(t, id, err, auth.BadLogin, "another identity provider")
	})
}

// The provider is down, lies about itself or is somebody else.
func TestProviders(t *testing.T) {
	const path = "/.well-known/openid-configuration"
	for _, tt := range []struct {
		name     string
		set      func(*op)
		settings []any
		code     failure.Code
		says     string
	}{
		{name: "down", set: func(p *op) { p.Close() }, code: auth.Unreachable, says: "is not available"},
		{name: "hangs up", set: func(p *op) {
			p.trouble[path] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, code: auth.Unreachable, says: "is not available"},
		{name: "slow", set: func(p *op) {
			p.trouble[path] = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		}, settings: []any{"timeout", "100ms"}, code: auth.Unreachable, says: "is not available"},
		{name: "no JSON", set: func(p *op) {
			p.trouble[path] = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }
		}, code: auth.Unreachable, says: "is not available"},
		{name: "too much", set: func(p *op) {
			p.trouble[path] = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat(" ", 2<<20)) }
		}, code: auth.Unreachable, says: "is not available"},
		{name: "elsewhere", set: func(p *op) {
			p.trouble[path] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://evil.example/", http.StatusFound)
			}
		}, code: auth.Unreachable, says: "is not available"},
		{name: "another issuer", set: func(p *op) {
			p.discover = func(d map[string]any) { d["issuer"] = "https://evil.example" }
		}, code: auth.Config, says: "another one"},
		{name: "plain http", set: func(p *op) {
			p.discover = func(d map[string]any) { d["token_endpoint"] = "http://127.0.0.1/token" }
		}, code: auth.Config, says: "token_endpoint is not https"},
		{name: "keys by plain http", set: func(p *op) {
			p.discover = func(d map[string]any) { d["jwks_uri"] = "http://127.0.0.1/keys" }
		}, code: auth.Unreachable, says: "keys cannot be fetched"},
		{name: "no PKCE", set: func(p *op) {
			p.discover = func(d map[string]any) { d["code_challenge_methods_supported"] = []string{"plain"} }
		}, code: auth.Config, says: "no PKCE"},
		{name: "another secret", settings: []any{"client_secret", "x"}, code: auth.Config, says: "does not serve this client (invalid_client: no such client)"},
		{name: "another certificate", settings: []any{"ca", "", "pin", strings.Repeat("00", 32)}, code: auth.Unreachable, says: "not the pinned one but SHA256:"},
		{name: "unknown authority", settings: []any{"ca", ""}, code: auth.Unreachable, says: "certificate"},
		{name: "token endpoint breaks", set: func(p *op) {
			p.token = func(w http.ResponseWriter) bool { w.WriteHeader(502); return true }
		}, code: auth.Unreachable, says: "Bad Gateway (502)"},
		{name: "userinfo of another", set: func(p *op) {
			p.userinfo = map[string]any{"sub": "u-18", "groups": []string{"storage-admins"}}
		}, settings: []any{"userinfo", true}, code: auth.Denied, says: "about another user"},
		{name: "userinfo does not change the token", set: func(p *op) {
			p.change = func(c map[string]any) { c["groups"] = []string{"staff"} }
			p.userinfo = map[string]any{"sub": "u-17", "groups": []string{"storage-admins"}}
		}, settings: []any{"userinfo", true}, code: auth.Denied, says: "not as an administrator"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newOP(t)
			s := p.settings()
			if tt.set != nil {
				tt.set(p)
			}
			id, err := method(t, s, tt.settings...).Authenticate(t.Context(), web(), &user{visit: p.visit})
			refused(t, id, err, tt.code, tt.says)
		})
	}
}

func TestUserInfoAndNames(t *testing.T) {
	p := newOP(t)
	p.change = func(c map[string]any) {
		c["groups"], c["preferred_username"] = nil, nil
		c["realm_access"] = map[string]any{"roles": []string{"x", "admin"}}
	}
	p.userinfo = map[string]any{"sub": "u-17", "groups": "storage-admins", "preferred_username": "lovelace"}
	id, err := method(t, p.settings(), "userinfo", true).Authenticate(t.Context(), web(), &user{visit: p.visit})
	if err != nil || id.User != "lovelace" {
		t.Errorf("%+v, %v", id, err)
	}
	id, err = method(t, p.settings(), "roles", "realm_access.roles", "admins", []string{"admin"}).Authenticate(t.Context(), web(), &user{visit: p.visit})
	if err != nil || id.User != "u-17" {
		t.Errorf("%+v, %v", id, err)
	}
	id, err = method(t, p.settings(), "pin", trust.ShowPin(sha256.Sum256(p.Certificate().Raw)), "ca", "", "userinfo", true, "user", "sub").Authenticate(t.Context(), web(), &user{visit: p.visit})
	if err != nil || id.User != "u-17" || id.Evidence["certificate"] != "pinned" {
		t.Errorf("%+v, %v", id, err)
	}
}

// The way to the provider leads through a proxy that wants a password.
func TestProxy(t *testing.T) {
	p := newOP(t)
	var through atomic.Int32
	squid := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("ada:proxy-c4n4ry")) {
			w.Header().Set("Proxy-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		through.Add(1)
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer far.Close()
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		go io.Copy(far, near)
		io.Copy(near, far)
	}))
	t.Cleanup(squid.Close)
	proxy := func(password string) map[string]any {
		return map[string]any{"address": squid.Listener.Addr().String(), "user": "ada", "password": password}
	}
	id, err := method(t, p.settings(), "proxy", proxy("proxy-c4n4ry")).Authenticate(t.Context(), web(), &user{visit: p.visit})
	if err != nil || id.User != "ada" || through.Load() == 0 {
		t.Errorf("%+v, %v, %d connections", id, err, through.Load())
	}
	id, err = method(t, p.settings(), "proxy", proxy("wrong")).Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.Unreachable, "does not accept the credentials")
}

func TestConformance(t *testing.T) {
	p := newOP(t)
	p.trouble["/device"] = func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 400, map[string]string{"error": "access_denied"})
	}
	plugintest.Auth(t, func() auth.Method { return New() }, plugintest.Options{Config: p.settings()})
}

func TestSettings(t *testing.T) {
	const min = `"issuer":"https://i","client_id":"c","admins":["a"]`
	for _, tt := range []struct{ settings, field string }{
		{`{}`, "admins"},
		{`{"admins":["a"],"client_id":"c"}`, "issuer"},
		{`{"admins":["a"],"client_id":"c","issuer":"http://i"}`, "issuer"},
		{`{"admins":["a"],"client_id":"c","issuer":"https://u:p@i"}`, "issuer"},
		{`{"admins":["a"],"issuer":"https://i"}`, "client_id"},
		{`{"admins":[""],"client_id":"c","issuer":"https://i"}`, "admins"},
		{`{` + min + `,"scopes":["profile"]}`, "scopes"},
		{`{` + min + `,"roles":""}`, "roles"},
		{`{` + min + `,"pin":"x"}`, "pin"},
		{`{` + min + `,"ca":"x"}`, "ca"},
		{`{` + min + `,"timeout":"0s"}`, "timeout"},
		{`{` + min + `,"max_age":"-1s"}`, "max_age"},
		{`{` + min + `,"redirect":"http://x"}`, "redirect"},
		{`{` + min + `,"require_mfa":true,"mfa_amr":[]}`, "require_mfa"},
		{`{` + min + `,"proxy":{"user":"u"}}`, "proxy.address"},
		{`{` + min + `,"proxy":{"address":"u"}}`, "proxy.address"},
		{`{"protocol":"saml","admins":["a"],"metadata_url":"https://m"}`, "entity_id"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e"}`, "metadata"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e","metadata":"<x/>"}`, "metadata"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e","metadata_url":"http://m"}`, "metadata_url"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e","metadata_url":"https://m","certificate":"x"}`, "certificate"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e","metadata_url":"https://m","certificate":"x","key":"y"}`, "certificate"},
		{`{"protocol":"saml","admins":["a"],"entity_id":"e","metadata_url":"https://m","require_mfa":true}`, "require_mfa"},
		{`{"protocol":"ldap","admins":["a"]}`, "protocol"},
	} {
		var problems config.Problems
		if err := config.Decode(New().Config(), []byte(tt.settings)); !errors.As(err, &problems) || problems[0].Field != tt.field {
			t.Errorf("%s: %v, want %s", tt.settings, err, tt.field)
		}
	}
	if err := config.Decode(New().Config(), []byte(`{`+min+`}`)); err != nil {
		t.Error(err)
	}
}

func FuzzCallback(f *testing.F) {
	for _, s := range []string{"code=a&state=b", "?code=a", "state=a&state=b", "%zz", "a;b", "SAMLResponse=PD94&RelayState=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseCallback(s)
		if err != nil {
			return
		}
		again := url.Values{}
		for k, v := range got {
			again.Set(k, v)
		}
		if back, err := parseCallback(again.Encode()); len(got) > 0 && (err != nil || len(back) != len(got)) {
			t.Errorf("%q is read as %v, then as %v, %v", s, got, back, err)
		}
	})
}

func FuzzClaims(f *testing.F) {
	for _, s := range []string{`{"groups":["a"]}`, `{"a":{"b":{"c":"d"}}}`, `{"a.b":"x","a":{"b":"y"}}`, `{"a":null}`, `{"a":[1,"x",null]}`} {
		f.Add(s, "a.b.c")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		var c claims
		if json.Unmarshal([]byte(s), &c) != nil {
			return
		}
		if list := c.texts(name); len(list) == 1 && c.text(name) != list[0] {
			t.Errorf("%q in %s: %v", name, s, list)
		}
		if shown := clean(s); len(shown) > 10*maxText || strings.ContainsAny(shown, "\x1b\n") {
			t.Errorf("%q is shown as %q", s, shown)
		}
	})
}
