package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/infinibox"
	"github.com/latchstring/latchstring/testdata/until"
)

// REQ A7, A13, C1, C2, C7
func TestWebPassword(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s.serve())
	if out, _ := s.do(0, "ports", "--rss", "rss.example.com"); !strings.Contains(out, "inbound") || !strings.Contains(out, b.base[strings.LastIndex(b.base, ":")+1:]) {
		t.Errorf("the firewall table has no web pages:\n%s", out)
	}
	if out, _ := s.do(0, "cert", "show"); !strings.Contains(out, "self-signed") || !strings.Contains(out, "127.0.0.1") || !strings.Contains(out, "SHA256:") {
		t.Errorf("the certificate:\n%s", out)
	}
	b.get("/").shows("Support Appliance Login", "Username", "Password", "Switch to Challenge Authentication")
	if b.at != "/login" || b.cookie() != "" {
		t.Errorf("at %s, with the cookie %q", b.at, b.cookie())
	}
	for _, tt := range []struct{ user, password, says string }{
		{"admin", "wrong-c4n4ry", "Wrong user name or password"},
		{"reader", "reader-pass", "without the Admin role"},
	} {
		newTab(t, b.base).post("/login", "user", tt.user, "password", tt.password).shows(tt.says)
		// Who was wrong waits; that is the host's, and of the address.
		until.True(t, "he may log in again", func() bool {
			b.post("/login", "user", "admin", "password", "123456")
			return b.at == "/"
		})
		b.shows("Logged in as", "admin", "Remote support is off")
		b.post("/logout").shows("You are logged out")
	}
	s.box.Knobs.Set(infinibox.Trouble{Status: 503})
	newTab(t, b.base).post("/login", "user", "admin", "password", "123456").shows("The array is not available", "challenge and response")
	s.box.Knobs.Set(infinibox.Trouble{})
	if n := s.box.Sessions(); n != 0 {
		t.Errorf("%d sessions are left at the array", n)
	}
	out, _ := s.do(0, "audit", "show")
	for _, want := range []string{"login.ok", "web:127.0.0.1", `client="web 127.0.0.1"`, "method=infinibox", "login.ended", "web.started"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "c4n4ry") || strings.Contains(out, "123456 ") {
		t.Errorf("a password is in the audit log:\n%s", out)
	}
}

// A cookie that somebody planted is worth nothing once its new owner has done
// anything (session fixation), nor is the one of before the login.
func TestWebFixation(t *testing.T) {
	s := newSite(t)
	base := s.serve()
	eve, ada := newTab(t, base), newTab(t, base)
	eve.post("/login/start", "method", "challenge").shows("Give this challenge to support")
	ada.plant(eve.cookie())
	ada.post("/login", "user", "admin", "password", "123456").shows("Remote support is off")
	if eve.get("/"); eve.at != "/login" {
		t.Errorf("the one who planted the cookie is at %s", eve.at)
	}
	eve.get("/login").shows("Switch to Challenge Authentication")
	if ada.get("/"); ada.at != "/" {
		t.Error("its new owner is out")
	}
	old := ada.cookie()
	ada.post("/logout")
	ada.plant(old)
	if ada.get("/"); ada.at != "/login" {
		t.Error("a cookie holds after the logout")
	}
}

var groups = regexp.MustCompile(`data-copy="([^"]+)"`)

