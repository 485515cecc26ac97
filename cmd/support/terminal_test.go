package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

// supportCommand runs this program, which is the test binary under its name.
func supportCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "support")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), link, args...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=", "TERM=xterm")
	return cmd
}

// An engineer at a terminal: the secret without echo, a raw terminal of the
// right size, its changes, a network that fails, and the way out.
func TestTerminal(t *testing.T) {
	s := connecttest.New(t)
	root := t.TempDir()
	login := supportCommand(t, "login", "--root", root, "--rss", s.Near.Address, "--pin", s.Loaded.Pin().String(), "--key", s.KeyFile)
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := supportCommand(t, "ssh", "--root", root, "array-7")
	sc := cmdtest.OnTerminal(t, cmd, 31, 101)
	sc.Wait("Secret of array-7, as the customer says it: ")
	sc.Type(s.Secret + "\n")
	sc.Type("PS1=; echo size-$(stty size | tr ' ' x)-$TERM\r")
	sc.Wait("size-31x101-xterm")
	if strings.Contains(sc.String(), s.Secret) {
		t.Errorf("the secret is on the screen:\n%s", sc.String())
	}
	// Neither is it where other users could see it.
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "cmdline"))
	env, envErr := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "environ"))
	if err == nil && bytes.Contains(line, []byte(s.Secret)) || envErr == nil && bytes.Contains(env, []byte(s.Secret)) {
		t.Error("the secret is in the arguments or in the environment")
	}
	if err := pty.Setsize(sc.TTY, &pty.Winsize{Rows: 42, Cols: 132}); err != nil {
		t.Fatal(err)
	}
	// The shell there waits for it, so that one line is typed and one answer comes.
	sc.Type("until stty size | grep '42 132'; do sleep 0.02; done; echo size-$(stty size | tr ' ' x)-\r")
	sc.Wait("size-42x132-")
	s.Near.Cut()
	sc.Type("echo still-$((40+2))\r")
	sc.Wait("still-42")
	sc.Wait("support: connected again; nothing was lost\r\n")
	sc.Type("\r~?")
	sc.Wait("~.  end the connection")
	sc.Type("\r~.")
	sc.Wait("support: the connection to array-7 is closed")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// REQ A9: at a terminal the notice ends in a question, and only a yes goes on.
func TestNewKeyIsAskedAbout(t *testing.T) {
	s := connecttest.New(t)
	root := t.TempDir()
	login := supportCommand(t, "login", "--root", root, "--rss", s.Near.Address, "--pin", s.Loaded.Pin().String(), "--key", s.KeyFile)
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	secret := filepath.Join(root, "secret")
	if err := os.WriteFile(secret, []byte(s.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := supportCommand(t, "ssh", "--root", root, "--secret-file", secret, "array-7", "--", "true").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.Rekey()
	for _, answer := range []string{"no", ""} {
		cmd := supportCommand(t, "ssh", "--root", root, "array-7", "--", "true")
		sc := cmdtest.OnTerminal(t, cmd, 31, 101)
		sc.Wait("Has the customer read the new one to you by voice, and is it the same?")
		sc.Type(answer + "\n")
		if cmd.Wait(); cmd.ProcessState.ExitCode() != 4 || strings.Contains(sc.String(), "Secret of") {
			t.Errorf("%q: exit code %d\n%s", answer, cmd.ProcessState.ExitCode(), sc)
		}
	}
	cmd := supportCommand(t, "ssh", "--root", root, "array-7", "--", "echo I am in")
	sc := cmdtest.OnTerminal(t, cmd, 31, 101)
	sc.Wait("is it the same?")
	sc.Type("yes\n")
	sc.Wait("Secret of array-7, as the customer says it: ")
	sc.Type(s.Secret + "\n")
	sc.Wait("I am in")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
