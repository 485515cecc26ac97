package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/testdata/infinibox"
	"github.com/latchstring/latchstring/testdata/until"
)

const nobody, daemon = 65534, 1

// open makes a site that every local user can reach, with a running agent, and
// returns what the agent logs.
func (s *site) open() *lockedBuffer {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Skip("needs root, to be several users")
	}
	bin, err := exec.LookPath("remote-support")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, dir := range []string{s.root, filepath.Dir(bin), filepath.Dir(filepath.Dir(bin))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	log := new(lockedBuffer)
	agent := exec.Command("remote-support", "--root", s.root, "--log-level", "debug", "serve")
	agent.Stdout, agent.Stderr = log, log
	if err := agent.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		agent.Process.Signal(os.Interrupt)
		agent.Wait()
	})
	until.True(s.t, "the agent serves", func() bool {
		_, _, code := s.exec("status")
		return code == 0 && strings.Contains(log.String(), "serves the local API")
	}, log)
	return log
}

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// as runs a command as another local user.
func (s *site) as(uid uint32, args ...string) (out string, code int) {
	s.t.Helper()
	b, code, err := s.userCommand(uid, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return b, code
}

func (s *site) userCommand(uid uint32, args ...string) (string, int, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "remote-support", append([]string{"--root", s.root}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	cmd.Dir = "/"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if errors.As(err, new(*exec.ExitError)) {
		err = nil
	}
	return out.String(), cmd.ProcessState.ExitCode(), err
}

func (s *site) readable(name, text string) string {
	path := s.file(name, text)
	if err := os.Chmod(path, 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Local users who are not root: what they may do before and after a login.
// Without one, on and off are root's alone. REQ G2
func TestLocalUsers(t *testing.T) {
	s := newSite(t)
	log := s.open()
	right, wrong := s.readable("right", "123456\n"), s.readable("wrong", "canary-51fe07\n")
	check := func(uid uint32, want int, says string, args ...string) {
		t.Helper()
		if out, code := s.as(uid, args...); code != want || !strings.Contains(out, says) {
			t.Errorf("uid %d, %v: exit %d, want %d with %q:\n%s", uid, args, code, want, says, out)
		}
	}
	check(nobody, 0, "remote access", "status")
	check(nobody, 1, "not logged in", "whoami")
	check(nobody, 3, "not logged in", "off")
	check(nobody, 3, "not logged in", "on")
	check(nobody, 3, "may not use the agent's local API", "reload")
	check(nobody, 1, "wrong user name or password", "login", "infinibox", "--user", "admin", "--password-file", wrong)
	logIn := func(uid uint32, says string, args ...string) {
		t.Helper()
		out := ""
		until.OK(t, fmt.Sprintf("uid %d is logged in", uid), func() error { // he waits after the wrong one
			var code int
			if out, code = s.as(uid, append([]string{"login"}, args...)...); code != 0 {
				return errors.New(out)
			}
			return nil
		})
		if !strings.Contains(out, says) {
			t.Fatalf("login of uid %d: %s", uid, out)
		}
	}
	logIn(nobody, "admin, with the role admin, by infinibox", "infinibox", "--user", "admin", "--password-file", right)
	check(nobody, 0, "by infinibox", "whoami")
	check(nobody, 0, "off already", "off")
	check(nobody, 3, "may not use the agent's local API", "reload")
	// It is his alone.
	check(daemon, 1, "not logged in", "whoami")
	check(daemon, 3, "not logged in", "off")
	check(0, 0, "root, with the role root", "whoami")
	check(nobody, 0, "logged out", "logout")
	check(nobody, 3, "not logged in", "off")

	if err := os.MkdirAll(filepath.Join(s.root, "etc", "policies.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Policy takes such a login away from those who hold it.
	logIn(nobody, "by infinibox", "infinibox", "--user", "admin", "--password-file", right)
	write(t, filepath.Join(s.root, "etc", "policies.d", "50-methods.hcl"), "session {\n  methods = [\"challenge\"]\n}\n")
	s.do(0, "reload")
	check(nobody, 3, "login method", "off")
	s.do(0, "audit", "verify")
	for _, canary := range []string{"canary-51fe07", "123456"} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("%s is in the log:\n%s", canary, log.String())
		}
	}
	out, _ := s.do(0, "audit", "show")
	if !strings.Contains(out, "uid:65534(nobody)") || strings.Contains(out, "canary") {
		t.Errorf("the audit log:\n%s", out)
	}
}

// A second local user must agree.
func TestConsentOfAnother(t *testing.T) {
	s := newSite(t)
	write(t, filepath.Join(s.root, "etc", "auth.d", "challenge.json"), `{"consent":["daemon"]}`)
	s.open()
	shown, _ := s.as(nobody, "login", "challenge")
	response := s.readable("response", s.answer(shown))
	time.Sleep(pauseOfLogins)
	type result struct {
		out  string
		code int
		err  error
	}
	done := make(chan result, 1)
	go func() {
		out, code, err := s.userCommand(nobody, "login", "challenge", "--response-file", response)
		done <- result{out, code, err}
	}()
	name := ""
	until.OK(t, "a login waits", func() error {
		select {
		case r := <-done:
			t.Fatalf("it does not wait: %+v", r)
		default:
		}
		out, _ := s.as(daemon, "login", "confirm")
		m := regexp.MustCompile(`(?m)^([A-Z2-7]{6}) +uid:65534`).FindStringSubmatch(out)
		if m == nil {
			return errors.New(out)
		}
		name = m[1]
		return nil
	})
	for _, uid := range []uint32{nobody, 0} {
		if out, code := s.as(uid, "login", "confirm", name); code != 2 {
			t.Errorf("uid %d agreed: %s", uid, out)
		}
	}
	if out, code := s.as(daemon, "login", "confirm", name); code != 0 || !strings.Contains(out, "agreed to the login of uid:65534(nobody) as support:ada") {
		t.Errorf("exit %d: %s", code, out)
	}
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "support:ada, with the role admin, by challenge") {
		t.Errorf("%+v", r)
	}
	if out, _ := s.do(0, "audit", "show"); !strings.Contains(out, "consent=uid:1(daemon)") {
		t.Errorf("the audit log:\n%s", out)
	}
}

// pauseOfLogins is how far apart two logins of one user are, at least.
const pauseOfLogins = 1100 * time.Millisecond

// A password is in no core file: neither of the command that reads it nor of the
// agent nor of the plugin, while all of them hold it.
func TestNoCoreFiles(t *testing.T) {
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || !strings.HasPrefix(string(pattern), "core") {
		t.Skipf("needs core files in the current directory; kernel.core_pattern is %q", pattern)
	}
	const canary = "canary-core-9b2f"
	s := newSite(t)
	dir := t.TempDir()
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", append([]string{"-c", `ulimit -c unlimited; cd "$0" && exec "$@"`, dir}, args...)...)
		cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	cores := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "core*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	// Core files are made here at all: a shell that reads the same file has it in
	// its own.
	secret := s.file("secret", canary+"\n")
	reader := start("/bin/sh", "-c", `read x <"$1"; echo ready >"$2"; while :; do sleep 1; done`, "sh", secret, filepath.Join(dir, "ready"))
	until.True(t, "the reader is ready", func() bool { _, err := os.Stat(filepath.Join(dir, "ready")); return err == nil })
	reader.Process.Signal(unix.SIGABRT)
	reader.Wait()
	found := cores()
	if len(found) != 1 {
		t.Skip("no core files are made here")
	}
	if b, err := os.ReadFile(found[0]); err != nil || !bytes.Contains(b, []byte(canary)) {
		t.Fatalf("the core file of a process that holds the word does not: %v", err)
	}
	os.Remove(found[0])

	s.box.Knobs.Set(infinibox.Trouble{Delay: 5 * time.Second, Only: "users/login"})
	write(t, filepath.Join(s.root, "etc", "auth.d", "infinibox.json"), strings.Replace(read(t, filepath.Join(s.root, "etc", "auth.d", "infinibox.json")), `"127.0.0.1:1",`, "", 1))
	agent := start("remote-support", "--root", s.root, "serve")
	until.True(t, "the agent listens", func() bool { _, err := os.Stat(filepath.Join(s.root, "run", "control.sock")); return err == nil })
	login := start("remote-support", "--root", s.root, "login", "infinibox", "--user", "admin", "--password-file", secret)
	var plugin int
	until.True(t, "the plugin waits for the array", func() bool { plugin = childOf(t, agent.Process.Pid); return plugin != 0 && s.box.Knobs.Waiting() > 0 })
	for _, pid := range []int{plugin, login.Process.Pid, agent.Process.Pid} {
		unix.Kill(pid, unix.SIGABRT)
	}
	login.Wait()
	agent.Wait()
	until.True(t, "the plugin is gone", func() bool { return unix.Kill(plugin, 0) != nil })
	s.box.Knobs.Set(infinibox.Trouble{})
	for _, f := range cores() {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("there is a core file; it holds the password: %v", bytes.Contains(b, []byte(canary)))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// childOf is a process that another one started, 0 for none.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(out), "\n", 2)[0]))
	return n
}
