package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/control"
	challenge "github.com/latchstring/latchstring/plugins/auth/challenge/code"
	"github.com/latchstring/latchstring/testdata/infinibox"
	"github.com/latchstring/latchstring/testdata/until"
)

// site is a machine with an array and the vendor's key, without a terminal.
type site struct {
	t    *testing.T
	root string
	box  *infinibox.Box
	key  ssh.Signer
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "lgn") // short: sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &site{t: t, root: dir, box: infinibox.New(infinibox.Options{})}
	srv := httptest.NewTLSServer(s.box)
	t.Cleanup(srv.Close)
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if s.key, err = ssh.NewSignerFromKey(priv); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "etc", "auth.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "etc", "auth.d", "challenge.keys"), "vendor-2026 "+string(ssh.MarshalAuthorizedKey(s.key.PublicKey())))
	write(t, filepath.Join(dir, "etc", "auth.d", "infinibox.json"), fmt.Sprintf(`{"addresses":["127.0.0.1:1",%q],"pin":"%x"}`,
		srv.Listener.Addr(), sha256.Sum256(srv.Certificate().Raw)))
	return s
}

// do runs a command that must end with an exit code.
func (s *site) do(want int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	stdout, stderr, code := s.exec(args...)
	if code != want {
		s.t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout, stderr
}

func (s *site) exec(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "remote-support", append([]string{"--root", s.root}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); errors.As(err, new(*exec.ExitError)) {
		code = cmd.ProcessState.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

func (s *site) file(name, text string) string {
	path := filepath.Join(s.root, name)
	write(s.t, path, text)
	return path
}

// answer reads the challenge from what is shown and answers it.
func (s *site) answer(shown string) string {
	s.t.Helper()
	for _, line := range strings.Split(shown, "\n") {
		if c, err := challenge.ParseChallenge(line); err == nil {
			r, err := challenge.Respond(c, challenge.Grant{Engineer: "ada", Case: "C-1", Longest: 2 * time.Hour, Valid: time.Hour}, s.key)
			if err != nil {
				s.t.Fatal(err)
			}
			return r.Text()
		}
	}
	s.t.Fatalf("no challenge in %q", shown)
	return ""
}

// REQ C1, C5, C7, C8
func TestLogin(t *testing.T) {
	s := newSite(t)
	const canary = "canary-7d1f3a"
	wrong, right := s.file("wrong", canary+"\n"), s.file("right", "123456\n")

	_, says := s.do(2, "login", "infinibox", "--user", "admin")
	if !strings.Contains(says, "--password-file") || s.box.Logins() != 0 {
		t.Errorf("without a terminal: %s", says)
	}
	if _, says = s.do(1, "login", "infinibox", "--user", "admin", "--password-file", wrong); !strings.Contains(says, "wrong user name or password") || strings.Contains(says, "challenge") {
		t.Errorf("wrong password: %s", says)
	}
	if _, says = s.do(1, "login", "infinibox", "--user", "admin", "--password-file", right); !strings.Contains(says, "too many wrong answers") || s.box.Logins() != 1 {
		t.Errorf("at once after a wrong one: %s", says)
	}
	var out string
	until.True(t, "he may log in again", func() bool {
		out, _, _ = s.exec("login", "infinibox", "--user", "admin", "--password-file", right)
		return out != ""
	})
	if !strings.Contains(out, "admin, with the role admin, by infinibox") {
		t.Errorf("login: %s", out)
	}
	var who struct {
		User, Method string
		Evidence     map[string]string
	}
	out, _ = s.do(0, "whoami", "--json")
	if err := json.Unmarshal([]byte(out), &who); err != nil || who.Method != "infinibox" || who.Evidence["serial"] != "4242" {
		t.Errorf("whoami: %s, %v", out, err)
	}
	if n := s.box.Sessions(); n != 0 {
		t.Errorf("%d sessions of the array stay open", n)
	}
	s.do(0, "logout")

	// The array goes; the command says which way is left.
	s.box.Knobs.Set(infinibox.Trouble{Unavailable: []int{0}})
	if _, says = s.do(1, "login", "infinibox", "--user", "admin", "--password-file", right); !strings.Contains(says, "challenge and response") {
		t.Errorf("array down: %s", says)
	}
	_, shown := s.do(2, "login", "challenge")
	response := s.file("response", s.answer(shown))
	if out, _ = s.do(0, "login", "challenge", "--response-file", response); !strings.Contains(out, "support:ada, with the role admin, by challenge") {
		t.Errorf("challenge: %s", out)
	}
	if _, says = s.do(1, "login", "challenge", "--response-file", response); !strings.Contains(says, "another challenge") {
		t.Errorf("replay: %s", says)
	}

	out, _ = s.do(0, "audit", "show")
	for _, want := range []string{"login.ok", "login.failed", "login.ended", "engineer=ada", "case=C-1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %s:\n%s", want, out)
		}
	}
	s.do(0, "audit", "verify")
	// The password is in none of the files but the one that it came from.
	filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path == wrong {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
}

func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	term := &terminal{
		in: bufio.NewReader(strings.NewReader("ada\nABCDE FGHJK\n> MNPQR\n\nrest")), out: &out, interactive: true,
		given: map[string]string{"pin": "given", "password": "on the command line"}, files: map[string]string{"password": filepath.Join(t.TempDir(), "absent")},
	}
	got, err := term.Ask(t.Context(), []control.Field{{Name: "user", Label: "User name"}, {Name: "response", Label: "Response"}, {Name: "pin"}})
	if err != nil || string(got["user"]) != "ada" || string(got["response"]) != "ABCDE FGHJK\n> MNPQR\n\n" || string(got["pin"]) != "given" {
		t.Errorf("%q, %v", got, err)
	}
	if !strings.Contains(out.String(), "User name: Response (end with an empty line):") {
		t.Errorf("asked %q", out.String())
	}
	// A secret is never what stands on the command line.
	if got, err := term.Ask(t.Context(), []control.Field{{Name: "password", Secret: true}}); err == nil {
		t.Errorf("%q", got)
	}
	if _, err := term.Ask(t.Context(), []control.Field{{Name: "password", Secret: true}}); !errors.Is(err, errAgain) {
		t.Error(err)
	}
}
