package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// upload chooses a file on the page.
func (b *tab) upload(text string) *tab {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	p, err := m.CreateFormFile("file", "certificate.pem")
	if err != nil {
		b.t.Fatal(err)
	}
	io.WriteString(p, text)
	m.Close()
	req, err := http.NewRequest(http.MethodPost, b.base+"/certificates/upload", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Origin", b.base)
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.page, b.code = strings.TrimPrefix(resp.Request.URL.String(), b.base), string(page), resp.StatusCode
	return b
}

// served is what a new connection gets.
func served(t *testing.T, base string) []*x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(base, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates
}

// signRequest is a certificate authority.
func signRequest(t *testing.T, request string) string {
	t.Helper()
	b, _ := pem.Decode([]byte(request))
	if b == nil {
		t.Fatalf("no request: %s", request)
	}
	csr, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	out := ""
	for _, tt := range []struct {
		c      *x509.Certificate
		public any
	}{{&x509.Certificate{SerialNumber: big.NewInt(2), Subject: csr.Subject, DNSNames: csr.DNSNames, NotBefore: ca.NotBefore, NotAfter: ca.NotBefore.Add(20 * 24 * time.Hour)}, csr.PublicKey}, {ca, key.Public()}} {
		der, err := x509.CreateCertificate(rand.Reader, tt.c, ca, tt.public, key)
		if err != nil {
			t.Fatal(err)
		}
		out += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return out
}

// The whole way of an administrator, from the request to the certificate that
// browsers get, and what others cannot do on it. REQ D1, D5, D6, D7, D8
func TestWebCertificates(t *testing.T) {
	s := newSite(t)
	base := s.serve()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, base)
	b.post("/login", "user", "admin", "password", "123456").shows("Custom Certificates", "Reload Service")
	b.post("/certificates/csr", "cn", host, "o", "Example Bank", "c", "US", "key", "p256").shows("A request waits", "Download infinibox_sa_private_key.key")
	request := b.get("/certificates/infinibox_sa_csr.pem").page
	// The key is for the browser in which the request was made, and once.
	other := newTab(t, base)
	until.True(t, "another browser is logged in", func() bool { return other.post("/login", "user", "admin", "password", "123456").at == "/" })
	other.get("/certificates/csr").shows("A request waits")
	if strings.Contains(other.page, "Download infinibox_sa_private_key.key") {
		t.Error("another browser is offered the key")
	}
	other.post("/certificates/infinibox_sa_private_key.key").shows("in the browser in which the request was made")
	key := b.post("/certificates/infinibox_sa_private_key.key").page
	if !strings.HasPrefix(key, "-----BEGIN PRIVATE KEY-----") {
		t.Errorf("no key: %s", key)
	}
	b.post("/certificates/infinibox_sa_private_key.key").shows("is given out once")
	waiting := filepath.Join(s.root, "var", "web", "request.pem")
	if info, err := os.Stat(waiting); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	before := served(t, base)[0]
	b.upload("PK\x03\x04 a zip of keys").shows("is an archive")
	b.upload(request).shows("a request for a certificate (CSR)")
	if !served(t, base)[0].Equal(before) {
		t.Error("what was refused is served")
	}
	b.upload(signRequest(t, request)).shows("verified and is in use", "The certificate of the web pages ends in 19 days")
	if now := served(t, base); len(now) != 2 || now[0].Subject.CommonName != host || now[0].Equal(before) {
		t.Errorf("%d certificates, the first of %v", len(now), now[0].Subject)
	}
	if _, err := os.Stat(waiting); !os.IsNotExist(err) {
		t.Errorf("the request waits still: %v", err)
	}
	if out, _ := s.do(0, "status"); !strings.Contains(out, "problem: the certificate of the web pages ends in 19 days") {
		t.Errorf("nobody is warned: %s", out)
	}
	// A connection that is open keeps the old one until the page is refreshed, in
	// HTTP/2 too.
	h2 := &http.Client{Jar: b.Jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	t.Cleanup(h2.CloseIdleConnections)
	over := func(path string) string {
		t.Helper()
		resp, err := h2.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		if resp.ProtoMajor != 2 {
			t.Errorf("it is %s", resp.Proto)
		}
		return resp.TLS.PeerCertificates[0].SerialNumber.String()
	}
	signed := over("/certificates")
	b.post("/certificates/self-signed", "cn", "ibox3333", "c", "Us").shows("self-signed certificate was generated")
	if now := served(t, base); len(now) != 1 || now[0].Subject.CommonName != "ibox3333" || now[0].VerifyHostname(host) != nil {
		t.Errorf("%v", now[0].Subject)
	}

	if over("/certificates") != signed {
		t.Error("a connection that is open was cut")
	}
	if over("/certificates/anew") == signed {
		t.Error("a page that was refreshed shows the old certificate")
	}

	// Another role than the one that may open sessions; the page, too, says so.
	dir := filepath.Join(s.root, "etc", "policies.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "roles.hcl"), "session {\n  roles = [\"root\"]\n}\n")
	s.do(0, "reload")
	last := served(t, base)[0]
	b.get("/certificates").shows("roles.hcl:2,3")
	b.post("/certificates/self-signed", "cn", "evil").shows("roles.hcl:2,3")
	b.upload(key).shows("roles.hcl:2,3")
	b.post("/reload").shows("roles.hcl:2,3")
	// And a login that is too old.
	write(t, filepath.Join(dir, "roles.hcl"), "session {\n  max_login_age = \"1ms\"\n}\n")
	s.do(0, "reload")
	b.get("/certificates").shows("The certificate in use")
	b.post("/certificates/self-signed", "cn", "evil").shows("log in again")
	b.post("/certificates/csr", "cn", "evil").shows("log in again")
	b.upload(key).shows("log in again")
	b.post("/certificates/infinibox_sa_private_key.key").shows("log in again")
	if !served(t, base)[0].Equal(last) {
		t.Error("it was replaced")
	}
	out, _ := s.do(0, "audit", "show")
	for _, want := range []string{"certificate.requested web:127.0.0.1(admin)", "certificate.key_taken", "certificate.replaced", `how="uploaded for the request"`, "how=self-signed", "policy.refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %q:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "certificate.replaced"); n != 2 || strings.Contains(out, "PRIVATE") {
		t.Errorf("%d replacements in\n%s", n, out)
	}
}

// A certificate that is put in its place by hand is served, recorded once, and
// what is wrong with it is told. REQ E8
func TestWebCertificateByHand(t *testing.T) {
	s := newSite(t)
	base := s.serve()
	before := served(t, base)[0]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mine := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "elsewhere"}, DNSNames: []string{"elsewhere.example.com"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, mine, mine, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	b = append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	at := filepath.Join(s.root, "var", "web", "web.pem")
	if err := os.WriteFile(at+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at+".new", at); err != nil {
		t.Fatal(err)
	}
	out := ""
	until.True(t, "it is recorded", func() bool { out, _ = s.do(0, "audit", "show"); return strings.Contains(out, "certificate.replaced") })
	if served(t, base)[0].Equal(before) {
		t.Error("it is not served")
	}
	for _, want := range []string{`how="put in its place by hand"`, "elsewhere", "the certificate expired on", "is not for servers", "this system is called"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %q:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "certificate.replaced"); n != 1 {
		t.Errorf("%d records in\n%s", n, out)
	}
}

// Reload Service: an open session ends with its event, and the pages come back in
// the same process with nobody logged in. REQ B11
func TestWebReload(t *testing.T) {
	r := relaytest.New(t)
	s := newSite(t)
	s.do(0, "enroll", "--token-file", s.file("token", r.Token("array-7").String()+"\n"))
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port of its own: it is to come back there
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	b := newTab(t, s.serve("--web", l.Addr().String()))
	b.post("/login", "user", "admin", "password", "123456")
	b.post("/session/on", "for", "1h").shows("Remote support is on")
	pid, _ := s.do(0, "status")
	b.get("/reload").shows("it is ended by this")
	if b.get("/"); !strings.Contains(b.page, "Remote support is on") {
		t.Error("asking is doing")
	}
	b.get("/reload").post("/reload").shows("is being reloaded")
	until.True(t, "the agent has started anew", func() bool {
		out, _, code := s.exec("audit", "show", "--type", "agent.")
		return code == 0 && strings.Count(out, "agent.started") == 2
	})
	until.True(t, "the pages are back", func() bool {
		resp, err := b.Get(b.base + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.Request.URL.Path == "/login" // the login is gone
	})
	out, _ := s.do(0, "audit", "show")
	at := -1
	for _, want := range []string{"session.opened", "agent.restarting", "session.ended", "agent.stopped", "agent.started", "web.started"} {
		next := strings.Index(out[at+1:], want)
		if next < 0 {
			t.Fatalf("no %s, in its order, in\n%s", want, out)
		}
		at += 1 + next
	}
	if now, _ := s.do(0, "status"); !strings.Contains(now, "remote access   off") && !strings.Contains(now, "off") || pidOf(now) != pidOf(pid) {
		t.Errorf("before:\n%s\nnow:\n%s", pid, now)
	}
}

func pidOf(status string) string {
	_, rest, _ := strings.Cut(status, "(pid ")
	pid, _, _ := strings.Cut(rest, ")")
	return pid
}

// The window in a real browser: nothing offends the page's own policy, the menu
// opens without a script, and a file is chosen and sent. REQ D1, D2, D7
func TestWebChromiumCertificates(t *testing.T) {
	c := newChromium(t)
	s := newSite(t)
	base := s.serve()
	c.open(base + "/")
	c.shows("Switch to Challenge Authentication")
	c.eval(`(document.querySelector("#user").value = "admin", document.querySelector("#password").value = "123456", document.querySelector("form[action='/login'] button").click())`)
	c.shows("No tunnel exists")
	c.eval(`document.querySelector("details.menu summary").click()`)
	c.shows("Reload Service")
	c.eval(`document.querySelector("details.menu a[href='/certificates/upload']").click()`)
	c.shows("Upload a certificate")
	files := 0
	choose := func(text string) {
		until.True(t, "the page is loaded", func() bool { return c.eval(`document.readyState`) == "complete" })
		files++
		var doc struct{ Root struct{ NodeID int } }
		c.call("DOM.getDocument", nil, &doc)
		var input struct{ NodeID int }
		c.call("DOM.querySelector", map[string]any{"nodeId": doc.Root.NodeID, "selector": "#file"}, &input)
		c.call("DOM.setFileInputFiles", map[string]any{"nodeId": input.NodeID, "files": []string{s.file(fmt.Sprintf("chosen-%d.pem", files), text)}}, nil)
		c.eval(`document.querySelector("form[action='/certificates/upload'] button").click()`)
	}
	choose("hello")
	c.shows("nothing in PEM form")
	choose(strings.Repeat("x", 5<<20))
	c.shows("larger than 256 kB")
	c.eval(`document.querySelector("a[href='/certificates/csr']").click()`)
	c.shows("Generate a CSR")
	c.eval(`(document.querySelector("#key").value = "p256", document.querySelector("form[action='/certificates/csr'] button").click())`)
	c.shows("Download infinibox_sa_private_key.key")
	request := c.eval(`fetch("/certificates/infinibox_sa_csr.pem").then(r => r.text())`)
	c.open(base + "/certificates/upload")
	c.shows("waits for its certificate")
	choose(signRequest(t, request))
	c.shows("The certificate was verified and is in use")
	c.eval(`document.querySelector("a[href='/certificates/anew']").click()`)
	until.True(t, "another page is shown", func() bool { return !strings.Contains(c.eval("document.body.innerText"), "opens a new connection") })
	c.shows("Upload a certificate")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.loud {
		t.Errorf("the browser complains: %s", e)
	}
}
