package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

// startSSHD runs Debian's sshd on a free port of loopback, with a configuration
// of its own, and returns what a backend needs to know.
func startSSHD(t *testing.T) SSHD {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("sshd gives logins only to root")
	}
	path, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Skip("sshd is not installed (Debian: openssh-server)")
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Skip(err)
	}
	dir := temp(t)
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	block, _ := ssh.MarshalPrivateKey(private, "")
	pub, _ := ssh.NewPublicKey(private.Public())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	os.WriteFile(dir+"/host", pem.EncodeToMemory(block), 0o600)
	os.WriteFile(dir+"/config", fmt.Appendf(nil, `ListenAddress %s
HostKey %[2]s/host
PidFile none
AuthorizedKeysFile %[2]s/keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AcceptEnv LANG LC_*
PrintMotd no
`, address, dir), 0o600)
	cmd := exec.Command(path, "-D", "-e", "-f", dir+"/config")
	log := &syncBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	until.OK(t, "sshd listens", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	})
	return SSHD{Address: address, HostKeys: []ssh.PublicKey{pub}, AuthorizedKeys: dir + "/keys"}
}

// REQ G10: the key is in the file only during the login, the lines of others
// are untouched, and all is recorded as with the built-in backend.
func TestBackendOpenSSH(t *testing.T) {
	d := startSSHD(t)
	others := "# mine\nssh-ed25519 AAAAC3Nz someone"
	if err := os.WriteFile(d.AuthorizedKeys, []byte(others), 0o640); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *Options) { o.Backend, o.SSHD = OpenSSH, d })
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"echo hello", "hello\n", "", 0},
		{"echo oops >&2; exit 7", "", "oops\n", 7},
		{"cat; echo $LC_LATCHSTRING | cut -c1-4", "ses-\n", "", 0},
		{"kill -TERM $$", "", "", 255},
	} {
		out, errs, code := s.ssh("sa", c.line)
		if out != c.out || errs != c.errs || code != c.code {
			t.Errorf("%s: %q, %q, %d", c.line, out, errs, code)
		}
	}
	out, _, code := finish(t, s.tool("ssh", "-tt", "sa", "stty size; tty; exit 3"))
	if !strings.Contains(out, "/dev/pts/") || code != 3 {
		t.Errorf("terminal: %q, %d", out, code)
	}
	if b, _ := os.ReadFile(d.AuthorizedKeys); string(b) != others {
		t.Errorf("keys afterwards: %q", b)
	}
	if all := s.log.all(); !strings.Contains(all, "hello\n") || len(s.log.kinds(record.Command)) != 5 {
		t.Errorf("recorded: %q", all)
	}
	dir := temp(t)
	want := big(t, dir+"/src")
	if _, errs, code := finish(t, s.tool("scp", "-q", dir+"/src", "sa:"+dir+"/there")); code != 0 || sumFile(t, dir+"/there") != want {
		t.Errorf("scp: %d, %s", code, errs)
	}
}

// All that ran below sshd ends too.
func TestBackendOpenSSHEndsAll(t *testing.T) {
	d := startSSHD(t)
	s := newSite(t, func(o *Options) { o.Backend, o.SSHD = OpenSSH, d })
	c, dir := s.client(), temp(t)
	sess, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`(setsid nohup sh -c 'echo $$ > %[1]s/a; exec sleep 600' >/dev/null 2>&1 &); sleep 600 & echo $! > %[1]s/b; wait`, dir)
	if err := sess.Start(script); err != nil {
		t.Fatal(err)
	}
	pids := []int{waitPid(t, dir+"/a"), waitPid(t, dir+"/b")}
	s.cancel()
	if err := s.over(); err == nil {
		t.Error("no reason was given")
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("pid %d is left", pid)
		}
	}
}

// A program on sshd's port that is not sshd gets nothing.
func TestBackendOpenSSHKnowsItsServer(t *testing.T) {
	d := startSSHD(t)
	other := newKeys(t)
	d.HostKeys = []ssh.PublicKey{other.host.PublicKey()}
	s := newSite(t, func(o *Options) { o.Backend, o.SSHD = OpenSSH, d })
	_, errs, code := s.ssh("sa", "id")
	if code != statusFailed || !strings.Contains(errs, "host key") {
		t.Errorf("%d, %q", code, errs)
	}
	if _, err := os.Stat(d.AuthorizedKeys); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key is left: %v", err)
	}
	d.Address = "192.0.2.1:22"
	s = newSite(t, func(o *Options) { o.Backend, o.SSHD = OpenSSH, d })
	if _, errs, _ := s.ssh("sa", "id"); !strings.Contains(errs, "loopback") {
		t.Errorf("%q", errs)
	}
}

// After a crash: a line of ours is taken out, others stay; processes end.
func TestSweep(t *testing.T) {
	me, err := account.Current()
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(temp(t), "keys")
	others := "ssh-ed25519 AAAA someone\n"
	os.WriteFile(keys, []byte("restrict,pty,from=\"127.0.0.1,::1\",expiry-time=\"202601010000\" ssh-ed25519 AAAA latchstring ses-SWEEPME1 con-1\n"+others), 0o600)
	cmd := exec.Command("sleep", "600")
	cmd.Env = append(os.Environ(), "LATCHSTRING_SESSION=ses-SWEEPME1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go cmd.Wait()
	until.True(t, "the process lives", func() bool { return alive(cmd.Process.Pid) })
	got, err := Sweep("ses-SWEEPME1", me.Name, keys)
	if err != nil || got.Keys != 1 || got.Processes != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if b, _ := os.ReadFile(keys); string(b) != others {
		t.Errorf("%q", b)
	}
	if _, err := Sweep("", "", ""); err == nil {
		t.Error("everything was swept")
	}
}

func waitPid(t testing.TB, file string) (pid int) {
	t.Helper()
	until.True(t, file+" has a pid", func() bool {
		b, _ := os.ReadFile(file)
		_, err := fmt.Sscan(string(b), &pid)
		return err == nil && strings.HasSuffix(string(b), "\n") && alive(pid)
	})
	return pid
}

// alive tells a zombie from a process.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}
