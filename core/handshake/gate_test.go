package handshake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// What went over the wire contains the secret in no form that could be tried
// against a list. Package pake shows the same for the shares and proofs.
func TestTranscriptHoldsNoVerifier(t *testing.T) {
	w := newWorld(t)
	wrong := w.client
	wrong.Secret = typed("ABC-DEF-GHJ")
	for _, o := range []ClientOptions{w.client, wrong, enrol(t, w)} {
		r := &relay{}
		e, s, _, _ := r.meet(t, w, o)
		r.mu.Lock()
		said := string(r.said)
		r.mu.Unlock()
		for _, form := range []string{theSecret, "K7M2Q9XPT"} {
			h256, h512 := sha256.Sum256([]byte(form)), sha512.Sum512([]byte(form))
			for _, b := range [][]byte{[]byte(form), h256[:], h512[:]} {
				for _, f := range []string{string(b), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b)} {
					if strings.Contains(strings.ToLower(said), strings.ToLower(f)) {
						t.Errorf("%q is in what was said", f)
					}
				}
			}
		}
		for _, c := range []*Conn{e, s} {
			if c != nil && (strings.Contains(said, string(c.keys.stream)) || strings.Contains(said, string(c.keys.enrolment.Key))) {
				t.Error("a key is in what was said")
			}
		}
	}
}

func TestCertificates(t *testing.T) {
	ca, key := signer(t), signer(t)
	now := time.Now()
	at := func(d time.Duration) uint64 { return uint64(now.Add(d).Unix()) }
	for what, c := range map[string]struct {
		change func(*ssh.Certificate)
		ok     bool
	}{
		"any system":         {nil, true},
		"this one by id":     {func(c *ssh.Certificate) { c.ValidPrincipals = []string{"x", "system:" + theSystem} }, true},
		"this one by name":   {func(c *ssh.Certificate) { c.ValidPrincipals = []string{"system:box17"} }, true},
		"for ever":           {func(c *ssh.Certificate) { c.ValidBefore = ssh.CertTimeInfinity }, true},
		"permissions of SSH": {func(c *ssh.Certificate) { c.Extensions = map[string]string{"permit-pty": ""} }, true},
		"another system":     {func(c *ssh.Certificate) { c.ValidPrincipals = []string{"system:box18", "root", "system:"} }, false},
		"no principal":       {func(c *ssh.Certificate) { c.ValidPrincipals = nil }, false},
		"expired":            {func(c *ssh.Certificate) { c.ValidBefore = at(-time.Second) }, false},
		"not yet valid":      {func(c *ssh.Certificate) { c.ValidAfter = at(time.Minute) }, false},
		"of a host":          {func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, false},
		"without a name":     {func(c *ssh.Certificate) { c.KeyId = "" }, false},
		"with an odd name":   {func(c *ssh.Certificate) { c.KeyId = "anna\x1b[2J" }, false},
		"a critical option":  {func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"force-command": "id"} }, false},
		"bound to addresses": {func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"source-address": "10.0.0.0/8"} }, false},
	} {
		cert := certificate(t, ca, key.PublicKey(), c.change)
		got, err := checkCertificate(formatKey(cert), ca.PublicKey(), []string{theSystem, "box17"}, now)
		if (err == nil) != c.ok || err != nil && codeOf(err) != CodeCertificate || c.ok && got.KeyId != "anna@vendor" {
			t.Errorf("%s: %v", what, err)
		}
	}
	good := certificate(t, ca, key.PublicKey(), nil)
	for what, change := range map[string]func(c *ssh.Certificate){
		"name":       func(c *ssh.Certificate) { c.KeyId = "eve" },
		"principals": func(c *ssh.Certificate) { c.ValidPrincipals = []string{"latchstring", "x"} },
		"end":        func(c *ssh.Certificate) { c.ValidBefore++ },
		"key":        func(c *ssh.Certificate) { c.Key = signer(t).PublicKey() },
	} {
		forged := *good
		change(&forged)
		if _, err := checkCertificate(formatKey(&forged), ca.PublicKey(), nil, now); err == nil {
			t.Errorf("%s can be changed after signing", what)
		}
	}
	if _, err := checkCertificate(formatKey(good), nil, nil, now); codeOf(err) != CodeCertificate {
		t.Errorf("without a CA: %v", err)
	}
}