// REQ C3, C4, C5, C6, C8
func TestWebChallenge(t *testing.T) {
	s := newSite(t)
	s.box.Knobs.Set(infinibox.Trouble{Status: 503}) // the array is down
	b := newTab(t, s.serve())
	b.post("/login/start", "method", "challenge").shows("Give this challenge to support", "Good until", "Authentication Response", "<svg", "To make sure that it is the same")
	first := groups.FindStringSubmatch(b.page)[1]
	for range 3 {
		b.get("/login").shows(first) // loading the page anew
	}
	other := newTab(t, b.base)
	other.post("/login/start", "method", "challenge")
	if strings.Contains(other.page, first) {
		t.Error("another browser has the same challenge")
	}
	response := s.answer(first)
	b.post("/login/answer", "f.response", strings.Replace(response, response[5:6], "*", 1)).shows("Mistyped", "did not count", first)
	// An answer to somebody else's challenge is wrong, and counted.
	other.post("/login/answer", "f.response", response).shows("Switch to Challenge Authentication", "another challenge")
	until.True(t, "he may answer again", func() bool {
		b.post("/login/answer", "f.response", response)
		return b.at == "/" || b.code != 200 || !strings.Contains(b.page, "oo many") && again(b)
	})
	b.shows("support:ada", "Remote support is off")
	// It worked once.
	twice := newTab(t, b.base)
	twice.post("/login/start", "method", "challenge").post("/login/answer", "f.response", response)
	if twice.get("/"); twice.at != "/login" {
		t.Errorf("a response worked twice: at %s", twice.at)
	}
}

// again begins anew where the last try had to wait; the challenge is the same.
func again(b *tab) bool {
	b.post("/login/start", "method", "challenge")
	return false
}

// Somebody else's page cannot do anything here (login CSRF, REQ B2), and what does
// not belong is not there.
func TestWebForeignPages(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s.serve())
	b.post("/login", "user", "admin", "password", "123456").shows("Remote support is off")
	for _, path := range []string{"/session/on", "/session/off", "/logout", "/login", "/login/start", "/connections/x/approve"} {
		if b.do(http.MethodPost, path, "https://evil.example", url.Values{"for": {"1h"}}); b.code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, b.code)
		}
		if path != "/login" {
			if b.get(path); b.code == http.StatusOK {
				t.Errorf("GET %s: %d", path, b.code)
			}
		}
	}
	if b.get("/"); b.at != "/" {
		t.Error("the login is gone")
	}
	if b.get("/etc/passwd"); b.code != http.StatusNotFound {
		t.Errorf("%d", b.code)
	}
	if b.get("/static/..%2fserver.go"); b.code != http.StatusNotFound {
		t.Errorf("%d", b.code)
	}
}

// Policy takes the pages away while they are served, and brings them back.
func TestWebForbidden(t *testing.T) {
	s := newSite(t)
	base := s.serve()
	dir := filepath.Join(s.root, "etc", "policies.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "web.hcl"), "web {\n  enabled = false\n}\n")
	b := newTab(t, base)
	until.True(t, "the pages are gone", func() bool { _, err := b.Get(base + "/login"); return err != nil })
	until.True(t, "it is recorded", func() bool {
		out, _ := s.do(0, "audit", "show")
		return strings.Contains(out, "web.ended") && strings.Contains(out, "web.hcl:2,3")
	})
	if out, _ := s.do(0, "policy", "explain", "web.serve", "address=127.0.0.1:9000"); !strings.Contains(out, "web.enabled") {
		t.Errorf("%s", out)
	}
}

// A login that is too old opens nothing, and still sees and stops. REQ B2
func TestWebFreshLogin(t *testing.T) {
	r := relaytest.New(t)
	s := newSite(t)
	s.do(0, "enroll", "--token-file", s.file("token", r.Token("array-7").String()+"\n"))
	dir := filepath.Join(s.root, "etc", "policies.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "fresh.hcl"), "session {\n  max_login_age = \"1s\"\n}\n")
	b := newTab(t, s.serve())
	b.post("/login", "user", "admin", "password", "123456").shows("Remote support is off")
	until.True(t, "the login is too old", func() bool {
		b.post("/session/on", "for", "1h")
		old := strings.Contains(b.page, "log in again")
		if !old {
			b.post("/session/off")
		}
		return old
	})
	b.shows("fresh.hcl:2,3", "Log out and in again")
	s.do(0, "on", "--for", "1h") // root has no login that could grow old
	b.get("/").shows("Remote support is on")
	b.post("/session/extend", "by", "1h").shows("log in again")
	b.post("/session/off").shows("Remote support is off")
}
