package access

import (
	"bytes"
	"context"
	"crypto/ed25519"
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

// Only the certificate that the handshake bound gets in (REQ A8, K1).
func TestWhoGetsIn(t *testing.T) {
	s := newSite(t)
	signer := func(key ed25519.PrivateKey, cert *ssh.Certificate) ssh.AuthMethod {
		k, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if cert != nil {
			if k, err = ssh.NewCertSigner(cert, k); err != nil {
				t.Fatal(err)
			}
		}
		return ssh.PublicKeys(k)
	}
	_, stranger, _ := ed25519.GenerateKey(cryptorand.Reader)
	for name, auth := range map[string]ssh.AuthMethod{
		"a stranger's key":                   signer(stranger, nil),
		"a stranger certified by the vendor": signer(stranger, s.keys.certify(t, stranger, time.Now().Add(time.Hour))),
		"the key without its certificate":    signer(s.keys.engineer, nil),
		"another certificate of the key":     signer(s.keys.engineer, s.keys.certify(t, s.keys.engineer, time.Now().Add(9*time.Hour))),
		"a password":                         ssh.Password("secret"),
		"questions":                          ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil }),
	} {
		if c, err := s.dial(auth); err == nil {
			c.Close()
			t.Errorf("%s got in", name)
		}
		if err := s.over(); err == nil || !strings.Contains(err.Error(), "login") {
			t.Errorf("%s: the server says %v", name, err)
		}
	}
	if len(s.log.events) != 0 || len(s.log.notes) != 0 {
		t.Error("something happened all the same")
	}
	expired := newSite(t, func(o *Options) {
		o.Peer.Certificate.ValidBefore = uint64(time.Now().Add(-time.Second).Unix())
		_ = o.Peer.Certificate.SignCert(cryptorand.Reader, o.HostKey)
	})
	if c, err := expired.dial(); err == nil {
		c.Close()
		t.Error("an expired certificate got in")
	}
}

// Variables that are programs do not arrive.
func TestEnvironment(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Env = []string{"CASE=4711"} })
	t.Setenv("AGENT_SECRET", "hidden")
	c := s.client()
	sess, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{"LANG": true, "LC_ALL": true, "LC_TIME": true, "LD_PRELOAD": false, "BASH_ENV": false, "PATH": false, "ENV": false,
		"LC_": false, "LC_all": false, "LC_X=LD_PRELOAD": false, "GIT_SSH_COMMAND": false, "LATCHSTRING_CONNECTION": false} {
		if err := sess.Setenv(name, "C.UTF-8"); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := sess.Setenv("LC_ALL", "../../tmp/evil"); err == nil {
		t.Error("a locale with a path was taken")
	}
	out, err := sess.Output("env")
	if err != nil {
		t.Fatal(err)
	}
	got := string(out)
	for _, want := range []string{"LANG=C.UTF-8\n", "LC_TIME=C.UTF-8\n", "CASE=4711\n", "HOME=", "USER=", "LATCHSTRING_CONNECTION=con-"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	for _, bad := range []string{"LD_PRELOAD", "BASH_ENV", "AGENT_SECRET", "tmp/evil"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s arrived", bad)
		}
	}
}

