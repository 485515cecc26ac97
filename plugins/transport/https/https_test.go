package https

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/icholy/digest"
	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

const (
	user     = "ada"
	password = "c4n4ry-p4ssword"
)

// fakeProxy answers each CONNECT of a connection by calling answer with the
// request and its number. A yes makes it echo the rest.
func fakeProxy(t *testing.T, answer func(n int, r *http.Request) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := 0
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			func() {
				defer conn.Close()
				br := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					a := answer(n, r)
					n++
					if a == "" {
						io.Copy(io.Discard, br) // silence, until the client leaves
						return
					}
					io.WriteString(conn, a)
					if strings.Contains(a, " 200 Connection") {
						io.Copy(conn, br)
						return
					}
					if strings.Contains(a, "close") || !strings.HasPrefix(a, "HTTP/1.1") {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func configured(t *testing.T, settings map[string]any) *Transport {
	t.Helper()
	b, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	tr := New()
	if err := config.Decode(tr.Config(), b); err != nil {
		t.Fatal(err)
	}
	return tr
}

func dial(t *testing.T, settings map[string]any) (net.Conn, error) {
	t.Helper()
	conn, err := configured(t, settings).Dial(t.Context(), transport.Target{Network: "tcp", Address: "rss.example.com:443"})
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	} else if strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
		t.Errorf("the password is in the error: %v", err)
	}
	return conn, err
}

const ok = "HTTP/1.1 200 Connection established\r\n\r\n"

func ask(offers ...string) string {
	s := "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n"
	for _, o := range offers {
		s += "Proxy-Authenticate: " + o + "\r\n"
	}
	return s + "\r\nsorry"
}

// REQ A6
func TestLogin(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	const challenge = `Digest realm="proxy, with comma", nonce="n1", qop="auth", algorithm=SHA-256`
	digestOK := func(r *http.Request) bool {
		got, err := digest.ParseCredentials(r.Header.Get("Proxy-Authorization"))
		if err != nil {
			return false
		}
		c, _ := digest.ParseChallenge(challenge)
		want, err := digest.Digest(c, digest.Options{Method: "CONNECT", URI: "rss.example.com:443", Count: 1, Username: user, Password: password, Cnonce: got.Cnonce})
		return err == nil && got.Response == want.Response
	}
	tests := []struct {
		name     string
		settings map[string]any
		answer   func(n int, r *http.Request) string
		code     failure.Code // of the error; empty for success
		contains string
	}{
		{name: "no login wanted", answer: func(int, *http.Request) string { return ok }},
		{name: "credentials are not sent unasked", answer: func(_ int, r *http.Request) string {
			if r.Header.Get("Proxy-Authorization") != "" {
				return "HTTP/1.1 400 too eager\r\n\r\n"
			}
			return ok
		}},
		{name: "basic", answer: func(_ int, r *http.Request) string {
			if r.Header.Get("Proxy-Authorization") == basic {
				return ok
			}
			return ask(`Basic realm="x"`)
		}},
		{name: "digest is preferred to basic", answer: func(_ int, r *http.Request) string {
			if digestOK(r) {
				return ok
			}
			return ask(`Basic realm="x"`, challenge)
		}},
		{name: "several offers in one line", answer: func(_ int, r *http.Request) string {
			if digestOK(r) {
				return ok
			}
			return ask(`Basic realm="x, y", ` + challenge)
		}},
		{name: "the proxy closes in between", answer: func(_ int, r *http.Request) string {
			if r.Header.Get("Proxy-Authorization") == basic {
				return ok
			}
			return "HTTP/1.0 407 no\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
		}},
		{name: "a chunked error page", answer: func(_ int, r *http.Request) string {
			if r.Header.Get("Proxy-Authorization") == basic {
				return ok
			}
			return "HTTP/1.1 407 no\r\nProxy-Authenticate: Basic realm=x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n"
		}},
		{name: "an interim answer", answer: func(int, *http.Request) string { return "HTTP/1.1 100 Continue\r\n\r\n" + ok }},
		{name: "wrong password", answer: func(int, *http.Request) string { return ask("Basic realm=x") }, code: transport.ProxyAuth, contains: "does not accept"},
		{name: "wrong password, digest", answer: func(int, *http.Request) string { return ask(challenge) }, code: transport.ProxyAuth, contains: "does not accept"},
		{name: "no password set", settings: map[string]any{"user": "", "password": ""}, answer: func(int, *http.Request) string { return ask("Basic realm=x") }, code: transport.ProxyAuth, contains: "wants a login (basic)"},
		{name: "basic is not allowed here", settings: map[string]any{"auth": []string{"digest", "ntlm"}}, answer: func(int, *http.Request) string { return ask("Basic realm=x") }, code: transport.ProxyAuth, contains: "offers only basic"},
		{name: "an unknown scheme", answer: func(int, *http.Request) string { return ask("Hoba challenge") }, code: transport.ProxyAuth, contains: "offers only hoba"},
		{name: "NTLM without a challenge", answer: func(int, *http.Request) string { return ask("NTLM") }, code: transport.ProxyAuth, contains: "does not accept"},
		{name: "NTLM on a closing connection", answer: func(n int, _ *http.Request) string {
			if n == 0 {
				return ask("NTLM")
			}
			return "HTTP/1.1 407 no\r\nProxy-Authenticate: NTLM TlRMTVNTUAACAAAAAAAAADgAAAABAoEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA\r\nConnection: close\r\n\r\n"
		}, code: transport.ProxyBroken, contains: "NTLM"},
		{name: "NTLM with garbage", answer: func(int, *http.Request) string { return ask("NTLM !!!") }, code: transport.ProxyBroken, contains: "base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := map[string]any{"proxy": fakeProxy(t, tt.answer), "user": user, "password": password, "timeout": "5s"}
			for k, v := range tt.settings {
				settings[k] = v
			}
			conn, err := dial(t, settings)
			if tt.code != "" {
				if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.contains) {
					t.Errorf("got %v (%+v), want %s with %q", err, failure.From(err), tt.code, tt.contains)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			echo(t, conn)
		})
	}
}

func echo(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, "ping\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "ping\n" {
		t.Errorf("echo: %q, %v", line, err)
	}
}

