package connect_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/core/connect/shell"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

// heard are the events of a connection.
type heard struct {
	mu sync.Mutex
	ev []connect.Event
}

func (h *heard) add(e connect.Event) { h.mu.Lock(); defer h.mu.Unlock(); h.ev = append(h.ev, e) }

func (h *heard) count(k connect.EventKind) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.ev {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.ev {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func cache(t *testing.T) *connect.Cache {
	t.Helper()
	c, err := connect.OpenCache(filepath.Join(t.TempDir(), "e"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dial(t *testing.T, s *connecttest.System, o connect.Options) (*connect.Conn, *ssh.Client) {
	t.Helper()
	conn, err := connect.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Abort("the test is over") })
	cl, err := conn.SSH(t.Context(), s.CertSigner(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return conn, cl
}

func run(t *testing.T, cl *ssh.Client, command string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if err := shell.Run(t.Context(), cl, shell.Options{Command: command, Stdout: &out, Stderr: &errs}); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, errs.String())
	}
	return out.String()
}

// Secret, enrolment, the connections after it, and the end of the session.
func TestSecretOnce(t *testing.T) {
	s := connecttest.New(t)
	o := s.Options("7kq2 9xwd m4tr h8pv") // as it was heard
	o.Cache = cache(t)
	conn, cl := dial(t, s, o)
	if got := run(t, cl, "echo hello"); got != "hello\n" {
		t.Errorf("said %q", got)
	}
	if conn.Session != s.Session.Session || !bytes.Equal(conn.HostKey.Marshal(), s.HostKey.PublicKey().Marshal()) {
		t.Errorf("session %s, host key %v", conn.Session, conn.HostKey)
	}
	// The next connections need no secret, also in another process.
	next := s.Options("")
	next.Cache = o.Cache
	_, cl = dial(t, s, next)
	run(t, cl, "true")
	if usable, left := s.Gate.State(); !usable || left != handshake.Tries {
		t.Errorf("right secrets were counted: %d left", left)
	}
	if _, err := connect.Dial(t.Context(), s.Options("")); !is[*connect.NoEnrolmentError](err) {
		t.Errorf("without secret and enrolment: %v", err)
	}

	// The session ends: everybody is out, and what was kept is of no use.
	s.Close()
	until.True(t, "the connection ends", func() bool { return conn.Ended() != nil })
	if err := conn.Ended(); !is[*connect.RefusedError](err) || !strings.Contains(err.Error(), "the session is over") {
		t.Errorf("the end: %v", err)
	}
	if _, err := connect.Dial(t.Context(), next); !is[*connect.NotOpenError](err) {
		t.Errorf("no session: %v", err)
	}
	s.Open()
	if _, err := connect.Dial(t.Context(), next); !is[*connect.NoEnrolmentError](err) || !strings.Contains(err.Error(), "that of before is over") {
		t.Errorf("another session: %v", err)
	}
	if e, err := o.Cache.Get(s.System.ID(), time.Now()); e != nil || err != nil {
		t.Errorf("what was refused is still kept: %v, %v", e, err)
	}
	_, cl = dial(t, s, o)
	run(t, cl, "true")
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// Wrong secrets: one clear message each, then the secret is burnt. REQ A9
func TestWrongSecret(t *testing.T) {
	s := connecttest.New(t)
	for i := range handshake.Tries {
		_, err := connect.Dial(t.Context(), s.Options("WRONG-WRONG-WRONG"))
		var h *handshake.Error
		if !errors.As(err, &h) || h.Code != handshake.CodeSecret || strings.Contains(err.Error(), "WRONG") {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	_, err := connect.Dial(t.Context(), s.Options(s.Secret))
	var h *handshake.Error
	if !errors.As(err, &h) || h.Code != handshake.CodeBurnt {
		t.Errorf("after %d wrong ones: %v", handshake.Tries, err)
	}
}

// The secret alone opens nothing.
func TestWithoutGoodCertificate(t *testing.T) {
	s := connecttest.New(t)
	other, err := connect.Certify(connecttest.NewKey(t), connect.CertificateRequest{Key: s.Key.PublicKey(), Name: "grace", Valid: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	o := s.Options(s.Secret)
	o.Certificate = other
	_, err = connect.Dial(t.Context(), o)
	var h *handshake.Error
	if !errors.As(err, &h) || h.Code != handshake.CodeCertificate {
		t.Errorf("a certificate of another CA: %v", err)
	}
	// Nor does the enrolment of one engineer serve another.
	o = s.Options(s.Secret)
	o.Cache = cache(t)
	dial(t, s, o)
	stranger := s.Options("")
	stranger.Cache = o.Cache
	if stranger.Certificate, err = connect.Certify(s.SupportCA, connect.CertificateRequest{Key: s.EngineerKey.PublicKey(), Name: "ada", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := connect.Dial(t.Context(), stranger); !is[*connect.NoEnrolmentError](err) {
		t.Errorf("somebody else with the enrolment: %v", err)
	}
}

// The customer is asked; the engineer is told that he waits, and what was said.
func TestApproval(t *testing.T) {
	s := connecttest.New(t)
	answer := make(chan error)
	s.Approve = func(ctx context.Context, p handshake.Peer) error {
		if p.Engineer != "grace" || p.Case != "C-4711" {
			t.Errorf("asked about %s, case %s", p.Engineer, p.Case)
		}
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, no := range []error{nil, errors.New("root said no: not during the backup")} {
		var h heard
		o := s.Options(s.Secret)
		o.Case, o.Notify = "C-4711", h.add
		result := make(chan error, 1)
		go func() {
			conn, err := connect.Dial(t.Context(), o)
			if err == nil {
				conn.Close()
			}
			result <- err
		}()
		until.True(t, "waiting is told", func() bool { return h.count(connect.Waiting) > 0 })
		if got := h.String(); !strings.HasPrefix(got, "waiting for the customer's approval, until ") {
			t.Errorf("told %q", got)
		}
		answer <- no
		err := <-result
		if no == nil && err != nil {
			t.Errorf("approved: %v", err)
		}
		var refused *connect.RefusedError
		if no != nil && (!errors.As(err, &refused) || refused.Error() != "array-7 refused: "+no.Error() || refused.ExitCode() != 3) {
			t.Errorf("denied: %v", err)
		}
	}
}

// A customer's cut reaches the engineer in his words.
func TestCut(t *testing.T) {
	s := connecttest.New(t)
	conn, cl := dial(t, s, s.Options(s.Secret))
	done := make(chan error, 1)
	go func() {
		done <- shell.Run(t.Context(), cl, shell.Options{Command: "sleep 60", Stdout: io.Discard, Stderr: io.Discard})
	}()
	until.True(t, "the command runs", func() bool { return strings.Contains(auditText(t, s), "access.command") })
	s.Cut("cut by root")
	if err := <-done; !is[*shell.LostError](err) {
		t.Errorf("the command: %v", err)
	}
	if err := conn.Ended(); err == nil || err.Error() != "array-7 refused: cut by root" {
		t.Errorf("the reason: %v", err)
	}
}

func auditText(t *testing.T, s *connecttest.System) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(s.AuditDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		b.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Policy's no reaches the engineer, with exit code 3.
func TestPolicyRefuses(t *testing.T) {
	s := connecttest.New(t)
	_, cl := dial(t, s, s.Options(s.Secret))
	s.Policy.Deny(policy.AccessCommand, "no commands today")
	err := shell.Run(t.Context(), cl, shell.Options{Command: "id", Stdout: io.Discard, Stderr: io.Discard})
	var coder interface{ ExitCode() int }
	if err == nil || errors.As(err, &coder) && coder.ExitCode() == 0 {
		t.Errorf("Run = %v", err)
	}
	t.Log(err)
}

// The recording's heads are counter-signed while the connection lasts.
func TestWitness(t *testing.T) {
	s := connecttest.New(t)
	conn, cl := dial(t, s, s.Options(s.Secret))
	run(t, cl, "echo first")
	until.True(t, "a head is counter-signed", func() bool { _, ok := conn.Witnessed(); return ok })
	run(t, cl, "echo second; sleep 1.2; echo third")
	last, _ := conn.Witnessed()
	cl.Close()
	conn.Close()
	until.True(t, "the recording is closed", func() bool { return len(s.Closed()) == 1 })
	if last.Recording != conn.Connection {
		t.Errorf("counter-signed %v of connection %s", last, conn.Connection)
	}
	v, err := record.Verify(filepath.Join(s.Recordings, last.Recording), record.Check{Key: s.System.PublicKey()})
	if err != nil || v.Witnessed == 0 {
		t.Errorf("verified %+v, %v; want some witnessed", v, err)
	}
}

// The network fails in the middle of everything: a shell goes on, bytes are
// neither lost nor doubled.
func TestGoesOn(t *testing.T) {
	s := connecttest.New(t)
	var h heard
	o := s.Options(s.Secret)
	o.Cache, o.Notify = cache(t), h.add
	_, cl := dial(t, s, o)
	se, err := cl.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := se.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := se.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := se.Start("cat"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	say := func(n int) {
		t.Helper()
		if _, err := fmt.Fprintf(in, "line %d\n", n); err != nil {
			t.Fatal(err)
		}
		if got, err := r.ReadString('\n'); err != nil || got != fmt.Sprintf("line %d\n", n) {
			t.Fatalf("line %d came back as %q, %v", n, got, err)
		}
	}
	say(0)
	for i, cut := range []func(){
		func() { s.Near.Cut() }, func() { s.Far.Cut() }, func() { s.Near.Down(true); s.Far.Cut(); s.Near.Down(false) },
		func() { s.Relay.Stop(); s.Relay.Start() },
	} {
		before := h.count(connect.Resumed)
		stuck := time.AfterFunc(30*time.Second, func() {
			t.Errorf("cut %d: it does not go on; told:\n%s", i, h.String())
			cl.Close()
		})
		cut()
		say(i + 1)
		until.True(t, "it is told", func() bool { return h.count(connect.Resumed) > before })
		stuck.Stop()
	}
	in.Close()
	if err := se.Wait(); err != nil {
		t.Error(err)
	}
	if s.Gate == nil || h.count(connect.Lost) < 4 {
		t.Errorf("told:\n%s", h.String())
	}
}
