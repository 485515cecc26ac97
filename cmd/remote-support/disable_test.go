package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// command runs remote-support and returns everything that it says.
func command(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("remote-support", args...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

func theSentence(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return "permanently disable remote access on " + host
}

// REQ G6, J2: the disk is full while the system is sealed. It is sealed all the
// same, somebody is told what is missing, status tells the truth on the full
// disk, and the rest is done when there is room.
func TestDisableOnFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("cannot mount a small file system:", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if out, code := command(t, "status", "--root", dir); code != 0 {
		t.Fatal(out)
	}
	if err := os.MkdirAll(root.Etc("auth.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root.Etc("auth.d", "infinibox.json"), []byte(`{"password":"hunter2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(dir, "fill")
	if err := os.WriteFile(fill, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	out, code := command(t, "disable", "--permanently", "--confirm", theSentence(t), "--root", dir)
	if code != 1 || !strings.Contains(out, "IS disabled for good") || !strings.Contains(out, "no space left") {
		t.Errorf("exit code %d: %s", code, out)
	}
	root, _ = paths.New(dir)
	if !seal.Check(root).Sealed {
		t.Fatal("a full disk is a way out")
	}
	if _, err := os.Stat(root.Etc("auth.d", "infinibox.json")); err == nil {
		t.Error("the settings of a login are still there")
	}
	if out, code := command(t, "status", "--root", dir); code != 0 || !strings.Contains(out, "permanently disabled") {
		t.Errorf("status on the full disk: exit code %d: %s", code, out)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if out, code := command(t, "disable", "--permanently", "--root", dir); code != 0 {
		t.Errorf("with room again: exit code %d: %s", code, out)
	}
	if out, _ := command(t, "status", "--root", dir); strings.Contains(out, "problem") || !strings.Contains(out, "permanently disabled") {
		t.Errorf("status: %s", out)
	}
	if _, err := os.Stat(seal.ProofOf(root).Signature); err != nil {
		t.Error("no proof:", err)
	}
}

// REQ G6: a copy of the sealed image on another machine, which makes itself
// another key (REQ G9), is as sealed as the original.
func TestSealedImageOnAnotherMachine(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for a machine id of its own")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("unshare is missing (Debian package util-linux)")
	}
	dir, image := filepath.Join(t.TempDir(), "sa"), filepath.Join(t.TempDir(), "image")
	if out, code := command(t, "disable", "--permanently", "--confirm", theSentence(t), "--root", dir); code != 0 {
		t.Fatal(out)
	}
	if out, err := exec.Command("cp", "-a", dir, image).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	id := filepath.Join(t.TempDir(), "machine-id")
	if err := os.WriteFile(id, []byte(strings.Repeat("4", 32)+"\n"), 0o444); err != nil {
		t.Fatal(err)
	}
	there := func(args string) string {
		t.Helper()
		script := "mount --bind " + id + " /etc/machine-id && exec remote-support " + args + " --root " + image
		out, err := exec.Command("unshare", "-m", "sh", "-c", script).CombinedOutput()
		if strings.Contains(string(out), "mount") && err != nil {
			t.Skipf("cannot change the machine id here: %s", out)
		}
		return string(out)
	}
	if out := there("status"); !strings.Contains(out, "permanently disabled") {
		t.Errorf("status there: %s", out)
	}
	out := there("policy explain session.open user=root method=root roles=root rss=rss.example.com transport=direct duration=1h")
	if !strings.Contains(out, "refused: remote access was disabled for good") {
		t.Errorf("policy there: %s", out)
	}
	here, err1 := os.ReadFile(filepath.Join(dir, "var/identity/system_key.pub"))
	copied, err2 := os.ReadFile(filepath.Join(image, "var/identity/system_key.pub"))
	if err1 == nil && err2 == nil && bytes.Equal(here, copied) {
		t.Error("the copy has the key of the original")
	}
}