// Garbage and packets that are too large end the connection, nothing else.
func TestGarbage(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"noise":      bytes.Repeat([]byte{0x41, 0, 0xff}, 1<<20),
		"no version": bytes.Repeat([]byte{'x'}, 1<<20),
		"huge":       append([]byte("SSH-2.0-x\r\n"), binary.BigEndian.AppendUint32(nil, 1<<31)...),
		"nothing":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			go io.Copy(io.Discard, c)
			c.Write(bytes)
			c.Close()
			if err := s.over(); err == nil {
				t.Error("no error")
			}
		})
	}
	// After the login: strange channels and requests, long commands.
	s := newSite(t)
	c := s.client()
	for _, kind := range []string{"x11", "auth-agent@openssh.com", "direct-streamlocal@openssh.com", "tun@openssh.com", "\xff\x00"} {
		if _, _, err := c.OpenChannel(kind, bytes.Repeat([]byte{0xff}, 30_000)); err == nil {
			t.Errorf("a channel %q was opened", kind)
		}
	}
	if _, _, err := c.OpenChannel("direct-tcpip", []byte{1, 2, 3}); err == nil {
		t.Error("a malformed forward was opened")
	}
	sess, _ := c.NewSession()
	for _, kind := range []string{"pty-req", "window-change", "env", "signal", "exec", "subsystem"} {
		if ok, _ := sess.SendRequest(kind, true, []byte{0xff, 0xff, 0xff, 0xff}); ok && kind != "window-change" {
			t.Errorf("a malformed %s was taken", kind)
		}
	}
	// Longer than the kernel takes as an argument (128 KiB).
	if out, err := sess.CombinedOutput("echo " + strings.Repeat("x", 200_000)); err == nil || !strings.Contains(string(out), "too long") {
		t.Errorf("long command: %.80q, %v", out, err)
	}
	if out, err := run(c, "echo fine"); out != "fine\n" || err != nil {
		t.Errorf("afterwards: %q, %v", out, err)
	}
}

func run(c *ssh.Client, line string) (string, error) {
	sess, err := c.NewSession()
	if err != nil {
		return "", err
	}
	defer sess.Close()
	out, err := sess.Output(line)
	return string(out), err
}

// What policy forbids is refused, with the rule (REQ A12, G11).
func TestRefusals(t *testing.T) {
	s := newSite(t, withPolicy(t, "engineer {\n commands = [\"echo *\"]\n}"))
	if out, _, code := s.ssh("sa", "echo fine"); out != "fine\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	for _, args := range [][]string{{"sa", "id"}, {"sa", "echo x; id"}, {"sa", "echo $(id)"}, {"-tt", "sa"}} {
		out, errs, code := s.ssh(args...)
		if code != statusRefused || !strings.Contains(out+errs, "engineer.commands") || !strings.Contains(out+errs, "test.hcl:2") {
			t.Errorf("%v: %d, %q, %q", args, code, out, errs)
		}
	}
	if n := s.log.kinds(record.Refused); len(n) != 4 || !strings.Contains(n[0].Text, "test.hcl:2") {
		t.Errorf("%+v", n)
	}
	if e := s.log.typed(audit.AccessRefused); len(e) != 4 || !strings.Contains(e[0].Detail["why"], "test.hcl:2") {
		t.Errorf("%+v", e)
	}
}

// Forwards that do not exist are refused in words.
func TestNoAgentNoRemoteForward(t *testing.T) {
	s := newSite(t)
	cmd := s.tool("ssh", "-A", "-o", "ExitOnForwardFailure=no", "-R", "0:127.0.0.1:1", "sa", "sleep 0.3; echo agent=$SSH_AUTH_SOCK")
	if sock := startAgent(t); sock != "" {
		cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
	}
	out, errs, _ := finish(t, cmd)
	if !strings.Contains(out, "agent=\n") || !strings.Contains(errs, "remote forwarding") || !strings.Contains(errs, "agent forwarding") {
		t.Errorf("%q, %q", out, errs)
	}
	if len(s.log.typed(audit.AccessRefused)) < 2 {
		t.Errorf("%+v", s.log.events)
	}
}

