package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/testdata/until"
)

// machines runs Debian's sshd and brings a stock ssh whose configuration knows
// node-b and node-c, which it reaches, node-dead, where nothing listens, and
// node-odd, where no send-bundle is.
func machines(t *testing.T, dir string) (path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("sshd gives logins only to root")
	}
	sshd := "/usr/sbin/sshd"
	client, err := exec.LookPath("ssh")
	if _, serr := os.Stat(sshd); serr != nil || err != nil {
		t.Skip("sshd or ssh is not installed (Debian: openssh-server, openssh-client)")
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Skip(err)
	}
	keyFile := func(name string) string {
		_, private, _ := ed25519.GenerateKey(rand.Reader)
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			t.Fatal(err)
		}
		pub, _ := ssh.NewPublicKey(private.Public())
		put(t, dir, name, string(pem.EncodeToMemory(block)))
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	}
	host, user := keyFile("host"), keyFile("id")
	var ports []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
		l.Close()
	}
	put(t, dir, "keys", user+"\n")
	put(t, dir, "known", "node-b,node-c,node-odd "+host+"\n")
	put(t, dir, "sshd_config", fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %[2]s/host\nPidFile none\nAuthorizedKeysFile %[2]s/keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nAcceptEnv LC_*\nPrintMotd no\n", ports[0], dir))
	config := ""
	for _, n := range []string{"b", "c", "odd", "dead"} {
		port := ports[0]
		if n == "dead" {
			port = ports[1]
		}
		config += fmt.Sprintf("Host node-%s\n  HostName 127.0.0.1\n  Port %s\n  User root\n  SetEnv LC_NODE=%s\n  HostKeyAlias node-%[1]s\n  IdentityFile %[4]s/id\n  IdentitiesOnly yes\n  UserKnownHostsFile %[4]s/known\n  StrictHostKeyChecking yes\n", n, port, n, dir)
	}
	put(t, dir, "ssh_config", config)
	put(t, dir, "bin/ssh", fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >> %s/seen\nenv >> %[1]s/seen\nexec %s -F %[1]s/ssh_config \"$@\"\n", dir, client))
	if err := os.Chmod(filepath.Join(dir, "bin/ssh"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sshd, "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	var log bytes.Buffer
	cmd.Stderr = &log
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
		c, err := net.Dial("tcp", "127.0.0.1:"+ports[0])
		if err == nil {
			c.Close()
		}
		return err
	})
	return filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")
}

// One bundle of three machines, two of which answer: the same pseudonyms on
// all, names that only one of them knows turned back on the first, a machine
// that is dead or has no send-bundle named and no harm to the others, and the
// key on no command line.
func TestSeveralMachines(t *testing.T) {
	dir := t.TempDir()
	path := machines(t, dir)
	program, err := exec.LookPath("send-bundle")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "data/app.log", "Nov 22 10:00:00 app: connected to host=db01.corp.example from 10.20.30.40 password=Wint3rIsComing!\n")
	for _, n := range []string{"a", "b", "c"} {
		put(t, dir, n+"/etc/local.cfg", "# node "+n+"\n[support]\nnote = asked host=only-"+n+".corp.example for help\n")
	}
	root, out := filepath.Join(dir, "a"), filepath.Join(dir, "bundle")
	run := fmt.Sprintf("if [ $LC_NODE = odd ]; then exec /no/send-bundle; fi; echo noise of a login shell; exec %s --root %s/$LC_NODE", program, dir)
	// The command line of the far side is the user's own; it ends in "gather".
	cmd := exec.Command("send-bundle", "--root", root, "--only", "latchstring", "--include", filepath.Join(dir, "data"), "--output", out, "--no-encrypt", "--json",
		"--on", "root@node-b", "--on", "node-c", "--on", "node-dead", "--on", "node-odd", "--on-run", run)
	cmd.Env = append(os.Environ(), "PATH="+path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	o, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, o, stderr.String())
	}
	for _, want := range []string{"nothing of node-dead is in the bundle", "nothing of node-odd is in the bundle", "must be installed there"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not told: %s", want, stderr.String())
		}
	}
	b, err := bundle.Open(out, bundle.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
		t.Error(err)
	}
	ms := b.Manifest.Machines
	if len(ms) != 4 || ms[0].Error != "" || ms[1].Error != "" || ms[2].Error == "" || ms[3].Error == "" {
		t.Fatalf("machines: %+v", ms)
	}
	if ms[0].System == "" || ms[0].System == ms[1].System || ms[0].System == b.Manifest.System.ID || ms[0].Files == 0 || len(ms[0].Collectors) == 0 {
		t.Errorf("machines: %+v", ms[:2])
	}
	logs, tokens := map[string]string{}, map[string]string{}
	token := regexp.MustCompile(`asked host=(\S+) for`)
	if err := b.Walk(t.Context(), func(f bundle.File, r io.Reader) error {
		text, err := io.ReadAll(r)
		if strings.HasSuffix(f.Path, "/app.log") {
			logs[f.Machine] = string(text)
		}
		if strings.HasSuffix(f.Path, "/local.cfg") {
			if m := token.FindSubmatch(text); m != nil {
				tokens[f.Machine] = string(m[1])
			}
		}
		if f.Machine != "" && !strings.HasPrefix(f.Path, "machines/"+f.Machine+"/"+f.Collector+"/") {
			t.Errorf("%s of %s", f.Path, f.Machine)
		}
		for _, bad := range []string{"Wint3r", "corp.example", "node-b", "10.20.30.40"} {
			if bytes.Contains(text, []byte(bad)) || strings.Contains(f.Path, bad) {
				t.Errorf("%s holds %s: %.300s", f.Path, bad, text)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(logs) != 3 || logs[""] != logs[ms[0].Name] || logs[""] != logs[ms[1].Name] {
		t.Errorf("the pseudonyms differ: %q", logs)
	}
	// What only node-b knows can be turned back here.
	o, err = exec.Command("send-bundle", "--root", root, "reveal", "--json", tokens[ms[0].Name]).CombinedOutput()
	if err != nil || !strings.Contains(string(o), "only-b.corp.example") {
		t.Errorf("reveal %s: %v\n%s", tokens, err, o)
	}
	// And the key was in nobody's arguments or environment.
	key, err := os.ReadFile(filepath.Join(root, "var/sanitize/key"))
	if err != nil {
		t.Fatal(err)
	}
	_, hexKey, _ := strings.Cut(strings.TrimSpace(string(key)), ":")
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil || len(seen) == 0 || hexKey == "" || bytes.Contains(seen, []byte(hexKey)) {
		t.Errorf("the key is in the arguments of ssh, or nothing was seen: %v, %d bytes", err, len(seen))
	}
	// Nor does the other machine keep it.
	filepath.Walk(filepath.Join(dir, "b"), func(p string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().IsRegular() {
			if data, _ := os.ReadFile(p); bytes.Contains(data, []byte(hexKey)) {
				t.Errorf("%s holds the key", p)
			}
		}
		return nil
	})
	if left, _ := filepath.Glob(filepath.Join(dir, "b/var/spool/*")); len(left) > 0 {
		t.Errorf("left behind there: %v", left)
	}
}
