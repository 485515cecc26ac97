package socks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

const password = "c4n4ry-p4ssword"

// scripted is a proxy that reads and writes as told, then echoes. A step that
// begins with "<" is read and compared; "..." as the last bytes allow more.
func scripted(t *testing.T, steps ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			play(t, conn, steps)
		}
	}()
	return l.Addr().String()
}

func play(t *testing.T, conn net.Conn, steps []string) {
	defer conn.Close()
	for _, s := range steps {
		if want, reads := strings.CutPrefix(s, "<"); reads {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
				t.Errorf("the proxy got %q (%v), want %q", got, err, want)
				return
			}
			continue
		}
		if s == "silence" {
			io.Copy(io.Discard, conn)
			return
		}
		if s == "hang up" {
			return
		}
		io.WriteString(conn, s)
	}
	io.Copy(conn, conn)
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

func echo(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, "ping\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "ping\n" {
		t.Errorf("echo: %q, %v", line, err)
	}
}

const (
	name    = "rss.example.com:443"
	asked4a = "<\x04\x01\x01\xbb\x00\x00\x00\x01ada\x00rss.example.com\x00"
	asked4  = "<\x04\x01\x01\xbb\xc0\x00\x02\x07ada\x00"
	hello   = "<\x05\x01\x00"     // RFC 1928: no authentication
	helloUP = "<\x05\x02\x00\x02" // or user name and password
	asked5  = "<\x05\x01\x00\x03\x0frss.example.com\x01\xbb"
	login   = "<\x01\x03ada\x0f" + password
	yes5    = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
)