func startAgent(t *testing.T) string {
	path, err := exec.LookPath("ssh-agent")
	if err != nil {
		return ""
	}
	dir := t.TempDir()
	cmd := exec.Command(path, "-D", "-a", dir+"/agent")
	if cmd.Start() != nil {
		return ""
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	until.True(t, "the agent listens", func() bool { _, err := os.Stat(dir + "/agent"); return err == nil })
	return dir + "/agent"
}

// A forward goes to what policy lists, by the address that is dialled.
func TestForwards(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := newSite(t, withPolicy(t, fmt.Sprintf("engineer {\n forwards = [\"127.0.0.1:%s\", \"evil.example:%s\"]\n}", port, port)))
	c := s.client()
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0"} {
		conn, err := c.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		conn.Write([]byte("hello"))
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
			t.Errorf("%s: %q, %v", host, b, err)
		}
		conn.Close()
	}
	for _, bad := range []string{"127.0.0.1:1", "127.0.0.2:" + port, "[::1]:" + port, "10.0.0.1:" + port} {
		_, err := c.Dial("tcp", bad)
		if err == nil || !strings.Contains(err.Error(), "engineer.forwards") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	until.True(t, "all is noted", func() bool { return len(s.log.kinds(record.Forward)) == 4 && len(s.log.kinds(record.Exit)) == 4 })
	if n := s.log.kinds(record.Forward); n[1].Address != "127.0.0.1:"+port || !strings.Contains(n[1].Text, "localhost") {
		t.Errorf("%+v", n)
	}
	// A name that is listed and leads to this machine all the same.
	sv := &server{Options: Options{Policy: loadPolicy(t, fmt.Sprintf("engineer {\n forwards = [\"evil.example:%s\"]\n}", port))}}
	sv.ledger.server = sv
	inside, outside := mustAddr("127.0.0.1"), mustAddr("192.0.2.7")
	sv.Peer.Engineer = "ada"
	var n uint16
	fmt.Sscan(port, &n)
	allowed, _ := sv.reachable("evil.example", n, []addr{inside, outside})
	if len(allowed) != 1 || allowed[0].Addr() != outside {
		t.Errorf("allowed: %v", allowed)
	}
}

// The end of the context under full traffic: cut at once, nothing left (REQ A10, B5).
func TestCutUnderTraffic(t *testing.T) {
	s, dir := newSite(t), temp(t)
	c := s.client()
	script := `yes & (setsid nohup sh -c 'echo $$ > ` + dir + `/a; exec sleep 600' >/dev/null 2>&1 &); (setsid env -i sh -c 'trap "" HUP TERM; echo $$ > ` + dir + `/b; while :; do sleep 1; done' >/dev/null 2>&1 &); yes`
	flowing := make(chan bool, 64)
	for range 3 {
		sess, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, _ := sess.StdoutPipe()
		if err := sess.Start(script); err != nil {
			t.Fatal(err)
		}
		go func() {
			b := make([]byte, 1<<20)
			for n := 0; ; n++ {
				if _, err := io.ReadFull(out, b); err != nil {
					return
				}
				if n == 2 {
					flowing <- true
				}
			}
		}()
	}
	for range 3 {
		<-flowing
	}
	stuck, err := c.NewSession() // nobody reads this one
	if err != nil {
		t.Fatal(err)
	}
	_, _ = stuck.StdoutPipe()
	if err := stuck.Start("yes"); err != nil {
		t.Fatal(err)
	}
	a, b := waitPid(t, dir+"/a"), waitPid(t, dir+"/b")
	gone := make(chan struct{})
	go func() { c.Wait(); close(gone) }()
	start := time.Now()
	s.cancel()
	<-gone
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("the engineer was cut after %v", d)
	}
	if err := s.over(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("all was over after %v", d)
	}
	for _, pid := range []int{a, b} {
		if alive(pid) {
			t.Errorf("pid %d is left", pid)
		}
	}
}

// A recording that fails cuts where policy demands one, and else is an event.
func TestRecordingFails(t *testing.T) {
	s := newSite(t, withPolicy(t, "engineer {\n recording = \"required\"\n}"))
	s.log.fail = errors.New("disk full")
	_, _, code := s.ssh("sa", "echo hello")
	if err := s.over(); !errors.Is(err, ErrCut) || code != 255 {
		t.Errorf("%v, %d", err, code)
	}
	if len(s.log.typed(audit.RecordingFailed)) == 0 {
		t.Error("no event")
	}
	s = newSite(t)
	s.log.fail = errors.New("disk full")
	if out, _, code := s.ssh("sa", "echo hello; echo again; echo >&2"); out != "hello\nagain\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	if n := len(s.log.typed(audit.RecordingFailed)); n != 1 {
		t.Errorf("%d events", n)
	}
}

// What the engineer sees was recorded before.
func TestRecordedFirst(t *testing.T) {
	seen := &syncBuffer{}
	s := newSite(t, func(o *Options) { o.View = func(_ uint32, p []byte) { seen.Write(p) } })
	s.ssh("sa", "echo watched")
	if !seen.has("watched") || !strings.Contains(s.log.all(), "watched") {
		t.Errorf("%q", seen)
	}
}

