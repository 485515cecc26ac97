package handshake

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	theSystem  = "sys-7QK2M9XPT4"
	theSession = "ses-0123456A"
	theSecret  = "K7M-2Q9-XPT"
)

func signer(t testing.TB) ssh.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// world is a system with an open session, and an engineer.
type world struct {
	ca, host, engineer ssh.Signer
	cert               *ssh.Certificate
	gate               *Gate
	server             ServerOptions
	client             ClientOptions

	counted, right, burnt atomic.Int32

	hangUp bool // the engineer does not stay to hear of a refusal
}

func certificate(t testing.TB, ca ssh.Signer, key ssh.PublicKey, change func(*ssh.Certificate)) *ssh.Certificate {
	t.Helper()
	c := &ssh.Certificate{
		Key: key, CertType: ssh.UserCert, KeyId: "anna@vendor", ValidPrincipals: []string{PrincipalAny},
		ValidAfter:  uint64(time.Now().Add(-time.Hour).Unix()),
		ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if change != nil {
		change(c)
	}
	if err := c.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{ca: signer(t), host: signer(t), engineer: signer(t)}
	w.cert = certificate(t, w.ca, w.engineer.PublicKey(), nil)
	var err error
	w.gate, err = New([]byte(theSecret), GateOptions{
		Counter: func() error { w.counted.Add(1); return nil },
		Right:   func() { w.right.Add(1) },
		Burnt:   func() { w.burnt.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.gate.Close)
	w.server = ServerOptions{
		Offer: Offer{
			System: theSystem, Session: theSession, HostKey: formatKey(w.host.PublicKey()),
			Expires: time.Now().Add(time.Hour), Policy: "sha256:00",
		},
		SupportCA: w.ca.PublicKey(), SystemNames: []string{"box17"},
	}
	w.client = ClientOptions{
		System: theSystem, Certificate: w.cert, Case: "CS-4711", Witness: signer(t).PublicKey(),
		Secret: typed(theSecret),
	}
	return w
}

func typed(s string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(s), nil }
}

// meet runs a handshake between both sides over the two ends of a stream.
func (w *world) meet(t testing.TB, o ClientOptions, near, far net.Conn) (engineer, system *Conn, ee, se error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		system, se = w.gate.Accept(ctx, far, w.server)
	}()
	engineer, ee = Connect(ctx, near, o)
	if ee == nil && w.hangUp {
		near.Close()
	}
	<-done
	t.Cleanup(func() { near.Close(); far.Close() })
	return
}

// must is meet over an honest relay.
func (w *world) must(t testing.TB, o ClientOptions) (engineer, system *Conn) {
	t.Helper()
	near, far := net.Pipe()
	e, s, ee, se := w.meet(t, o, near, far)
	if ee != nil || se != nil {
		t.Fatalf("engineer: %v, system: %v", ee, se)
	}
	return e, s
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestSecretThenEnrolled(t *testing.T) {
	w := newWorld(t)
	w.client.Secret = typed(" k7m 2q9 xpt\n") // as it was heard
	e, s := w.must(t, w.client)
	if s.Peer().Engineer != "anna@vendor" || s.Peer().Case != "CS-4711" || !sameKey(s.Peer().Witness, w.client.Witness) {
		t.Errorf("the system sees %+v", s.Peer())
	}
	if e.Offer().HostKey != w.server.Offer.HostKey {
		t.Error("another host key")
	}
	talk(t, e, s)

	en := e.Enrolment()
	again := w.client
	again.Secret, again.Enrolment = nil, &en
	again.Session, again.HostKey = theSession, w.host.PublicKey()
	e2, s2 := w.must(t, again)
	talk(t, e2, s2)
	if s2.Peer().Mode != ModeEnrolled || w.counted.Load() != 1 || w.right.Load() != 1 {
		t.Errorf("mode %s, %d attempts counted, %d taken back", s2.Peer().Mode, w.counted.Load(), w.right.Load())
	}
	if string(e2.StreamKey()) == string(e.StreamKey()) || string(e2.Binding()) == string(e.Binding()) {
		t.Error("two connections share keys")
	}
}

// talk runs the sealed messages from request to grant.
func talk(t *testing.T, e, s *Conn) {
	t.Helper()
	ctx := context.Background()
	if string(e.StreamKey()) != string(s.StreamKey()) || string(e.Binding()) != string(s.Binding()) {
		t.Fatal("the sides have different keys")
	}
	errs := make(chan error, 1)
	go func() {
		if r, err := s.Requested(ctx); err != nil || !r.Open {
			errs <- err
			return
		}
		over, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Millisecond, cancel)
		if err := s.Hold(over, "waits for the customer", time.Now()); err != nil {
			errs <- err
			return
		}
		errs <- s.Grant(ctx, "str-1", 0)
	}()
	waited := 0
	r, err := e.Ask(ctx, Request{Open: true}, func(Reply) { waited++ })
	if err != nil || r.Stream != "str-1" || waited == 0 {
		t.Fatalf("%+v, waited %d, %v", r, waited, err)
	}
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
}

func TestWrongSecretBurns(t *testing.T) {
	w := newWorld(t)
	o := w.client
	o.Secret = typed("K7M-2Q9-XPX")
	for i := range Tries {
		near, far := net.Pipe()
		_, _, ee, se := w.meet(t, o, near, far)
		if codeOf(ee) != CodeSecret || codeOf(se) != CodeSecret {
			t.Fatalf("engineer: %v, system: %v", ee, se)
		}
		if int(w.counted.Load()) != i+1 {
			t.Fatalf("%d counted", w.counted.Load())
		}
	}
	near, far := net.Pipe()
	_, _, ee, se := w.meet(t, w.client, near, far)
	if codeOf(ee) != CodeBurnt || codeOf(se) != CodeBurnt || w.burnt.Load() != 1 {
		t.Fatalf("the right secret after three wrong ones: engineer: %v, system: %v, burnt %d", ee, se, w.burnt.Load())
	}
	if err := w.gate.Replace([]byte("another secret 5")); err != nil {
		t.Fatal(err)
	}
	o.Secret = typed("Another-Secret 5")
	w.must(t, o)
}

// What SSH will begin with is one plain line, and only a new stream has it.
func TestForetoldVersion(t *testing.T) {
	for line, good := range map[string]bool{
		"SSH-2.0-Latchstring": true, "": true, "SSH-2.0-": false, "SSH-1.99-x": false, "SSH-2.0-a b": false, "SSH-2.0-x\r\nSSH-2.0-y": false,
		"SSH-2.0-" + strings.Repeat("x", 101): false, "SSH-2.0-\x1b[2J": false,
	} {
		if ok := line == "" || versionLine.MatchString(line); ok != good {
			t.Errorf("%q: %v", line, ok)
		}
	}
}