// Each way in which a proxy can say no, or not be a proxy at all.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name, answer string
		code         failure.Code
	}{
		{"forbidden", "HTTP/1.1 403 Forbidden\r\n\r\n", transport.ProxyRefused},
		{"squid: access denied", "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n", transport.ProxyRefused},
		{"squid: name not found", "HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n", transport.DNS},
		{"squid: nothing listens", "HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n", transport.Refused},
		{"bad gateway", "HTTP/1.1 502 Bad Gateway\r\n\r\n", transport.Unreachable},
		{"gateway time-out", "HTTP/1.1 504 Gateway Timeout\r\n\r\n", transport.Timeout},
		{"a web server", "HTTP/1.1 405 Method Not Allowed\r\n\r\n", transport.ProxyBroken},
		{"a login portal", "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n", transport.ProxyBroken},
		{"an SSH server", "SSH-2.0-OpenSSH_9.2\r\n", transport.ProxyBroken},
		{"half a header", "HTTP/1.1 200 OK\r\nX: close", transport.ProxyBroken},
		{"a huge header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", transport.ProxyBroken},
		{"endless headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 20<<10) + "\r\n", transport.ProxyBroken},
		{"no number", "HTTP/1.1 abc\r\n\r\n", transport.ProxyBroken},
		{"asks and offers nothing", "HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", transport.ProxyBroken},
		{"silence", "", transport.Timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			timeout := "5s"
			if tt.answer == "" {
				timeout = "50ms"
			}
			addr := fakeProxy(t, func(int, *http.Request) string { return tt.answer })
			if _, err := dial(t, map[string]any{"proxy": addr, "timeout": timeout}); !errors.Is(err, tt.code) {
				t.Errorf("got %v (%+v), want %s", err, failure.From(err), tt.code)
			}
		})
	}
}

