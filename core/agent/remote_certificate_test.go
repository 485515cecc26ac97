package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/testdata/until"
)

// screen is what an engineer reads.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *screen) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.b.String(), text)
}

// REQ A10: whoever is in by a certificate is out when it is over, with what he
// has started, after a warning, and it is recorded why.
func TestCertificateExpiresInside(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	conn, c := w.enter(o.Secret)
	file, ended := w.sleeper(c, "certificate")
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var terminal screen
	s.Stdout = &terminal
	if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start("cat"); err != nil {
		t.Fatal(err)
	}
	end := time.Unix(int64(w.Certificate.ValidBefore), 0)
	w.clock.pass(time.Until(end) - 5*time.Minute)
	until.True(w.t, "he is warned", func() bool { return terminal.has("Your certificate ends in") })
	if n := len(w.state().Connections); n != 1 {
		t.Fatalf("%d connections while the certificate is good", n)
	}
	w.clock.pass(5*time.Minute + time.Second)
	<-ended
	until.True(w.t, "he is out", func() bool { return len(w.state().Connections) == 0 })
	if alive(file) {
		t.Error("a process outlived the certificate")
	}
	var refused *connect.RefusedError
	if err := conn.Ended(); !errors.As(err, &refused) || !strings.Contains(err.Error(), "the certificate of ada expired at") {
		t.Errorf("the engineer hears: %v", err)
	}
	if cut := w.events(audit.ConnectionCut); len(cut) != 1 || !strings.Contains(cut[0].Detail["reason"], "certificate of ada expired") {
		t.Errorf("%+v", cut)
	}
	if w.state().State == "off" {
		t.Error("the session ended with it")
	}
}

// REQ B3, A9: a new secret ends what the old one was good for. Who is in stays in,
// also over a lost line; a new connection needs the new secret.
func TestNewSecretEndsOldEnrolments(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	cache, err := connect.OpenCache(filepath.Join(t.TempDir(), "enrolments"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Vendor.ReceiptPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	dial := func(secret string) (*connect.Conn, error) {
		options := connect.Options{Relay: w.Engineer, RelayKey: key, System: w.System.ID(), Name: "array-7", Certificate: w.Certificate, Cache: cache}
		if secret != "" {
			options.Secret = func() ([]byte, error) { asked++; return []byte(secret), nil }
		}
		return connect.Dial(t.Context(), options)
	}
	first, err := dial(o.Secret)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	signer, err := ssh.NewCertSigner(w.Certificate, w.EngineerKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := first.SSH(t.Context(), signer, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.Start("cat"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	say := func(text string) {
		t.Helper()
		if fmt.Fprintln(in, text); !lines.Scan() || lines.Text() != text {
			t.Fatalf("said %q, heard %q, %v", text, lines.Text(), lines.Err())
		}
	}
	say("before")
	if again, err := dial(""); err != nil {
		t.Fatalf("while the secret is good: %v", err)
	} else {
		again.Close()
	}
	fresh, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{New: true})
	if err != nil {
		t.Fatal(err)
	}
	// The line is lost; what was opened goes on.
	w.Stop()
	until.True(w.t, "the connection is seen to be lost", func() bool {
		all := w.state().Connections
		return len(all) > 0 && all[len(all)-1].State == control.ConnectionLost
	})
	w.Start()
	say("after")
	// Nothing new, though.
	var need *connect.NoEnrolmentError
	if conn, err := dial(""); !errors.As(err, &need) || !strings.Contains(err.Error(), "replaced") {
		if err == nil {
			conn.Close()
		}
		t.Errorf("with what the old secret gave: %v", err)
	}
	if e, err := cache.Get(w.System.ID(), time.Now()); err != nil || e != nil {
		t.Errorf("it is kept: %v, %v", e, err)
	}
	asked = 0
	second, err := dial(fresh.Secret)
	if err != nil || asked != 1 {
		t.Fatalf("with the new secret: %v, asked %d times", err, asked)
	}
	second.Close()
	if third, err := dial(""); err != nil {
		t.Errorf("with what the new one gave: %v", err)
	} else {
		third.Close()
	}
	// And where somebody can be asked he is, at once.
	if fresh, err = w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{New: true}); err != nil {
		t.Fatal(err)
	}
	asked = 0
	if fourth, err := dial(fresh.Secret); err != nil || asked != 1 {
		t.Errorf("after another one: %v, asked %d times", err, asked)
	} else {
		fourth.Close()
	}
}
