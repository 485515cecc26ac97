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
	waitUntil(t, func() bool { return other.post("/login", "user", "admin", "password", "123456").at == "/" })
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
	b.post("/certificates/self-signed", "cn", "ibox3333", "c", "Us").shows("self-signed certificate was generated")
	if now := served(t, base); len(now) != 1 || now[0].Subject.CommonName != "ibox3333" || now[0].VerifyHostname(host) != nil {
		t.Errorf("%v", now[0].Subject)
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
	waitUntil(t, func() bool {
		out, _, code := s.exec("audit", "show", "--type", "agent.")
		return code == 0 && strings.Count(out, "agent.started") == 2
	})
	waitUntil(t, func() bool {
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
