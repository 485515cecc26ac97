package relay_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// A signature holds on its connection, for its relay, by its key, and nowhere
// else.
func TestSignedLogin(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	stranger, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dial := func() *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", p.Address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	exporter := func(c *tls.Conn, label string) []byte {
		t.Helper()
		state := c.ConnectionState()
		b, err := state.ExportKeyingMaterial(label, nil, api.LoginExporterSize)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sign := func(sys *identity.System, kind api.Kind, statement []byte) string {
		t.Helper()
		sig, err := sys.Sign(identity.NamespaceRSS, statement)
		if err != nil {
			t.Fatal(err)
		}
		return header(t, kind, sys.PublicKey(), sig)
	}
	ask := func(c *tls.Conn, authorization string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("GET", "https://"+p.Address+"/v1/link", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", authorization)
		if err := req.Write(c); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	pin, sys := p.Loaded.Pin(), p.System
	own := func(c *tls.Conn) []byte { return exporter(c, api.LoginExporter) }
	tests := []struct {
		name   string
		header func(*tls.Conn) string
		status int // 426: let in, and told that it did not ask for a WebSocket
	}{
		{"good", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.ExporterStatement(api.KindSystem, pin, own(c)))
		}, 426},
		{"of another connection", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.ExporterStatement(api.KindSystem, pin, own(dial())))
		}, 401},
		{"for another relay", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.ExporterStatement(api.KindSystem, api.Pin{1}, own(c)))
		}, 401},
		{"the exporter of the link, which is no secret", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.ExporterStatement(api.KindSystem, pin, exporter(c, "EXPORTER-latchstring-link")))
		}, 401},
		{"a login by challenge", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.LoginStatement(api.KindSystem, pin, string(own(c))))
		}, 401},
		{"signed as an engineer", func(c *tls.Conn) string {
			return sign(sys, api.KindSystem, api.ExporterStatement(api.KindEngineer, pin, own(c)))
		}, 401},
		{"a system that calls itself an engineer", func(c *tls.Conn) string {
			return sign(sys, api.KindEngineer, api.ExporterStatement(api.KindEngineer, pin, own(c)))
		}, 403},
		{"a stranger's key", func(c *tls.Conn) string {
			return sign(stranger, api.KindSystem, api.ExporterStatement(api.KindSystem, pin, own(c)))
		}, 403},
		{"the key of another", func(c *tls.Conn) string {
			sig, err := stranger.Sign(identity.NamespaceRSS, api.ExporterStatement(api.KindSystem, pin, own(c)))
			if err != nil {
				t.Fatal(err)
			}
			return header(t, api.KindSystem, sys.PublicKey(), sig)
		}, 401},
		{"another kind", func(c *tls.Conn) string {
			return sign(sys, "root", api.ExporterStatement("root", pin, own(c)))
		}, 400},
		{"garbage", func(*tls.Conn) string { return "Latchstring-Signed ????" }, 400},
	}
	for _, tt := range tests {
		c := dial()
		if status, body := ask(c, tt.header(c)); status != tt.status {
			t.Errorf("%s: %d %s; want %d", tt.name, status, strings.TrimSpace(body), tt.status)
		}
	}
}

func header(t *testing.T, kind api.Kind, key ssh.PublicKey, sig []byte) string {
	t.Helper()
	h, err := api.SignedLogin{Kind: kind, PublicKey: identity.FormatKey(key), Signature: string(sig)}.Header()
	if err != nil {
		t.Fatal(err)
	}
	return h
}
