package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/testdata/until"
)

// serve starts the agent with web pages, and returns where they are.
func (s *site) serve(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(context.Background(), "remote-support", append([]string{"--root", s.root, "serve", "--web", "127.0.0.1:0"}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("the agent: %v\n%s", err, log.String())
		}
		if strings.Contains(log.String(), "c4n4ry") {
			s.t.Errorf("a secret is in the log:\n%s", log.String())
		}
	})
	var status struct{ Agent struct{ Web string } }
	until.True(s.t, "there are web pages", func() bool {
		out, _, code := s.exec("status", "--json")
		return code == 0 && json.Unmarshal([]byte(out), &status) == nil && status.Agent.Web != ""
	}, &log)
	return strings.TrimSuffix(status.Agent.Web, "/")
}

// tab is a browser as far as the pages need one: it keeps cookies, follows what
// leads on, and says where its requests come from.
type tab struct {
	t    *testing.T
	base string
	*http.Client
	at   string // the address of the page that is shown
	page string
	code int
}

func newTab(t *testing.T, base string) *tab {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, base: base, Client: &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	t.Cleanup(b.CloseIdleConnections)
	return b
}

func (b *tab) do(method, path, from string, form url.Values) *tab {
	b.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.base + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", from)
		site := "same-origin"
		if from != b.base {
			site = "cross-site"
		}
		req.Header.Set("Sec-Fetch-Site", site)
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.page, b.code = strings.TrimPrefix(resp.Request.URL.String(), b.base), html.UnescapeString(string(page)), resp.StatusCode
	return b
}

func (b *tab) get(path string) *tab { b.t.Helper(); return b.do(http.MethodGet, path, "", nil) }

func (b *tab) post(path string, pairs ...string) *tab {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, b.base, form)
}

// shows fails unless the page has all of the texts.
func (b *tab) shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.page, text) {
			b.t.Errorf("%s (%d) has no %q:\n%s", b.at, b.code, text, visible(b.page))
		}
	}
}

var tags = regexp.MustCompile(`(?s)<[^>]*>|\n\s*`)

func visible(page string) string {
	if _, main, found := strings.Cut(page, "<main"); found {
		page = main
	}
	return strings.TrimSpace(tags.ReplaceAllString(page, " "))
}

// cookie is what the browser sends to the pages.
func (b *tab) cookie() string {
	at, _ := url.Parse(b.base)
	for _, c := range b.Jar.Cookies(at) {
		return c.Value
	}
	return ""
}

// plant gives the browser a cookie of somebody else.
func (b *tab) plant(value string) {
	at, _ := url.Parse(b.base)
	b.Jar.SetCookies(at, []*http.Cookie{{Name: "__Host-latchstring", Value: value, Path: "/", Secure: true}})
}

// private writes a file that nobody else may read.
func private(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