// REQ A6, A17: the name goes to the proxy as it is.
func TestDial(t *testing.T) {
	tests := []struct {
		name, version, user, password, address string
		steps                                  []string
		code                                   failure.Code
		contains                               string
	}{
		{name: "5", version: "5", steps: []string{hello, "\x05\x00", asked5, yes5}},
		{name: "5, login", version: "5", user: "ada", password: password, steps: []string{helloUP, "\x05\x02", login, "\x01\x00", asked5, yes5}},
		{name: "5, login not wanted", version: "5", user: "ada", password: password, steps: []string{helloUP, "\x05\x00", asked5, yes5}},
		{name: "5, answer with a name", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x00\x00\x03\x04host\x00\x00"}},
		{name: "5, wrong password", version: "5", user: "ada", password: password, steps: []string{helloUP, "\x05\x02", login, "\x01\x01"}, code: transport.ProxyAuth, contains: "does not accept the user name"},
		{name: "5, hangs up on a wrong password", version: "5", user: "ada", password: password, steps: []string{helloUP, "\x05\x02", login, "hang up"}, code: transport.ProxyAuth},
		{name: "5, login wanted", version: "5", steps: []string{hello, "\x05\xff"}, code: transport.ProxyAuth, contains: "no way to log in"},
		{name: "5, not allowed", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyRefused, contains: "does not allow a connection to " + name},
		{name: "5, network", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.Unreachable},
		{name: "5, host", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.DNS},
		{name: "5, refused", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.Refused},
		{name: "5, general failure", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyRefused},
		{name: "5, no connect", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyBroken},
		{name: "5, no names", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x08\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyBroken},
		{name: "5, unknown code", version: "5", steps: []string{hello, "\x05\x00", asked5, "\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyBroken},
		{name: "5, a web server", version: "5", steps: []string{hello, "HTTP/1.1 400 Bad Request\r\n\r\n"}, code: transport.ProxyBroken},
		{name: "5, hangs up", version: "5", steps: []string{hello, "hang up"}, code: transport.ProxyBroken},
		{name: "5, silence", version: "5", steps: []string{hello, "silence"}, code: transport.Timeout},

		{name: "4a", version: "4a", user: "ada", steps: []string{asked4a, "\x00\x5a\x00\x00\x00\x00\x00\x00"}},
		{name: "4 with a name", version: "4", user: "ada", steps: []string{asked4a, "\x00\x5a\x00\x00\x00\x00\x00\x00"}},
		{name: "4", version: "4", user: "ada", address: "192.0.2.7:443", steps: []string{asked4, "\x00\x5a\x00\x00\x00\x00\x00\x00"}},
		{name: "4, refused", version: "4", user: "ada", steps: []string{asked4a, "\x00\x5b\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyRefused, contains: "refused to connect to " + name},
		{name: "4, identd", version: "4", user: "ada", steps: []string{asked4a, "\x00\x5d\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyAuth},
		{name: "4, unknown code", version: "4", user: "ada", steps: []string{asked4a, "\x00\x01\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyBroken},
		{name: "4, a SOCKS5 proxy", version: "4", user: "ada", steps: []string{asked4a, "\x05\xff\x00\x00\x00\x00\x00\x00"}, code: transport.ProxyBroken},
		{name: "4, hangs up", version: "4", user: "ada", steps: []string{asked4a, "\x00\x5a", "hang up"}, code: transport.ProxyBroken},
		{name: "4, silence", version: "4", user: "ada", steps: []string{asked4a, "silence"}, code: transport.Timeout},
		{name: "4, IPv6", version: "4", user: "ada", address: "[2001:db8::1]:443", code: transport.Config, contains: "IPv6"},
		{name: "4, named port", version: "4", user: "ada", address: "x:https", code: transport.Config, contains: "port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			timeout := "5s"
			if tt.code == transport.Timeout {
				timeout = "50ms"
			}
			tr := configured(t, map[string]any{"proxy": scripted(t, tt.steps...), "version": tt.version, "user": tt.user, "password": tt.password, "timeout": timeout})
			address := tt.address
			if address == "" {
				address = name
			}
			conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: address})
			if tt.code != "" {
				if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.contains) {
					t.Errorf("got %v (%+v), want %s with %q", err, failure.From(err), tt.code, tt.contains)
				}
				if strings.Contains(fmt.Sprintf("%+v", err), password) {
					t.Errorf("the password is in the error: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			echo(t, conn)
		})
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct{ settings, field string }{
		{`{"proxy":"p"}`, "proxy"},
		{`{"proxy":"p:1","version":"6"}`, "version"},
		{`{"proxy":"p:1","version":"4","user":"u","password":"x"}`, "password"}, // REQ A6
		{`{"proxy":"p:1","version":"5","password":"x"}`, "user"},
		{`{"proxy":"p:1","version":"5","user":"` + strings.Repeat("u", 256) + `"}`, "user"},
		{`{"proxy":"p:1","version":"5","local_resolve":true}`, "local_resolve"},
	} {
		var problems config.Problems
		if err := config.Decode(New().Config(), []byte(tt.settings)); !errors.As(err, &problems) || problems[0].Field != tt.field {
			t.Errorf("%s: %v", tt.settings, err)
		}
	}
}

func TestLocalResolve(t *testing.T) {
	tr := configured(t, map[string]any{
		"proxy": scripted(t, "<\x04\x01\x01\xbb\x7f\x00\x00\x01ada\x00", "\x00\x5a\x00\x00\x00\x00\x00\x00"), "version": "4", "user": "ada", "local_resolve": true,
	})
	if tr.ResolvesNames() {
		t.Error("the transport says that the proxy resolves names")
	}
	conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: "localhost:443"})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// SOCKS4 and 4a are known to golang.org/x/net/proxy by their schemes.
func TestRegistered(t *testing.T) {
	for _, scheme := range []string{"socks4", "socks4a"} {
		u := &url.URL{Scheme: scheme, Host: scripted(t, asked4a, "\x00\x5a\x00\x00\x00\x00\x00\x00"), User: url.User("ada")}
		d, err := proxy.FromURL(u, proxy.Direct)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := d.Dial("tcp", name)
		if err != nil {
			t.Fatal(err)
		}
		echo(t, conn)
		conn.Close()
		u.User = url.UserPassword("ada", "x")
		if _, err := proxy.FromURL(u, proxy.Direct); err == nil {
			t.Error("SOCKS4 with a password was taken")
		}
	}
}

func TestConformance(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return New() }, plugintest.Options{
		Config: map[string]any{"proxy": plugintest.ProxyAddress, "user": "ada"},
		Proxy:  plugintest.SOCKS5,
	})
}

func FuzzConnect4(f *testing.F) {
	f.Add([]byte("\x00\x5a\x00\x00\x00\x00\x00\x00"), "host:1", "user")
	f.Fuzz(func(t *testing.T, reply []byte, address, user string) {
		rw := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(reply), io.Discard}
		if err := connect4(rw, address, user); err == nil && (len(reply) < 8 || reply[1] != granted4) {
			t.Errorf("%q was taken for a yes", reply)
		}
	})
}
