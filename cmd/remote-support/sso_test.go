package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// newProvider is an OpenID provider at which ada logs in as soon as a code is
// shown.
func newProvider(t *testing.T) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var srv *httptest.Server
	srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		var out any
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			out = map[string]string{"issuer": srv.URL, "authorization_endpoint": srv.URL + "/a", "token_endpoint": srv.URL + "/token",
				"jwks_uri": srv.URL + "/keys", "device_authorization_endpoint": srv.URL + "/device"}
		case "/keys":
			out = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}}
		case "/device":
			out = map[string]any{"device_code": "device-c4n4ry", "user_code": "WDJB-MJHT", "verification_uri": srv.URL + "/activate", "expires_in": 60, "interval": 1}
		case "/token":
			now := time.Now().Unix()
			claims, _ := json.Marshal(map[string]any{"iss": srv.URL, "sub": "17", "aud": "sa", "iat": now, "exp": now + 300, "preferred_username": "ada", "groups": []string{"admins"}, "amr": []string{"mfa"}})
			object, err := signer.Sign(claims)
			if err != nil {
				t.Error(err)
			}
			token, _ := object.CompactSerialize()
			out = map[string]any{"access_token": "access-c4n4ry", "token_type": "Bearer", "id_token": token}
		default:
			http.NotFound(w, r)
			return
		}
		json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// REQ B4, C7
func TestLoginSSO(t *testing.T) {
	s := newSite(t)
	if _, says := s.do(2, "login", "sso"); !strings.Contains(says, "not set up") {
		t.Errorf("without settings: %s", says)
	}
	idp := newProvider(t)
	set, err := json.Marshal(map[string]any{
		"issuer": idp.URL, "client_id": "sa", "client_secret": "client-c4n4ry", "admins": []string{"admins"},
		"ca": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.Certificate().Raw})),
	})
	if err != nil {
		t.Fatal(err)
	}
	private(t, filepath.Join(s.root, "etc", "auth.d", "sso.json"), string(set))

	out, shown := s.do(0, "login", "sso")
	if !strings.Contains(out, "ada, with the role admin, by sso") || !strings.Contains(shown, "WDJB-MJHT") || !strings.Contains(shown, idp.URL+"/activate") {
		t.Errorf("login: %s%s", out, shown)
	}
	// The word as a password: the array hears nothing of it.
	out, shown = s.do(0, "login", "infinibox", "--user", "admin", "--password-file", s.file("word", "SSO\n"))
	if !strings.Contains(out, "by sso") || !strings.Contains(shown, "was not sent to the array") || !strings.Contains(shown, "the configured one is used") || s.box.Logins() != 0 {
		t.Errorf("the password SSO: %s%s, %d logins at the array", out, shown, s.box.Logins())
	}
	out, _ = s.do(0, "audit", "show")
	for _, want := range []string{"issuer=" + idp.URL, "subject=17", "mfa=true", "rss_address=configured"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "c4n4ry") {
		t.Errorf("a secret is in the audit log:\n%s", out)
	}
	// Whether it works is seen beforehand, in Test Connection. The relay is
	// another matter: this machine knows none.
	out, _, _ = s.exec("test")
	for _, want := range []string{"login sso: identity provider", "login sso: clocks", "login infinibox: array at 127.0.0.1:1", "login infinibox: user for events"} {
		if !strings.Contains(out, want) {
			t.Errorf("the test has no %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "c4n4ry") {
		t.Errorf("a secret is in the test:\n%s", out)
	}
	idp.Close()
	if _, says := s.do(1, "login", "sso"); !strings.Contains(says, "is not available") || !strings.Contains(says, "challenge and response") {
		t.Errorf("provider down: %s", says)
	}
}
