package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

// run runs the command in this process and returns its exit code and output.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := app()
	a.Writer, a.ErrWriter = &out, &errs
	code = cmdline.Run(a, append([]string{"remote-support"}, args...))
	return code, out.String(), errs.String()
}

// want runs the command and checks its exit code and what it says.
func want(t *testing.T, code int, says []string, args ...string) string {
	t.Helper()
	got, stdout, stderr := run(t, args...)
	if got != code {
		t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	for _, s := range says {
		if !strings.Contains(stdout+stderr, s) {
			t.Errorf("%v does not say %q:\n%s%s", args, s, stdout, stderr)
		}
	}
	return stdout
}

// scratch makes a root with policy files.
func scratch(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc", "policies.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, filepath.Join(root, "etc", name), text)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const siteHCL = `session {
  reason       = "audit finding 12"
  max_duration = "8h"
}
bundles { send = false }
`

func TestPolicyShowAndExplain(t *testing.T) {
	root := scratch(t, map[string]string{"policies.d/site.hcl": siteHCL, "policies.d/b.hcl": "session { max_duration = \"10h\" }\n"})
	want(t, 0, []string{"remote access: allowed", `session.max_duration = "8h"`, "site.hcl:3,3", "(audit finding 12)", "less strict: \"10h\""}, "policy", "show", "--root", root)
	want(t, 0, []string{"session.users = any"}, "policy", "show", "--root", root, "--all", "session")
	want(t, 2, []string{"no key or block"}, "policy", "show", "--root", root, "sesion")
	// REQ G11
	explain := []string{"policy", "explain", "--root", root, "bundle.send", "rss=rss.example.com", "bytes=10"}
	want(t, 0, []string{"bundle.send: refused", "bundles.send = false", "site.hcl:5,11", "change or remove bundles.send"}, explain...)
	want(t, 3, nil, append(explain, "--exit-code")...)
	want(t, 0, []string{"the fact bytes is needed"}, "policy", "explain", "--root", root, "bundle.send", "rss=x")
	want(t, 2, []string{"there is no action"}, "policy", "explain", "--root", root, "bundle.sned")
	want(t, 2, []string{"colour"}, "policy", "explain", "--root", root, "bundle.send", "colour=red")
	var e struct {
		Allowed  bool
		Blocking []struct{ Source struct{ Line int } }
	}
	if err := json.Unmarshal([]byte(want(t, 0, nil, append(explain, "--json")...)), &e); err != nil || e.Allowed || len(e.Blocking) != 1 || e.Blocking[0].Source.Line != 5 {
		t.Errorf("%v %+v", err, e)
	}
	if _, err := os.Stat(filepath.Join(root, "var")); err == nil {
		t.Error("showing left something behind")
	}
}

func TestPolicyCheckTestDiff(t *testing.T) {
	root := scratch(t, map[string]string{"policies.d/site.hcl": siteHCL})
	dir := filepath.Join(root, "etc", "policies.d")
	want(t, 0, []string{"1 policy files, 2 rules, no mistakes"}, "policy", "check", "--root", root)
	bad := filepath.Join(root, "bad.hcl")
	write(t, bad, "sesion {}\nremote_access = \"of\"\n")
	want(t, 4, []string{`did you mean "session"?`, "bad.hcl:2,17", "2 mistakes"}, "policy", "check", bad)
	write(t, filepath.Join(dir, "bad.hcl"), "sesion {}\n")
	want(t, 4, []string{`did you mean "session"?`}, "policy", "check", "--root", root)
	want(t, 4, []string{"remote access: locked off"}, "policy", "show", "--root", root)
	os.Remove(filepath.Join(dir, "bad.hcl"))
	want(t, 1, []string{"no such file"}, "policy", "check", filepath.Join(root, "none.hcl"))

	want(t, 1, []string{"no file ends in .txtar"}, "policy", "test", dir)
	write(t, filepath.Join(dir, "a.txtar"), "-- cases --\ndeny bundle.send rss=x bytes=1\n")
	want(t, 0, []string{"1 of 2 rules tried", "not tried: session.max_duration"}, "policy", "test", dir)
	want(t, 4, []string{"tried by no case"}, "policy", "test", "--full", dir)
	write(t, filepath.Join(dir, "a.txtar"), "-- cases --\nallow bundle.send rss=x bytes=1\n")
	want(t, 4, []string{"FAIL", "a.txtar:2"}, "policy", "test", dir)

	other := filepath.Join(root, "other.hcl")
	write(t, other, "session { max_duration = \"4h\" }\n")
	want(t, 0, []string{"stricter", `the longest session: "8h" -> "4h"`, "looser", "bundles sent over the network: allowed again"}, "policy", "diff", dir, other)
	want(t, 0, []string{"the same is allowed"}, "policy", "diff", other, other)
}

func TestPolicySignAndTrust(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is missing (Debian package openssh-client)")
	}
	root := scratch(t, map[string]string{"policies.d/site.hcl": "require_signature = true\n"})
	site := filepath.Join(root, "etc", "policies.d", "site.hcl")
	for _, who := range []string{"ada", "bob"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "opensesame", "-C", who, "-f", filepath.Join(root, who)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	pass := filepath.Join(root, "pass")
	write(t, pass, "opensesame\n")
	want(t, 4, []string{"must be signed", "policy trust"}, "policy", "check", "--root", root)
	want(t, 0, []string{"nobody is trusted"}, "policy", "trust", "--root", root)
	want(t, 1, []string{"private key", "ada.pub"}, "policy", "trust", "--root", root, filepath.Join(root, "ada"))
	want(t, 0, []string{"ada SHA256:"}, "policy", "trust", "--root", root, filepath.Join(root, "ada.pub"))
	want(t, 2, []string{"--key"}, "policy", "sign", site)
	want(t, 1, []string{"terminal"}, "policy", "sign", "--key", filepath.Join(root, "ada"), site)
	want(t, 0, []string{"signed by SHA256:"}, "policy", "sign", "--key", filepath.Join(root, "ada"), "--passphrase-file", pass, site)
	want(t, 0, []string{"signed by ada"}, "policy", "check", "--root", root)
	want(t, 0, nil, "build-config", "--root", root) // loads it, and remembers that signatures are required
	want(t, 1, []string{"--key names the private key"}, "policy", "trust", "--root", root, filepath.Join(root, "bob.pub"))
	want(t, 0, nil, "policy", "trust", "--root", root, "--key", filepath.Join(root, "ada"), "--passphrase-file", pass, filepath.Join(root, "bob.pub"))
	want(t, 0, []string{"signed by ada"}, "policy", "check", "--root", root)
	write(t, site, "")
	want(t, 4, []string{"was changed after ada signed it"}, "policy", "check", "--root", root)
	os.Remove(site)
	want(t, 4, []string{"is gone"}, "policy", "check", "--root", root)
}

// REQ G3, G4, J1
func TestBuildConfig(t *testing.T) {
	root := scratch(t, map[string]string{"local.cfg": "REMOTE_SUPPORT_ENABLE=\"yes\"\n"})
	want(t, 0, []string{"remote access: allowed"}, "policy", "show", "--root", root)
	want(t, 0, []string{"local.cfg:1: REMOTE_SUPPORT_ENABLE is not in force yet"}, "build-config", "--pending", "--root", root)
	want(t, 0, []string{`REMOTE_SUPPORT_ENABLE="yes" was added`}, "build-config", "--root", root)
	want(t, 0, []string{"nothing has changed"}, "build-config", "--root", root)
	want(t, 0, []string{"everything in local.cfg is in force"}, "build-config", "--pending", "--root", root)
	want(t, 0, []string{"remote access: locked on", "local.cfg:1,1"}, "policy", "show", "--root", root)
	write(t, filepath.Join(root, "etc", "local.cfg"), "REMOTE_SUPPORT_ENABLE=\"jes\"\n")
	want(t, 4, []string{"nothing was changed", "local.cfg:1,1", "jes"}, "build-config", "--root", root)
	want(t, 0, []string{"remote access: locked on"}, "policy", "show", "--root", root)
}

// REQ G6, G8
func TestDisablePermanently(t *testing.T) {
	root := scratch(t, map[string]string{"local.cfg": "REMOTE_SUPPORT_ENABLE=yes\n"})
	host, _ := os.Hostname()
	sentence := "permanently disable remote access on " + host
	want(t, 2, []string{"--permanently"}, "disable", "--root", root)
	want(t, 2, []string{"nothing was changed", sentence}, "disable", "--permanently", "--root", root)
	want(t, 2, []string{"nothing was changed"}, "disable", "--permanently", "--root", root, "--confirm", "yes")
	want(t, 0, []string{"remote access: allowed"}, "policy", "show", "--root", root)

	backup := t.TempDir()
	shell(t, "cp -a "+root+"/. "+backup)
	out := want(t, 0, []string{"disabled for good", "ssh-keygen -Y verify"}, "disable", "--permanently", "--root", root, "--confirm", sentence, "--reason", "board decision 12")
	if _, err := exec.LookPath("ssh-keygen"); err == nil {
		_, check, _ := strings.Cut(out, "check it   ")
		shell(t, strings.TrimSpace(check))
	}
	// Whatever the product offers, it stays off.
	still := func(after string) {
		t.Helper()
		if out := want(t, 0, nil, "policy", "show", "--root", root); !strings.HasPrefix(out, "remote access: permanently disabled") {
			t.Errorf("after %s: %s", after, out)
		}
		want(t, 3, []string{"nothing: the system was disabled for good"}, "policy", "explain", "--exit-code", "--root", root,
			"session.open", "user=root", "method=root", "roles=root", "rss=rss.example.com", "transport=direct", "duration=1h")
	}
	still("sealing")
	write(t, filepath.Join(root, "etc", "policies.d", "on.hcl"), "remote_access = \"locked_on\"\n")
	still("a policy that locks on")
	want(t, 0, []string{"no effect", "permanently_disabled"}, "build-config", "--root", root)
	still("build-config")
	for _, dirs := range []string{"etc", "var", "etc var"} {
		for d := range strings.FieldsSeq(dirs) {
			shell(t, "rm -rf "+filepath.Join(root, d))
			if _, err := os.Stat(filepath.Join(backup, d)); err == nil {
				shell(t, "cp -a "+filepath.Join(backup, d)+" "+root)
			}
		}
		still("a restored backup of " + dirs)
		want(t, 0, nil, "build-config", "--root", root) // puts the missing seals back
	}
	// A copied disk image is as disabled as its original.
	image := t.TempDir()
	shell(t, "cp -r "+root+"/. "+image)
	root = image
	still("copying the image")
	want(t, 0, []string{"disabled for good"}, "disable", "--permanently", "--root", root)
}

func shell(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}