func TestWarnings(t *testing.T) {
	warn := make(chan string, 1)
	s := newSite(t, func(o *Options) { o.Warn = warn })
	c := s.client()
	sess, _ := c.NewSession()
	out := &syncBuffer{}
	sess.Stdout = out
	sess.RequestPty("xterm", 24, 80, nil)
	if err := sess.Shell(); err != nil {
		t.Fatal(err)
	}
	until.True(t, "the shell runs", func() bool { return len(s.log.kinds(record.Shell)) == 1 })
	warn <- "the session ends in 1 minute"
	until.True(t, "he is warned", func() bool { return out.has("the session ends in 1 minute\r\n") })
}

// As another user: identity, files, ledger (REQ A12).
func TestRunAs(t *testing.T) {
	if os.Geteuid() != 0 {
		s := newSite(t, func(o *Options) { o.RunAs = "root" })
		if _, err := s.dial(); err == nil {
			t.Error("became root")
		}
		if err := s.over(); err == nil || !strings.Contains(err.Error(), "only root can become another user") {
			t.Errorf("%v", err)
		}
		return
	}
	a, err := account.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	s := newSite(t, func(o *Options) { o.RunAs = "nobody" })
	s.shell.Store("/bin/sh") // it has none that lets anybody in
	want := fmt.Sprintf("%d %d %d\n", a.UID, a.GID, a.GID)
	if out, errs, code := s.ssh("sa", "echo $(id -u) $(id -g) $(id -G); echo x > /dev/stderr"); out != want || errs != "x\n" || code != 0 {
		t.Errorf("%q, %q, %d; want %q", out, errs, code, want)
	}
	if out, _, code := finish(t, s.tool("ssh", "-tt", "sa", "echo hi > $SSH_TTY; stat -c %U $SSH_TTY; cat /proc/self/status | grep CapEff")); code != 0 ||
		!strings.Contains(out, "hi\r\n") || !strings.Contains(out, "nobody\r\n") || !strings.Contains(out, "0000000000000000") {
		t.Errorf("%q, %d", out, code)
	}
	dir := temp(t)
	sum := big(t, dir+"/secret")
	os.Chmod(dir+"/secret", 0o600)
	os.Mkdir(dir+"/mine", 0o755)
	os.Chown(dir+"/mine", int(a.UID), int(a.GID))
	for d := dir; d != "/tmp"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	for i, cmd := range []*exec.Cmd{s.tool("scp", "-q", dir+"/secret", "sa:"+dir+"/mine/0"), s.tool("scp", "-q", "-O", dir+"/secret", "sa:"+dir+"/mine/1"),
		s.rsync("-t", dir+"/secret", "sa:"+dir+"/mine/2")} {
		_, errs, code := finish(t, cmd)
		st, err := os.Stat(fmt.Sprintf("%s/mine/%d", dir, i))
		if code != 0 || err != nil || st.Sys().(*syscall.Stat_t).Uid != a.UID {
			t.Errorf("file %d: %d, %s, %v", i, code, errs, err)
		}
	}
	until.True(t, "three files are in the ledger", func() bool { return len(s.log.kinds(record.File)) == 3 })
	for _, f := range s.log.kinds(record.File) {
		if f.SHA256 != sum {
			t.Errorf("%+v", f)
		}
	}
	if _, errs, code := finish(t, s.rsync("-t", "sa:"+dir+"/secret", dir+"/copy")); code == 0 {
		t.Errorf("root's file was taken by rsync: %s", errs)
	}
	for _, args := range [][]string{{"-q"}, {"-q", "-O"}} {
		if _, _, code := finish(t, s.tool("scp", append(args, "sa:"+dir+"/secret", dir+"/copy")...)); code == 0 {
			t.Error("root's file was taken")
		}
		if _, _, code := finish(t, s.tool("scp", append(args, "sa:/etc/shadow", dir+"/copy")...)); code == 0 {
			t.Error("/etc/shadow was taken")
		}
		if _, _, code := finish(t, s.tool("scp", append(args, "sa:/proc/self/environ", dir+"/copy")...)); code == 0 {
			t.Error("the agent's environment was taken")
		}
	}
}
