package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// upgrader is a relay that logs everybody in and upgrades those whose token is
// good.
type upgrader struct {
	tokens, dials atomic.Int64
	good          atomic.Value // the token that is accepted
	closeAfter    bool         // each answer
	client        *Client
}

func newUpgrader(t *testing.T) *upgrader {
	t.Helper()
	u := &upgrader{}
	u.good.Store("token-1")
	ca := issue(t, "CA", nil, nil)
	leaf := issue(t, "rss", ca, nil)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(u.serve), ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	u.client, err = New(Options{Address: ln.Addr().String(), Trust: Trust{Roots: roots}, Kind: api.KindSystem, Key: key.PublicKey(), Sign: KeySigner(key),
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			u.dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.client.Close)
	return u
}

func (u *upgrader) serve(w http.ResponseWriter, r *http.Request) {
	if u.closeAfter {
		w.Header().Set("Connection", "close")
	}
	switch r.URL.Path {
	case api.PathChallenge:
		json.NewEncoder(w).Encode(api.ChallengeResponse{Nonce: "n", Time: time.Now(), Expires: time.Now().Add(time.Minute)})
	case api.PathToken:
		json.NewEncoder(w).Encode(api.TokenResponse{Token: fmt.Sprintf("token-%d", u.tokens.Add(1)), Expires: time.Now().Add(time.Hour), Subject: "sys-x"})
	default:
		if r.Header.Get("Authorization") != "Bearer "+u.good.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
			json.NewEncoder(w).Encode(api.Errorf(0, api.CodeUnauthorized, "log in again"))
			return
		}
		raw, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		raw.Write(ws.Response(r.Header.Get("Sec-WebSocket-Key")))
		ws.Server(raw).Write([]byte("up"))
		raw.Close()
	}
}

func (u *upgrader) up(t *testing.T) error {
	t.Helper()
	up, err := u.client.Upgrade(t.Context(), "/v1/link", nil)
	if err != nil {
		return err
	}
	defer up.Close()
	got := make([]byte, 2)
	if _, err := ws.Client(up.Conn).Read(got); err != nil || string(got) != "up" || up.Customer {
		t.Errorf("read %q, %v; %+v", got, err, up)
	}
	return nil
}

// Login and upgrade need one connection, and no login while the old one holds.
func TestUpgradeLogsIn(t *testing.T) {
	u := newUpgrader(t)
	for want := int64(1); want <= 2; want++ {
		if err := u.up(t); err != nil {
			t.Fatal(err)
		}
		if u.dials.Load() != want || u.tokens.Load() != 1 {
			t.Errorf("%d connections, %d logins", u.dials.Load(), u.tokens.Load())
		}
	}
	// The relay forgot the login: another one, on the same connection.
	u.good.Store("token-2")
	if err := u.up(t); err != nil || u.dials.Load() != 3 || u.tokens.Load() != 2 {
		t.Errorf("%v, %d connections, %d logins", err, u.dials.Load(), u.tokens.Load())
	}
	// It accepts none: no endless attempts.
	u.good.Store("none")
	var e *api.Error
	if err := u.up(t); !errors.As(err, &e) || e.Code != api.CodeUnauthorized || u.dials.Load() > 5 || u.tokens.Load() > 4 {
		t.Errorf("%v, %d connections, %d logins", err, u.dials.Load(), u.tokens.Load())
	}
}

// A proxy that closes each connection after one answer costs a connection
// more for each step, no failure.
func TestUpgradeWithoutKeepAlive(t *testing.T) {
	u := newUpgrader(t)
	u.closeAfter = true
	if err := u.up(t); err != nil {
		t.Errorf("%v after %d connections", err, u.dials.Load())
	}
	u.good.Store("none")
	if err := u.up(t); err == nil || u.dials.Load() > 12 {
		t.Errorf("%v after %d connections", err, u.dials.Load())
	}
}

func TestUpgradeEnds(t *testing.T) {
	u := newUpgrader(t)
	why := errors.New("the session was closed")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := u.client.Upgrade(ctx, "/", nil); !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	for v, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "Wed, 21 Oct 2026 07:28:00 GMT": 0, "99999999999999999999": 0, "100000": maxRetryAfter} {
		if got := retryAfter(http.Header{"Retry-After": {v}}); got != want {
			t.Errorf("Retry-After %q: %s", v, got)
		}
	}
}

// What the relay may send before the upgrade is bounded.
func TestUpgradeEndlessHeader(t *testing.T) {
	ca := issue(t, "CA", nil, nil)
	leaf := issue(t, "rss", ca, nil)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var sent atomic.Int64
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching\r\n")
		line := "X-Filler: " + strings.Repeat("x", 1000) + "\r\n"
		for {
			n, err := conn.Write([]byte(line))
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	c, err := New(Options{Address: ln.Addr().String(), Trust: Trust{Roots: roots}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Upgrade(t.Context(), "/", nil)
	if err == nil || sent.Load() > 64<<20 {
		t.Errorf("%v after %d bytes", err, sent.Load())
	}
}
