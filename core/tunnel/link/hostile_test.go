package link

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// both is a connection that writes elsewhere.
type both struct {
	net.Conn
	w io.Writer
}

func (b *both) Write(p []byte) (int, error) { return b.w.Write(p) }

// inspector ends TLS with certificates of its own authority and passes on what
// is inside.
func inspector(t testing.TB, own *authority, relay *testRelay) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own.leaf}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := tls.Dial("tcp", relay.address, &tls.Config{RootCAs: relay.pool})
				if err != nil {
					return
				}
				defer out.Close()
				go func() { io.Copy(out, in); out.Close() }()
				io.Copy(in, out)
			}()
		}
	}()
	return ln.Addr().String()
}

// The session works through a box that inspects TLS, in frames, and the
// customer is told who it is.
func TestInspected(t *testing.T) {
	relay, box := newRelay(t), newAuthority(t, "Corporate Inspection CA")
	address := inspector(t, box, relay)
	c := relay.client(t, address)
	if _, err := Dial(t.Context(), c, relay.key.PublicKey(), "/v1/link", nil); err == nil || !strings.Contains(err.Error(), "Corporate Inspection CA") {
		t.Errorf("an authority that nobody trusts: %v", err)
	}
	c, err := c.TrustToo(box.pool)
	if err != nil {
		t.Fatal(err)
	}
	near, far := relay.link(t, Dialer{Client: c})
	if !near.Framed || !far.Framed || !strings.Contains(near.InspectedBy, "CN=Corporate Inspection CA") {
		t.Errorf("near %+v, far %+v", near, far)
	}
	exchange(t, near, far)

	// Trusting the box as well does not blame it where it is not in between.
	c, err = relay.client(t, relay.address).TrustToo(box.pool)
	if err != nil {
		t.Fatal(err)
	}
	if near, _ := relay.link(t, Dialer{Client: c}); near.Framed || near.InspectedBy != "" {
		t.Errorf("without the box: %+v", near)
	}
}

