package sso

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"html"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
)

const entity = "https://sa.example.com:9000"

// idp is crewjam's identity provider with one user, ada.
type idp struct {
	*httptest.Server
	t         *testing.T
	inner     *samlidp.Server
	assertion func(*saml.Assertion)
	response  func(xml string) string // what the browser brings instead
	form      func(url.Values)
	last      string // the form that the browser brought back last
}

// certify makes a self-signed certificate of a key.
func certify(k crypto.Signer) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		panic(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return out
}

var certificate = sync.OnceValue(func() *x509.Certificate { return certify(key()) })

func newIDP(t *testing.T) *idp {
	t.Helper()
	p := &idp{t: t}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.inner.ServeHTTP(w, r) }))
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.StartTLS()
	t.Cleanup(p.Close)
	at, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.inner, err = samlidp.New(samlidp.Options{URL: *at, Key: key(), Certificate: certificate(), Store: &samlidp.MemoryStore{}, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	p.inner.IDP.SignatureMethod = dsig.RSASHA256SignatureMethod
	p.inner.IDP.AssertionMaker = p
	acs, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	sp := saml.ServiceProvider{EntityID: entity, AcsURL: *acs}
	about, err := xml.Marshal(sp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	p.put("/services/sa", about)
	p.put("/users/ada", []byte(`{"name":"ada","password":"pw","email":"ada@example.com","groups":["staff","storage-admins"]}`))
	return p
}

func (p *idp) put(path string, body []byte) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodPut, p.URL+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := p.Client().Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		p.t.Fatalf("PUT %s: %s", path, resp.Status)
	}
}

// MakeAssertion implements saml.AssertionMaker.
func (p *idp) MakeAssertion(req *saml.IdpAuthnRequest, session *saml.Session) error {
	if err := (saml.DefaultAssertionMaker{}).MakeAssertion(req, session); err != nil {
		return err
	}
	if p.assertion != nil {
		p.assertion(req.Assertion)
	}
	return nil
}

var hidden = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

// visit logs ada in and returns the form that the browser posts to us.
func (p *idp) visit(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	request, err := io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(u.Query().Get("SAMLRequest")))))
	if err != nil {
		p.t.Error(err)
		return ""
	}
	form := url.Values{"user": {"ada"}, "password": {"pw"}, "SAMLRequest": {base64.StdEncoding.EncodeToString(request)}, "RelayState": {u.Query().Get("RelayState")}}
	resp, err := p.Client().PostForm(p.URL+"/sso", form)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	back := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(string(page), -1) {
		back.Set(m[1], html.UnescapeString(m[2]))
	}
	if back.Get("SAMLResponse") == "" {
		p.t.Errorf("the provider says %s", page)
	}
	if p.response != nil {
		text, _ := base64.StdEncoding.DecodeString(back.Get("SAMLResponse"))
		back.Set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(p.response(string(text)))))
	}
	if p.form != nil {
		p.form(back)
	}
	p.last = back.Encode()
	return p.last
}

func (p *idp) settings() map[string]any {
	return map[string]any{
		"protocol": "saml", "entity_id": entity, "metadata_url": p.URL + "/metadata", "roles": "eduPersonAffiliation", "admins": []string{"storage-admins"},
		"user": "uid", "ca": authority(p.Server), "timeout": "5s",
	}
}

// REQ C7
func TestSAML(t *testing.T) {
	p := newIDP(t)
	u := &user{visit: p.visit}
	id, err := method(t, p.settings(), "max_age", "10m").Authenticate(t.Context(), web(), u)
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "ada" || id.Roles[0] != "admin" || id.Method != "sso" || id.Evidence["issuer"] != p.URL+"/metadata" || id.Evidence["subject"] != "ada@example.com" || id.Evidence["flow"] != "post" {
		t.Errorf("%+v", id)
	}
	asked, err := url.Parse(u.shown[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(asked.Query().Get("SAMLRequest")))))
	for _, want := range []string{`ForceAuthn="true"`, `AssertionConsumerServiceURL="` + redirect + `"`, entity} {
		if !strings.Contains(string(request), want) {
			t.Errorf("%s is not in the request %s", want, request)
		}
	}
	// Metadata in a file does as well.
	about, _, err := get(t.Context(), p.Client(), p.URL+"/metadata")
	if err != nil {
		t.Fatal(err)
	}
	id, err = method(t, p.settings(), "metadata_url", "", "metadata", string(about), "user", "").Authenticate(t.Context(), web(), &user{visit: p.visit})
	if err != nil || id.User != "ada@example.com" {
		t.Errorf("%+v, %v", id, err)
	}
	id, err = method(t, p.settings()).Authenticate(t.Context(), cli(), &user{})
	refused(t, id, err, failure.Unsupported, "in a browser only")
}