// The secret without a certificate, and the reverse, give nothing.
func TestTwoOfTwo(t *testing.T) {
	w := newWorld(t)
	o := w.client
	o.Certificate = certificate(t, signer(t), w.engineer.PublicKey(), nil)
	near, far := net.Pipe()
	if _, _, ee, se := w.meet(t, o, near, far); codeOf(ee) != CodeCertificate || codeOf(se) != CodeCertificate || w.counted.Load() != 0 {
		t.Errorf("the secret alone: %v, %v, %d counted", ee, se, w.counted.Load())
	}
	o = w.client
	o.Secret = typed("not-the-secret")
	near, far = net.Pipe()
	if _, _, ee, se := w.meet(t, o, near, far); codeOf(ee) != CodeSecret || codeOf(se) != CodeSecret {
		t.Errorf("the certificate alone: %v, %v", ee, se)
	}
}

// An enrolment is of one engineer, one session, and ends.
func TestEnrolments(t *testing.T) {
	w := newWorld(t)
	good := enrol(t, w)
	refused := func(what string, o ClientOptions, want Code) {
		t.Helper()
		near, far := net.Pipe()
		_, _, ee, se := w.meet(t, o, near, far)
		if se == nil || ee == nil || codeOf(se) != want {
			t.Errorf("%s: %v, %v", what, ee, se)
		}
	}
	o := good
	o.Certificate = certificate(t, w.ca, signer(t).PublicKey(), func(c *ssh.Certificate) { c.KeyId = "bob@vendor" })
	refused("another engineer", o, CodeEnrolment)
	o.Certificate = certificate(t, w.ca, signer(t).PublicKey(), nil)
	refused("another key of the same name", o, CodeEnrolment)
	o.Certificate = certificate(t, w.ca, w.engineer.PublicKey(), func(c *ssh.Certificate) { c.KeyId = "bob@vendor" })
	refused("another name for the same key", o, CodeEnrolment)
	o = good
	o.Enrolment = &Enrolment{ID: good.Enrolment.ID, Key: bytes.Repeat([]byte{1}, 32)}
	refused("a guessed key", o, CodeSecret)
	o.Enrolment = &Enrolment{ID: "enr-0", Key: good.Enrolment.Key}
	refused("an unknown id", o, CodeEnrolment)

	// A certificate that was renewed does not make the enrolment longer.
	later := time.Now().Add(90 * time.Minute)
	o = good
	o.Certificate = certificate(t, w.ca, w.engineer.PublicKey(), func(c *ssh.Certificate) { c.ValidBefore = uint64(later.Add(time.Hour).Unix()) })
	w.must(t, o)
	w.server.Now = func() time.Time { return later }
	refused("after the end of the first certificate", o, CodeEnrolment)
	w.server.Now = nil

	w.gate.Burn() // the secret, not the enrolments
	w.must(t, good)
	if usable, left := w.gate.State(); usable || left != 0 {
		t.Error("the secret is still good")
	}
	w.gate.Forget()
	refused("after Forget", good, CodeEnrolment)
	w.gate.Close()
	refused("after the session", good, CodeEnded)
	refused("after the session", w.client, CodeEnded)
}

// What the engineer knows from before is compared first.
func TestEngineerPins(t *testing.T) {
	w := newWorld(t)
	for what, c := range map[string]struct {
		change func(*ClientOptions)
		want   Code
	}{
		"host key": {func(o *ClientOptions) { o.HostKey = signer(t).PublicKey() }, CodeHostKey},
		"session":  {func(o *ClientOptions) { o.Session = "ses-OLD" }, CodeSystem},
		"system":   {func(o *ClientOptions) { o.System = "sys-OTHER" }, CodeSystem},
	} {
		o := w.client
		c.change(&o)
		near, far := net.Pipe()
		_, _, ee, _ := w.meet(t, o, near, far)
		if codeOf(ee) != c.want {
			t.Errorf("%s: %v", what, ee)
		}
	}
	if w.counted.Load() != 0 {
		t.Error("it cost tries")
	}
}

// Another system with, by chance, the same secret: the name is part of it.
func TestAnotherSystemWithTheSameSecret(t *testing.T) {
	w := newWorld(t)
	w.server.Offer.System = "sys-OTHER"
	r := &relay{down: edit(set("system", theSystem))}
	if _, _, ee, se := r.meet(t, w, w.client); codeOf(ee) != CodeSecret || se == nil {
		t.Errorf("%v, %v", ee, se)
	}
}

