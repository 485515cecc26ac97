package challenge

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/plugins/auth/challenge/code"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func vendor(t *testing.T) (ssh.Signer, map[string]any) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return key, map[string]any{"keys": "vendor-2026 " + string(ssh.MarshalAuthorizedKey(key.PublicKey()))}
}

func method(t *testing.T, set map[string]any) *Method {
	t.Helper()
	m := New()
	data, _ := json.Marshal(set)
	if err := config.Decode(m.Config(), data); err != nil {
		t.Fatal(err)
	}
	return m
}

// caller is a user with support on the phone: answer gets the challenge that
// is shown and how often it was asked.
type caller struct {
	shown  []auth.Notice
	asked  int
	answer func(challenge string, n int) string
}

func (p *caller) Ask(context.Context, ...auth.Field) (auth.Answers, error) {
	p.asked++
	return auth.Answers{"response": config.NewSecret(p.answer(p.shown[0].Value, p.asked))}, nil
}

func (p *caller) Show(_ context.Context, n auth.Notice) error {
	p.shown = append(p.shown, n)
	return nil
}

func engineer(t *testing.T, key ssh.Signer, challenge string) string {
	t.Helper()
	c, err := code.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	r, err := code.Respond(c, code.Grant{Engineer: "ada", Case: "C-4711", Longest: 2 * time.Hour, Valid: 30 * time.Minute}, key)
	if err != nil {
		t.Fatal(err)
	}
	return r.Text()
}

func TestConformance(t *testing.T) {
	_, set := vendor(t)
	plugintest.Auth(t, func() auth.Method { return New() }, plugintest.Options{Config: set})
}

func facts() map[string]string {
	return map[string]string{FactHost: "system-1", FactNonce: strings.Repeat("a7", 16), FactIssued: "1800000000", FactAge: "90s", FactLife: "28m30s"}
}

func TestLogin(t *testing.T) {
	key, set := vendor(t)
	p := &caller{}
	p.answer = func(c string, n int) string {
		r := engineer(t, key, c)
		if n == 1 {
			return r[:len(r)-1] // mistyped
		}
		return strings.ToLower(r)
	}
	id, err := method(t, set).Authenticate(t.Context(), auth.Request{Facts: facts()}, p)
	if err != nil || id.User != "support:ada" || id.Method != Name || id.Evidence["case"] != "C-4711" || id.Evidence["max_session"] != "2h0m0s" {
		t.Errorf("%+v, %v", id, err)
	}
	if p.asked != 2 || len(p.shown) != 3 || p.shown[0].Expires.IsZero() || p.shown[2].Label != "Mistyped" {
		t.Errorf("asked %d times, shown %+v", p.asked, p.shown)
	}
	// The same facts give the same challenge: a reload does not change it (REQ C4).
	again := &caller{answer: func(string, int) string { return "x" }}
	method(t, set).Authenticate(t.Context(), auth.Request{Facts: facts()}, again)
	if again.shown[0].Value != p.shown[0].Value {
		t.Error("the challenge changed")
	}
}

func TestRefused(t *testing.T) {
	key, set := vendor(t)
	stranger, _ := vendor(t)
	good := func(c string, _ int) string { return engineer(t, key, c) }
	for _, tt := range []struct {
		name   string
		change func(map[string]string)
		answer func(string, int) string
		want   failure.Code
	}{
		{"forged", nil, func(c string, _ int) string { return engineer(t, stranger, c) }, auth.BadLogin},
		{"mistyped five times", nil, func(string, int) string { return "ABCDE FGHJK" }, failure.Cancelled},
		{"expired", func(f map[string]string) { f[FactLife] = "0s" }, good, auth.BadLogin},
		{"too old for the response", func(f map[string]string) { f[FactAge] = "31m" }, good, auth.BadLogin},
		{"bad nonce", func(f map[string]string) { f[FactNonce] = "abcd" }, good, auth.Config},
		{"no id", func(f map[string]string) { delete(f, FactHost) }, good, auth.Config},
		{"no age", func(f map[string]string) { delete(f, FactAge) }, good, auth.Config},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts()
			if tt.change != nil {
				tt.change(f)
			}
			id, err := method(t, set).Authenticate(t.Context(), auth.Request{Facts: f}, &caller{answer: tt.answer})
			if !errors.Is(err, tt.want) || id.User != "" {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
}

// A challenge that no host keeps is another one each time.
func TestOwnChallenge(t *testing.T) {
	key, set := vendor(t)
	m := method(t, set)
	p := &caller{}
	var used string
	p.answer = func(c string, _ int) string { used = engineer(t, key, c); return used }
	if _, err := m.Authenticate(t.Context(), auth.Request{Host: "h"}, p); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Authenticate(t.Context(), auth.Request{Host: "h"}, &caller{answer: func(string, int) string { return used }}); !errors.Is(err, auth.BadLogin) {
		t.Errorf("a replay: %v", err)
	}
}
