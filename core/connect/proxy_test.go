package connect

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// fakeProxy answers one request with answer and returns its address and what
// it was asked.
func fakeProxy(t *testing.T, answer string) (addr string, asked <-chan *http.Request) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	ch := make(chan *http.Request, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		ch <- req
		io.WriteString(c, answer)
		io.Copy(io.Discard, c)
	}()
	return ln.Addr().String(), ch
}

func noPassword() ([]byte, error) { return nil, errors.New("no password was to be asked") }

func TestProxyConnect(t *testing.T) {
	addr, asked := fakeProxy(t, "HTTP/1.1 200 OK\r\n\r\nSSH-early")
	dial, err := Proxy("http://ada@"+addr, func() ([]byte, error) { return []byte("s3cret"), nil })
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dial(t.Context(), "tcp", "rss.example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := <-asked
	if req.Method != "CONNECT" || req.Host != "rss.example.com:443" || req.Header.Get("Proxy-Authorization") != "Basic YWRhOnMzY3JldA==" {
		t.Errorf("asked %s %s %v", req.Method, req.Host, req.Header)
	}
	// What came with the answer is not lost.
	b := make([]byte, 9)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "SSH-early" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestProxyRefuses(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n": "wants a user name",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n":                      "refuses to connect to rss.example.com:443 (403 Forbidden)",
		"SSH-2.0-dropbear\r\n": "not HTTP",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxProxyHead): "not HTTP",
	} {
		addr, _ := fakeProxy(t, answer)
		dial, err := Proxy("https://"+addr, noPassword)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t.Context(), "tcp", "rss.example.com:443")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v; want %q", answer, err, want)
		}
	}
	dial, err := Proxy("socks5://127.0.0.1:1", noPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t.Context(), "tcp", "rss.example.com:443"); err == nil || !strings.Contains(err.Error(), "proxy 127.0.0.1:1") {
		t.Errorf("no proxy there: %v", err)
	}
}

// A password in the URL is refused, and not repeated.
func TestCheckProxy(t *testing.T) {
	for raw, good := range map[string]bool{
		"http://proxy:3128": true, "socks5://ada@proxy:1080": true, "https://proxy:3128/": true,
		"proxy:3128": false, "http://proxy": false, "ftp://proxy:21": false, "http://ada:hunter2@proxy:3128": false, "http://ada:hunter2@proxy:x": false, "": false,
	} {
		_, err := CheckProxy(raw)
		if (err == nil) != good {
			t.Errorf("CheckProxy(%q) = %v", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in the message: %v", err)
		}
	}
}