// Attempts that a process made before it died still count.
func TestCountSurvivesARestart(t *testing.T) {
	w := newWorld(t)
	g, err := New([]byte(theSecret), GateOptions{Used: Tries - 1})
	if err != nil {
		t.Fatal(err)
	}
	w.gate = g
	o := w.client
	o.Secret = typed("ABC-DEF-GHJ")
	near, far := net.Pipe()
	w.meet(t, o, near, far)
	if usable, _ := g.State(); usable {
		t.Error("a restart gave new tries")
	}
	g, err = New([]byte(theSecret), GateOptions{Used: Tries})
	if err != nil {
		t.Fatal(err)
	}
	if usable, _ := g.State(); usable || g.secret != nil {
		t.Error("a burnt secret is good again after a restart")
	}
}

// A right one takes back its own attempt, not those of others.
func TestRightDoesNotForgiveWrong(t *testing.T) {
	w := newWorld(t)
	wrong := w.client
	wrong.Secret = typed("ABC-DEF-GHJ")
	for range Tries - 1 {
		near, far := net.Pipe()
		w.meet(t, wrong, near, far)
	}
	w.must(t, w.client)
	w.must(t, w.client)
	if _, left := w.gate.State(); left != 1 {
		t.Errorf("%d tries are left", left)
	}
	near, far := net.Pipe()
	w.meet(t, wrong, near, far)
	if usable, _ := w.gate.State(); usable || w.burnt.Load() != 1 {
		t.Error("not burnt")
	}
}

// A new secret while somebody is in the middle of trying the old one.
func TestReplaceDuringAnAttempt(t *testing.T) {
	w := newWorld(t)
	w.hangUp = true
	r := &relay{up: func(n int, m []byte) []byte {
		if kind(m[0]) == kindProof {
			if err := w.gate.Replace([]byte("a new secret 77")); err != nil {
				t.Error(err)
			}
			m[headSize] ^= 1
		}
		return m
	}}
	r.meet(t, w, w.client)
	if usable, left := w.gate.State(); !usable || left != Tries {
		t.Errorf("the old attempt counts against the new secret: %v, %d", usable, left)
	}
}

func TestMemoryIsCleared(t *testing.T) {
	w := newWorld(t)
	kept := w.gate.secret
	typedBytes := []byte(theSecret)
	o := w.client
	o.Secret = func() ([]byte, error) { return typedBytes, nil }
	e, s := w.must(t, o)
	if bytes.ContainsAny(typedBytes, "K7M2Q9XPT") {
		t.Error("the secret as typed is still in memory")
	}
	stream := s.keys.stream
	w.gate.Close()
	if bytes.ContainsAny(kept, "K7M2Q9XPT") {
		t.Error("the secret is still in memory of the gate")
	}
	s.Close()
	e.Close()
	if !bytes.Equal(stream, make([]byte, len(stream))) {
		t.Error("the key of the stream is still in memory")
	}
}

// Nobody holds a handshake open for longer than it may take, and a context ends
// it at once.
func TestDeadlines(t *testing.T) {
	w := newWorld(t)
	near, far := net.Pipe()
	defer near.Close()
	w.server.Timeout = 20 * time.Millisecond
	if _, err := w.gate.Accept(t.Context(), far, w.server); err == nil {
		t.Error("a silent engineer is let in")
	}
	w.server.Timeout = 0
	near, far = net.Pipe()
	defer near.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errors.New("the session was closed")) })
	if _, err := w.gate.Accept(ctx, far, w.server); err == nil || !strings.Contains(err.Error(), "the session was closed") {
		t.Error(err)
	}
	near, far = net.Pipe()
	defer far.Close()
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := Connect(short, near, w.client); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// What a stranger wrote does not get to a terminal as it is.
func TestForeignTextIsCleaned(t *testing.T) {
	w := newWorld(t)
	r := &relay{down: func(n int, m []byte) []byte {
		return appendMessage(nil, kindRefuse, []byte(`{"code":"burnt","reason":"\u001b]0;owned\u0007 pay here"}`))
	}}
	_, _, ee, _ := r.meet(t, w, w.client)
	if codeOf(ee) != CodeBurnt || strings.ContainsAny(ee.Error(), "\x1b\x07") || !strings.Contains(ee.Error(), "could have said so") {
		t.Errorf("%q", ee)
	}
}

func TestDeny(t *testing.T) {
	w := newWorld(t)
	e, s := w.must(t, w.client)
	go func() {
		s.Requested(t.Context())
		s.Deny(t.Context(), CodeDenied, "the customer said no")
	}()
	_, err := e.Ask(t.Context(), Request{Open: true}, nil)
	var he *Error
	if !errors.As(err, &he) || he.Code != CodeDenied || !he.Sealed || he.ExitCode() != 3 || !he.Final() {
		t.Errorf("%v", err)
	}
}
