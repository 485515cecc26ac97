package sso

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
)

// key is made once; every test's provider signs with it.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// op is an OpenID provider that can be made to misbehave.
type op struct {
	*httptest.Server
	t *testing.T

	change   func(map[string]any)           // the claims of the next tokens
	sign     func(claims []byte) string     // instead of RS256
	discover func(map[string]any)           // the discovery document
	callback func(url.Values)               // what the browser brings back
	device   []string                       // errors that polling gets, one after the other
	trouble  map[string]http.HandlerFunc    // by path, instead of the provider
	token    func(http.ResponseWriter) bool // answers instead of the token endpoint
	userinfo map[string]any

	mu     sync.Mutex
	codes  map[string]url.Values // authorization requests by code
	polled int
	asked  []url.Values // authorization requests
}

const clientID, clientSecret = "latchstring", "s3cr3t-c4n4ry-of-the-client"

func newOP(t *testing.T) *op {
	t.Helper()
	p := &op{t: t, codes: map[string]url.Values{}, trouble: map[string]http.HandlerFunc{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.serveDiscovery)
	mux.HandleFunc("GET /keys", p.serveKeys)
	mux.HandleFunc("POST /token", p.serveToken)
	mux.HandleFunc("POST /device", p.serveDevice)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, p.userinfo) })
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := p.trouble[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (p *op) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"device_authorization_endpoint": p.URL + "/device", "userinfo_endpoint": p.URL + "/userinfo",
		"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	}
	if p.discover != nil {
		p.discover(doc)
	}
	reply(w, 200, doc)
}

func (p *op) serveKeys(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key().Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
}

func (p *op) serveDevice(w http.ResponseWriter, r *http.Request) {
	reply(w, 200, map[string]any{"device_code": "device-code", "user_code": "WDJB-MJHT", "verification_uri": p.URL + "/activate", "expires_in": 60, "interval": 1})
}

func (p *op) serveToken(w http.ResponseWriter, r *http.Request) {
	if p.token != nil && p.token(w) {
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok || id != clientID || secret != clientSecret {
		reply(w, 401, map[string]string{"error": "invalid_client", "error_description": "no such client"})
		return
	}
	nonce := ""
	switch r.FormValue("grant_type") {
	case "authorization_code":
		p.mu.Lock()
		asked := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		p.mu.Unlock()
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if asked == nil || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("redirect_uri") != r.FormValue("redirect_uri") {
			reply(w, 400, map[string]string{"error": "invalid_grant"})
			return
		}
		nonce = asked.Get("nonce")
	default:
		p.mu.Lock()
		n := p.polled
		p.polled++
		p.mu.Unlock()
		if n < len(p.device) {
			reply(w, 400, map[string]string{"error": p.device[n]})
			return
		}
	}
	reply(w, 200, map[string]any{"access_token": "access-c4n4ry", "token_type": "Bearer", "expires_in": 300, "id_token": p.idToken(nonce)})
}

func (p *op) idToken(nonce string) string {
	now := time.Now()
	c := map[string]any{
		"iss": p.URL, "sub": "u-17", "aud": clientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "auth_time": now.Unix(),
		"preferred_username": "ada", "groups": []string{"staff", "storage-admins"}, "amr": []string{"pwd", "mfa"}, "acr": "gold",
	}
	if nonce != "" {
		c["nonce"] = nonce
	}
	if p.change != nil {
		p.change(c)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	data, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	if p.sign != nil {
		return p.sign(data)
	}
	return signed(data, jose.RS256, key(), "k")
}

func signed(data []byte, alg jose.SignatureAlgorithm, k any, kid string) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k, KeyID: kid}}, nil)
	if err != nil {
		panic(err)
	}
	obj, err := s.Sign(data)
	if err != nil {
		panic(err)
	}
	out, err := obj.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return out
}

// visit is what the provider does with a browser whose user logs in.
func (p *op) visit(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	q := u.Query()
	code := rand.Text()
	p.mu.Lock()
	p.asked = append(p.asked, q)
	p.codes[code] = q
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	if p.callback != nil {
		p.callback(back)
	}
	return back.Encode()
}

func (p *op) settings() map[string]any {
	return map[string]any{
		"issuer": p.URL, "client_id": clientID, "client_secret": clientSecret, "admins": []string{"storage-admins"},
		"ca": authority(p.Server), "timeout": "5s",
	}
}

func authority(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func method(t *testing.T, set map[string]any, more ...any) *Method {
	t.Helper()
	set = maps.Clone(set)
	for i := 0; i+1 < len(more); i += 2 {
		set[more[i].(string)] = more[i+1]
	}
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	m := New()
	if err := config.Decode(m.Config(), data); err != nil {
		t.Fatal(err)
	}
	return m
}

// user sits at a browser or a terminal.
type user struct {
	visit func(address string) string // what the browser brings back
	shown []auth.Notice
	asked int
	given auth.Answers
}

func (u *user) Show(_ context.Context, n auth.Notice) error {
	u.shown = append(u.shown, n)
	return nil
}

func (u *user) Ask(_ context.Context, fields ...auth.Field) (auth.Answers, error) {
	u.asked++
	u.given = auth.Answers{fields[0].Name: config.NewSecret(u.visit(u.shown[len(u.shown)-1].URL))}
	return u.given, nil
}

const redirect = "https://sa.example.com:9000/login/sso"

func web() auth.Request {
	return auth.Request{Client: "web 10.0.0.7", Host: "sa", Facts: map[string]string{FactRedirect: redirect}}
}

func cli() auth.Request { return auth.Request{Client: "cli", Host: "sa"} }