// Boxes whose certificate is good and whose answers are not the relay's.
func TestForgedAnswers(t *testing.T) {
	relay := newRelay(t)
	other := newKey(t)
	sign := func(a answer, by func([]byte) ([]byte, error), nonce []byte) answer {
		sig, err := by(statement(nonce, a.Exporter))
		if err != nil {
			t.Error(err)
		}
		a.Signature = string(sig)
		return a
	}
	real, foreign := signWith(relay.key), signWith(other)
	lies := map[string]func(g greeting) any{
		"another key": func(g greeting) any {
			return sign(answer{V: 1, Exporter: g.Exporter, Raw: true}, foreign, g.Nonce)
		},
		"no signature": func(g greeting) any { return answer{V: 1, Exporter: g.Exporter, Raw: true} },
		"signature for an older nonce": func(g greeting) any {
			return sign(answer{V: 1, Exporter: g.Exporter, Raw: true}, real, make([]byte, 32))
		},
		"exporter changed after signing": func(g greeting) any {
			a := sign(answer{V: 1, Exporter: make([]byte, 32), Raw: true}, real, g.Nonce)
			a.Exporter = g.Exporter
			return a
		},
		"the relay's word that it differs, and still no frames": func(g greeting) any {
			return sign(answer{V: 1, Exporter: make([]byte, 32), Raw: true}, real, g.Nonce)
		},
		"passes on what it was not asked to": func(g greeting) any {
			return sign(answer{V: 1, Exporter: g.Exporter, Raw: true, Pass: true}, real, g.Nonce)
		},
		"garbage":        func(greeting) any { return "hello" },
		"unknown member": func(greeting) any { return map[string]any{"v": 1, "x": 1} },
	}
	for name, lie := range lies {
		t.Run(name+", in the header", func(t *testing.T) {
			address := serve(t, &tls.Config{Certificates: []tls.Certificate{relay.leaf}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				defer raw.Close()
				g, err := headerGreeting(r.Header)
				if err != nil || g == nil {
					t.Errorf("greeting %v, %v", g, err)
					return
				}
				value, _ := encodeHeader(lie(*g))
				raw.Write(ws.Response(r.Header.Get("Sec-WebSocket-Key"), answerHeader+": "+value))
				io.Copy(io.Discard, raw)
			}))
			_, err := Dial(t.Context(), relay.client(t, address), relay.key.PublicKey(), "/v1/link", nil)
			var forged *ForgedError
			if !errors.As(err, &forged) || forged.ExitCode() != 4 {
				t.Errorf("error %v", err)
			}
		})
		t.Run(name, func(t *testing.T) {
			address := serve(t, &tls.Config{Certificates: []tls.Certificate{relay.leaf}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				defer raw.Close()
				raw.Write(ws.Response(r.Header.Get("Sec-WebSocket-Key")))
				f := ws.Server(raw)
				b, err := f.ReadMessage(maxGreeting)
				if err != nil {
					return
				}
				g, err := parseGreeting(b)
				if err != nil {
					t.Error(err)
				}
				b, _ = json.Marshal(lie(g))
				f.Write(b)
				io.Copy(io.Discard, f)
			}))
			_, err := Dial(t.Context(), relay.client(t, address), relay.key.PublicKey(), "/v1/link", nil)
			var forged *ForgedError
			if !errors.As(err, &forged) || forged.ExitCode() != 4 {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A relay that goes silent holds Dial no longer than its context, at each step.
func TestSilentRelay(t *testing.T) {
	relay := newRelay(t)
	for _, step := range []string{"nothing", "upgrade", "huge header"} {
		address := serve(t, &tls.Config{Certificates: []tls.Certificate{relay.leaf}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer raw.Close()
			switch step {
			case "upgrade":
				raw.Write(ws.Response(r.Header.Get("Sec-WebSocket-Key")))
			case "huge header":
				io.WriteString(raw, "HTTP/1.1 101 Switching\r\nX: ")
				for i := 0; i < 10_000; i++ {
					if _, err := raw.Write(make([]byte, 4096)); err != nil {
						return
					}
				}
			}
			io.Copy(io.Discard, raw)
		}))
		ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errors.New("the test has waited long enough"))
		_, err := Dial(ctx, relay.client(t, address), relay.key.PublicKey(), "/v1/link", nil)
		cancel()
		if err == nil {
			t.Errorf("%s: no error", step)
		}
	}
	_, err := Dial(t.Context(), relay.client(t, relay.address), nil, "/", nil)
	if err == nil {
		t.Error("no error without a key")
	}
	pinned, err := client.New(client.Options{Address: relay.address, Trust: client.Trust{Roots: relay.pool}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pinned.TrustToo(relay.pool); err == nil {
		t.Error("a client that is no system's accepts further authorities")
	}
}

// Foreign first messages: read whole or refused, on both ends.
func FuzzGreeting(f *testing.F) {
	g := newGreeting(make([]byte, exporterSize), true)
	key := newKey(f)
	sig, err := signWith(key)(statement(g.Nonce, g.Exporter))
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range []any{g, newGreeting(nil, true), answer{V: 1, Exporter: g.Exporter, Raw: true, Signature: string(sig)}, answer{V: 1}} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	other := newKey(f).PublicKey()
	value, err := encodeHeader(g)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(value))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := headerGreeting(http.Header{greetingHeader: {string(b)}}); err == nil && got != nil && (len(got.Nonce) != nonceSize || len(got.Early) > maxEarly) {
			t.Errorf("header %q is read as %+v", b, got)
		}
		if got, err := parseGreeting(b); err == nil && (len(got.Nonce) != nonceSize || got.Raw && len(got.Exporter) != 0 && len(got.Exporter) != exporterSize) {
			t.Errorf("%q is read as %+v", b, got)
		}
		if a, same, err := g.check(b, other); err == nil {
			t.Errorf("%q is accepted from nobody: %+v, %v", b, a, same)
		}
		if a, same, err := g.check(b, key.PublicKey()); err == nil && a.Raw && !same {
			t.Errorf("%q leaves the frames: %+v", b, a)
		}
	})
}