// With a key of ours the request is signed, and an assertion can be encrypted.
func TestSAMLKeys(t *testing.T) {
	p := newIDP(t)
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := certify(k)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	acs, _ := url.Parse(redirect)
	sp := saml.ServiceProvider{EntityID: entity, AcsURL: *acs, Certificate: cert, Key: k}
	about, err := xml.Marshal(sp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	p.put("/services/sa", about)
	encrypted := false
	p.response = func(x string) string {
		encrypted = strings.Contains(x, "EncryptedAssertion")
		return x
	}
	u := &user{visit: p.visit}
	id, err := method(t, p.settings(),
		"certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})),
		"key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))).Authenticate(t.Context(), web(), u)
	if err != nil || id.User != "ada" || !encrypted || !strings.Contains(u.shown[0].URL, "Signature=") {
		t.Errorf("%+v, %v, encrypted %v", id, err, encrypted)
	}
	// Without our key it is no response.
	id, err = method(t, p.settings()).Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.BadLogin, "does not hold")
}

var (
	signature = regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`)
	element   = regexp.MustCompile(`(?s)<saml:Assertion .*</saml:Assertion>`)
)

// Every way in which an assertion does not hold.
func TestAssertions(t *testing.T) {
	later := time.Now().Add(-time.Hour)
	p := newIDP(t)
	for _, tt := range []struct {
		name      string
		assertion func(*saml.Assertion)
		response  func(string) string
		form      func(url.Values)
		settings  []any
		code      failure.Code
		says      string
	}{
		{name: "wrong audience", assertion: func(a *saml.Assertion) { a.Conditions.AudienceRestrictions[0].Audience.Value = "https://other" }, code: auth.BadLogin, says: "it is for https://other"},
		{name: "for anybody", assertion: func(a *saml.Assertion) { a.Conditions.AudienceRestrictions = nil }, code: auth.BadLogin, says: "for whom"},
		{name: "other issuer", assertion: func(a *saml.Assertion) { a.Issuer.Value = "https://evil.example" }, code: auth.BadLogin, says: "issuer is not"},
		{name: "expired", assertion: func(a *saml.Assertion) { a.Conditions.NotOnOrAfter = later }, code: auth.BadLogin, says: "expired"},
		{name: "not yet valid", assertion: func(a *saml.Assertion) { a.Conditions.NotBefore = time.Now().Add(time.Hour) }, code: auth.BadLogin, says: "not yet valid"},
		{name: "old", assertion: func(a *saml.Assertion) { a.IssueInstant = later }, code: auth.BadLogin, says: "expired"},
		{name: "another recipient", assertion: func(a *saml.Assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData.Recipient = "https://other"
		}, code: auth.BadLogin, says: "Recipient"},
		{name: "an answer to another request", assertion: func(a *saml.Assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo = "id-other"
		}, code: auth.BadLogin, says: "possible request IDs"},
		{name: "no confirmation", assertion: func(a *saml.Assertion) { a.Subject.SubjectConfirmations = nil }, code: auth.BadLogin, says: "does not confirm"},
		{name: "a confirmation by another method", assertion: func(a *saml.Assertion) {
			a.Subject.SubjectConfirmations[0].Method = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
		}, code: auth.BadLogin, says: "does not confirm"},
		{name: "no statement", assertion: func(a *saml.Assertion) { a.AuthnStatements = nil }, code: auth.Denied, says: "does not say that the user logged in"},
		{name: "old login", assertion: func(a *saml.Assertion) { a.AuthnStatements[0].AuthnInstant = later }, settings: []any{"max_age", "10m"}, code: auth.Denied, says: "ago; 10m0s is allowed"},
		{name: "no second factor", settings: []any{"mfa_acr", []string{"https://refeds.org/profile/mfa"}, "require_mfa", true}, code: auth.Denied, says: "second factor"},
		{name: "no role", settings: []any{"admins", []string{"others"}}, code: auth.Denied, says: "not as an administrator (eduPersonAffiliation is"},
		{name: "no name", settings: []any{"user", "nickname"}, code: auth.Config, says: "does not say who"},
		{name: "another login's state", form: func(v url.Values) { v.Set("RelayState", "x") }, code: auth.BadLogin, says: "another login"},
		{name: "nothing", form: func(v url.Values) { v.Del("SAMLResponse") }, code: auth.BadLogin, says: "no SAML response"},
		{name: "unsigned", response: func(x string) string { return signature.ReplaceAllString(x, "") }, code: auth.BadLogin, says: "signature"},
		{name: "changed", response: func(x string) string { return strings.Replace(x, ">staff<", ">storage-admins<", 1) }, code: auth.BadLogin, says: "signature"},
		{name: "a comment in a name", response: func(x string) string { return strings.Replace(x, "ada@", "root<!-- -->ada@", 1) }, code: auth.BadLogin, says: "signature"},
		{name: "wrapped: a second one before", response: func(x string) string {
			evil := strings.Replace(strings.Replace(signature.ReplaceAllString(element.FindString(x), ""), ">ada<", ">eve<", 1), ` ID="`, ` ID="e`, 1)
			return element.ReplaceAllStringFunc(x, func(real string) string { return evil + real })
		}, code: auth.BadLogin, says: "more than one assertion"},
		{name: "wrapped: the real one inside", response: func(x string) string {
			return element.ReplaceAllStringFunc(x, func(real string) string {
				evil := strings.Replace(signature.ReplaceAllString(real, ""), ">ada<", ">eve<", 1)
				return strings.Replace(evil, "<saml:Subject>", "<Extensions>"+real+"</Extensions><saml:Subject>", 1)
			})
		}, code: auth.BadLogin, says: "an id is there twice"},
		{name: "a document type", response: func(x string) string { return `<!DOCTYPE x [<!ENTITY y "z">]>` + x }, code: auth.BadLogin, says: "document type"},
		{name: "deep", response: func(x string) string { return strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) }, code: auth.BadLogin, says: "too deep"},
		{name: "no XML", response: func(string) string { return "<" }, code: auth.BadLogin, says: "no XML"},
		{name: "the provider says no", response: func(x string) string {
			x = element.ReplaceAllString(signature.ReplaceAllString(x, ""), "")
			return strings.Replace(x, saml.StatusSuccess, "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", 1)
		}, code: auth.Denied, says: "says no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.assertion, p.response, p.form = tt.assertion, tt.response, tt.form
			id, err := method(t, p.settings(), tt.settings...).Authenticate(t.Context(), web(), &user{visit: p.visit})
			refused(t, id, err, tt.code, tt.says)
		})
	}
}

func TestReplayedAssertion(t *testing.T) {
	p := newIDP(t)
	m := method(t, p.settings())
	if _, err := m.Authenticate(t.Context(), web(), &user{visit: p.visit}); err != nil {
		t.Fatal(err)
	}
	old := p.last
	id, err := m.Authenticate(t.Context(), web(), &user{visit: func(string) string { return old }})
	refused(t, id, err, auth.BadLogin, "another login")
	id, err = m.Authenticate(t.Context(), web(), &user{visit: func(address string) string {
		u, _ := url.Parse(address)
		v, _ := url.ParseQuery(old)
		v.Set("RelayState", u.Query().Get("RelayState"))
		return v.Encode()
	}})
	refused(t, id, err, auth.BadLogin, "InResponseTo")
}

// Signed by another key, or with a hash that can be forged.
func TestSignatures(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := newIDP(t)
	about, _, err := get(t.Context(), p.Client(), p.URL+"/metadata")
	if err != nil {
		t.Fatal(err)
	}
	m := method(t, p.settings(), "metadata_url", "", "metadata", string(about))
	p.inner.IDP.SignatureMethod = dsig.RSASHA1SignatureMethod
	id, err := m.Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.BadLogin, "not accepted")
	p.inner.IDP.SignatureMethod = dsig.RSASHA256SignatureMethod
	p.inner.IDP.Key, p.inner.IDP.Certificate = other, certify(other)
	id, err = m.Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.BadLogin, "signature")
	p.inner.IDP.Key, p.inner.IDP.Certificate = other, certificate() // shows the right certificate
	id, err = m.Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.BadLogin, "signature")
}

func TestMetadata(t *testing.T) {
	p := newIDP(t)
	about, _, err := get(t.Context(), p.Client(), p.URL+"/metadata")
	if err != nil {
		t.Fatal(err)
	}
	one := string(about[bytes.Index(about, []byte("<EntityDescriptor")):])
	federation := `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + one + strings.ReplaceAll(one, p.URL+"/metadata", "https://b") + `</EntitiesDescriptor>`
	for _, tt := range []struct{ name, data, provider, says string }{
		{"one", one, "", ""},
		{"one of a federation", federation, "https://b", ""},
		{"a federation", federation, "", "several"},
		{"not in the federation", federation, "https://c", "is not in it"},
		{"no certificate", regexp.MustCompile(`(?s)<KeyDescriptor.*</KeyDescriptor>`).ReplaceAllString(one, ""), "", "no certificate"},
		{"another document", "<html/>", "", "no SAML metadata"},
		{"no XML", "x", "", "no"},
	} {
		_, err := parseMetadata([]byte(tt.data), tt.provider)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
	p.inner.IDP.ValidDuration = new(time.Duration)
	*p.inner.IDP.ValidDuration = -time.Hour
	id, err := method(t, p.settings()).Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.Config, "has expired")
	s := p.settings()
	p.Close()
	id, err = method(t, s).Authenticate(t.Context(), web(), &user{visit: p.visit})
	refused(t, id, err, auth.Unreachable, "is not available")
}

func FuzzInspect(f *testing.F) {
	for _, s := range []string{"<a/>", "<Assertion ID='x'/>", "<r><Assertion/><Assertion/></r>", "<!DOCTYPE x>", "<a ID='1'><b Id='1'/></a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if inspect(b) == nil && bytes.Count(b, []byte("<Assertion ")) > 1 && !bytes.ContainsAny(b, "!?\"'") {
			t.Errorf("%q passes", b)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><IDPSSODescriptor/></EntityDescriptor>`))
	f.Add([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := parseMetadata(b, ""); err == nil && (d.EntityID == "" || len(d.IDPSSODescriptors) == 0) {
			t.Errorf("%q is metadata", b)
		}
	})
}
