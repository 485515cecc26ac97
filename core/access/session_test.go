package access

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

func TestCommands(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"echo hello", "hello\n", "", 0},
		{"echo oops >&2; exit 7", "", "oops\n", 7},
		{"cat; echo done", "done\n", "", 0},
		{"kill -TERM $$", "", "", 255}, // ssh's own exit code for a signal
		{"no-such-command-here 2>/dev/null", "", "", 127},
		{"echo err > /dev/stderr", "", "err\n", 0},
		{"umask", "0022\n", "", 0},
	} {
		out, errs, code := s.ssh("sa", c.line)
		if out != c.out || errs != c.errs || code != c.code {
			t.Errorf("%s: %q, %q, %d; want %q, %q, %d", c.line, out, errs, code, c.out, c.errs, c.code)
		}
	}
	// REQ E1: commands without a terminal are recorded, output and end.
	if all := s.log.all(); !strings.Contains(all, "hello\n") || !strings.Contains(all, "oops\n") {
		t.Errorf("recorded: %q", all)
	}
	if n := s.log.kinds(record.Command); len(n) != 7 || n[0].Command != "echo hello" {
		t.Errorf("commands: %+v", n)
	}
	exits := s.log.kinds(record.Exit)
	if len(exits) != 7 || exits[1].Status != 7 || exits[3].Signal != "TERM" {
		t.Errorf("exits: %+v", exits)
	}
	if e := s.log.typed(audit.AccessCommand); len(e) != 7 || e[0].Actor != "engineer:ada" || e[0].Detail["command"] != "echo hello" || e[0].Detail["case"] != "4711" {
		t.Errorf("audited: %+v", e)
	}
}

func TestInputIsMeasured(t *testing.T) {
	s := newSite(t)
	cmd := s.tool("ssh", "sa", "wc -c")
	cmd.Stdin = bytes.NewReader(bytes.Repeat([]byte("x"), 100_000))
	out, err := cmd.Output()
	if strings.TrimSpace(string(out)) != "100000" || err != nil {
		t.Fatalf("%q, %v", out, err)
	}
	until.True(t, "the end is noted", func() bool { return len(s.log.kinds(record.Exit)) == 1 })
	if e := s.log.kinds(record.Exit); !strings.Contains(e[0].Text, "100000 bytes, sha256") {
		t.Errorf("%+v", e)
	}
}

func TestTerminal(t *testing.T) {
	s := newSite(t)
	c := s.client()
	sess, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, _ := sess.StdinPipe()
	out := &syncBuffer{}
	sess.Stdout = out
	if err := sess.RequestPty("xterm-256color", 37, 111, ssh.TerminalModes{ssh.ECHO: 0, ssh.VERASE: 8}); err != nil {
		t.Fatal(err)
	}
	if err := sess.Shell(); err != nil {
		t.Fatal(err)
	}
	say := func(line string) { in.Write([]byte(line + "\n")) }
	say("stty size; echo term=$TERM; tty; stty -a | grep -o 'erase = ^H'")
	until.True(t, "the size is that of the request", func() bool {
		return out.has("37 111\r\n") && out.has("term=xterm-256color") && out.has("/dev/pts/") && out.has("erase = ^H")
	})
	if err := sess.WindowChange(50, 132); err != nil {
		t.Fatal(err)
	}
	until.True(t, "the new size is known", func() bool { say("stty size"); return out.has("50 132\r\n") })
	say("exit 5")
	err = sess.Wait()
	if e := (*ssh.ExitError)(nil); !errors.As(err, &e) || e.ExitStatus() != 5 {
		t.Errorf("exit: %v", err)
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if len(s.log.sizes) < 2 || s.log.sizes[0] != "111x37" || s.log.sizes[1] != "132x50" {
		t.Errorf("sizes: %v", s.log.sizes)
	}
	if !bytes.Contains(s.log.output[0], []byte("37 111")) {
		t.Errorf("not recorded: %q", s.log.output[0])
	}
}

// A shell that ends while a program in the background holds the terminal ends
// the session all the same.
func TestTerminalWithBackground(t *testing.T) {
	s := newSite(t)
	cmd := s.tool("ssh", "-tt", "sa", "sleep 600 & echo started; exit 3")
	start := time.Now()
	out, _, code := finish(t, cmd)
	if !strings.Contains(out, "started") || code != 3 || time.Since(start) > 5*time.Second {
		t.Errorf("%q, %d after %v", out, code, time.Since(start))
	}
}

func TestSignals(t *testing.T) {
	s := newSite(t)
	c := s.client()
	for _, sig := range []ssh.Signal{ssh.SIGTERM, ssh.SIGKILL, ssh.SIGUSR1} {
		sess, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out := &syncBuffer{}
		sess.Stdout = out
		if err := sess.Start("echo ready; sleep 600"); err != nil {
			t.Fatal(err)
		}
		until.True(t, "the script is ready", func() bool { return out.has("ready") })
		if err := sess.Signal(sig); err != nil {
			t.Fatal(err)
		}
		err = sess.Wait()
		if e := (*ssh.ExitError)(nil); !errors.As(err, &e) || e.Signal() != string(sig) {
			t.Errorf("%s: %v", sig, err)
		}
	}
}

// A client that goes away takes its command with it.
func TestCloseHangsUp(t *testing.T) {
	s := newSite(t)
	c := s.client()
	sess, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := sess.Start("sleep 600"); err != nil {
		t.Fatal(err)
	}
	until.True(t, "the command is noted", func() bool { return len(s.log.kinds(record.Command)) == 1 })
	sess.Close()
	until.True(t, "its end is noted", func() bool { return len(s.log.kinds(record.Exit)) == 1 })
	if e := s.log.kinds(record.Exit)[0]; e.Signal != "HUP" {
		t.Errorf("%+v", e)
	}
}