// What a proxy says reaches a terminal without control characters.
func TestProxyCannotWriteToTheTerminal(t *testing.T) {
	addr := fakeProxy(t, func(int, *http.Request) string {
		return "HTTP/1.1 500 \x1b]0;owned\x07 \u202e\r\nX-Squid-Error: \x1b[2J\r\n\r\n"
	})
	_, err := dial(t, map[string]any{"proxy": addr})
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07\u202e") {
		t.Errorf("error %q", err)
	}
}

// Bytes that come with the proxy's answer belong to the target.
func TestResidualBytes(t *testing.T) {
	addr := fakeProxy(t, func(int, *http.Request) string { return ok + "early " })
	conn, err := dial(t, map[string]any{"proxy": addr})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "late\n")
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "early late\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestTLSToTheProxy(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, ok)
		io.Copy(conn, rw)
	}))
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	conn, err := dial(t, map[string]any{"proxy": addr, "tls": true, "ca": ca})
	if err != nil {
		t.Fatal(err)
	}
	echo(t, conn)
	if _, err := dial(t, map[string]any{"proxy": addr, "tls": true}); !errors.Is(err, transport.TLS) {
		t.Errorf("unknown CA: %v", err)
	}
	plain := fakeProxy(t, func(int, *http.Request) string { return ok })
	if _, err := dial(t, map[string]any{"proxy": plain, "tls": true, "timeout": "2s"}); err == nil {
		t.Error("TLS to a proxy without TLS worked")
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct{ settings, field string }{
		{`{"proxy":"p"}`, "proxy"},
		{`{"proxy":"a:1,b:2"}`, "proxy"},
		{`{"proxy":"p:1","auth":["magic"]}`, "auth"},
		{`{"proxy":"p:1","user":"a:b"}`, "user"},
		{`{"proxy":"p:1","password":"x"}`, "user"},
		{`{"proxy":"p:1","ca":"x"}`, "ca"},
		{`{}`, "proxy"},
	} {
		var problems config.Problems
		if err := config.Decode(New().Config(), []byte(tt.settings)); !errors.As(err, &problems) || problems[0].Field != tt.field {
			t.Errorf("%s: %v", tt.settings, err)
		}
	}
}

// The transport is known to golang.org/x/net/proxy by its schemes.
func TestRegistered(t *testing.T) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	addr := fakeProxy(t, func(_ int, r *http.Request) string {
		if r.Header.Get("Proxy-Authorization") == want {
			return ok
		}
		return ask("Basic realm=x")
	})
	u := &url.URL{Scheme: "http", Host: addr, User: url.UserPassword(user, password)}
	d, err := proxy.FromURL(u, proxy.Direct)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Dial("tcp", "rss.example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echo(t, conn)
	if _, err := proxy.FromURL(&url.URL{Scheme: "https", Host: "noport"}, proxy.Direct); err == nil {
		t.Error("an address without a port was taken")
	}
}

func TestConformance(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return New() }, plugintest.Options{
		Config: map[string]any{"proxy": plugintest.ProxyAddress, "user": user},
		Proxy:  plugintest.CONNECT,
	})
}

func TestParseOffers(t *testing.T) {
	var got []string
	for _, o := range parseOffers([]string{`Basic realm="a,b\", c", NTLM, Negotiate dG9r==`, `Digest realm = "x", nonce="y"`, ""}) {
		got = append(got, o.scheme+"|"+o.rest)
	}
	want := []string{`basic|realm="a,b\", c"`, "ntlm|", "negotiate|dG9r==", `digest|realm = "x", nonce="y"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n\r\n")
	f.Add(ok)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(s)))
		if err != nil {
			return
		}
		d := &dialogue{settings: &settings{User: user, Auth: ways}, target: "t:1"}
		if a.status == http.StatusProxyAuthRequired {
			d.answerChallenge(a)
			return
		}
		d.refused(a)
	})
}

func TestCancelled(t *testing.T) {
	addr := fakeProxy(t, func(int, *http.Request) string { return "" })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	start := time.Now()
	_, err := configured(t, map[string]any{"proxy": addr}).Dial(ctx, transport.Target{Network: "tcp", Address: "x:1"})
	if !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}
