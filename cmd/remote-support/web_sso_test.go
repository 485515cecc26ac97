package main

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"html"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

const back = "/login/sso/callback"

func (s *site) sso(settings map[string]any) {
	s.t.Helper()
	set, err := json.Marshal(settings)
	if err != nil {
		s.t.Fatal(err)
	}
	private(s.t, filepath.Join(s.root, "etc", "auth.d", "sso.json"), string(set))
}

func authority(srv *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
}

var provider = regexp.MustCompile(`href="(https://[^"]+)"`)

// leaves is the address at the identity provider to which a page sends.
func (b *tab) leaves() string {
	b.t.Helper()
	m := provider.FindStringSubmatch(b.page)
	if m == nil {
		b.t.Fatalf("%s leads to no provider:\n%s", b.at, visible(b.page))
	}
	return m[1]
}

// zitadel is the provider of zitadel/oidc, at which ada logs in.
func zitadel(t *testing.T, redirect string) *httptest.Server {
	t.Helper()
	storage.RegisterClients(storage.WebClient("pages", "s3cr3t", redirect))
	file := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(file, []byte(`{"ada":{"ID":"ada","Username":"ada","Password":"pw","FirstName":"Ada","LastName":"Lovelace"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := storage.StoreFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var h http.Handler
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	h = exampleop.SetupServer(srv.URL, storage.NewStorage(users), slog.New(slog.DiscardHandler), false)
	return srv
}

// logInAt is ada's browser at zitadel: the address to which it is sent back.
func logInAt(t *testing.T, idp *httptest.Server, address string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *idp.Client()
	c.Jar = jar
	c.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == back {
			return http.ErrUseLastResponse
		}
		return nil
	}
	page, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	resp, err := c.PostForm(idp.URL+"/login/username", url.Values{"id": {page.Request.URL.Query().Get("authRequestID")}, "username": {"ada"}, "password": {"pw"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return at.String()
}

// REQ B4, C7
func TestWebOIDC(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s.serve())
	idp := zitadel(t, b.base+back)
	s.sso(map[string]any{
		"issuer": idp.URL, "client_id": "pages", "client_secret": "s3cr3t", "scopes": []string{"openid", "profile", storage.CustomScope}, "userinfo": true,
		"roles": storage.CustomClaim + ".other", "admins": []string{"stuff"}, "ca": authority(idp), "timeout": "10s",
	})
	b.get("/login").shows("Log in with single sign-on", "Type SSO as the password")

	b.post("/login/start", "method", "sso").shows("You are being sent to your identity provider")
	if !strings.Contains(b.page, `http-equiv="refresh"`) || !strings.Contains(b.leaves(), "code_challenge_method=S256") {
		t.Errorf("it does not lead there: %s", b.page)
	}
	answer := logInAt(t, idp, b.leaves())

	// The answer in another browser: stolen, or pushed upon somebody (login CSRF).
	eve := newTab(t, b.base)
	if eve.get(answer); eve.code != http.StatusBadRequest {
		t.Errorf("a stolen answer: %d", eve.code)
	}
	eve.shows("No login that was begun in this browser waits")
	eve.post("/login/start", "method", "sso")
	eve.get(answer).shows("belongs to another login")
	if eve.get("/"); eve.at != "/login" {
		t.Error("a stolen answer let in")
	}
	// A wrong answer does not end the login that waits for the right one.
	b.get(back + "?code=x&state=y").shows("belongs to another login")
	b.get(answer).shows("Remote support is off", "ada", "You logged in by single sign-on", "the configured address is used")
	// The same answer once more, here and elsewhere.
	if b.get(answer); b.at != "/" {
		t.Errorf("going back in the browser leads to %s", b.at)
	}
	b.post("/logout")
	if b.get(answer); b.code != http.StatusBadRequest {
		t.Errorf("an answer counts twice: %d", b.code)
	}
	b.post("/login/start", "method", "sso")
	b.get(answer).shows("belongs to another login")

	// The word as a password: no array hears of it.
	before := s.box.Logins()
	b.post("/login", "user", "admin", "password", "SSO").shows("SSO is no password, and was not sent to the array", "An RSS Address that you give is ignored")
	b.get(logInAt(t, idp, b.leaves())).shows("Remote support is off", "ada")
	if s.box.Logins() != before {
		t.Error("the array was asked")
	}
	out, _ := s.do(0, "audit", "show")
	for _, want := range []string{"issuer=" + idp.URL, "flow=code", "subject=ada", "rss_address=configured", "method=sso"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %s:\n%s", want, out)
		}
	}

	b.post("/logout")
	idp.Close()
	b.post("/login/start", "method", "sso").shows("is not available", "challenge and response")
}

// samlProvider is crewjam's identity provider, which knows ada.
func samlProvider(t *testing.T, entity, acs string) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if about, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	var inner *samlidp.Server
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	at, _ := url.Parse(srv.URL)
	inner, err = samlidp.New(samlidp.Options{URL: *at, Key: key, Certificate: about, Store: &samlidp.MemoryStore{}, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	inner.IDP.SignatureMethod = dsig.RSASHA256SignatureMethod
	to, _ := url.Parse(acs)
	metadata, err := xml.Marshal((&saml.ServiceProvider{EntityID: entity, AcsURL: *to}).Metadata())
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string][]byte{"/services/sa": metadata, "/users/ada": []byte(`{"name":"ada","password":"pw","email":"ada@example.com","groups":["storage-admins"]}`)} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL+path, bytes.NewReader(body))
		resp, err := srv.Client().Do(req)
		if err != nil || resp.StatusCode/100 != 2 {
			t.Fatalf("PUT %s: %v, %v", path, resp, err)
		}
		resp.Body.Close()
	}
	return srv
}

var hiddenField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

// assertAt is ada's browser at the SAML provider: the form that it posts back.
func assertAt(t *testing.T, idp *httptest.Server, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	request, err := io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(u.Query().Get("SAMLRequest")))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := idp.Client().PostForm(idp.URL+"/sso", url.Values{"user": {"ada"}, "password": {"pw"}, "SAMLRequest": {base64.StdEncoding.EncodeToString(request)}, "RelayState": {u.Query().Get("RelayState")}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(string(page), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

// comes is what the provider's page posts, and our own page sends on.
func (b *tab) comes(from string, form url.Values) *tab {
	b.t.Helper()
	b.do(http.MethodPost, back, from, form).shows("Your identity provider has answered")
	m := hiddenField.FindStringSubmatch(b.page)
	if m == nil {
		b.t.Fatalf("nothing to send on: %s", b.page)
	}
	return b.post("/login/sso/return", "answer", m[2])
}

// REQ C7
func TestWebSAML(t *testing.T) {
	const entity = "https://sa.example.com:9000"
	s := newSite(t)
	b := newTab(t, s.serve())
	idp := samlProvider(t, entity, b.base+back)
	s.sso(map[string]any{
		"protocol": "saml", "entity_id": entity, "metadata_url": idp.URL + "/metadata", "roles": "eduPersonAffiliation", "admins": []string{"storage-admins"},
		"user": "uid", "ca": authority(idp), "timeout": "10s",
	})
	b.post("/login/start", "method", "sso").shows("You are being sent to your identity provider")
	form := assertAt(t, idp, b.leaves())
	eve := newTab(t, b.base)
	eve.comes(idp.URL, form).shows("No login that was begun in this browser waits")
	b.comes(idp.URL, form).shows("Remote support is off", "ada")
	b.post("/logout")
	// Replayed: where nothing waits, and where another login does.
	b.comes(idp.URL, form).shows("No login that was begun in this browser waits")
	b.post("/login/start", "method", "sso").shows("You are being sent")
	b.comes(idp.URL, form)
	if b.get("/"); b.at != "/login" {
		t.Error("a replayed assertion let in")
	}
	b.shows("another login")
}
