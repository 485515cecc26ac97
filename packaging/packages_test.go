package packaging

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// REQ G1, G7, G9: installed, remote access is off and this machine has keys of its
// own; purged while an engineer is in, nothing is left of it, and bundles go on.
// REQ G6: a seal lives as long as the installation.
func TestLife(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: packages are installed in an overlay of this system")
	}
	for _, tool := range []string{"dpkg", "unshare", "systemd-analyze", "ssh-keygen", "pgrep"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	packages := build(t)
	script, err := filepath.Abs("testdata/life.sh")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "testdata/apart.sh", t.TempDir(), packages, script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 77 {
		t.Skipf("no overlay of this system can be had here: %s", out)
	}
	if err != nil || !bytes.Contains(out, []byte("== done")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// build makes the Debian packages of the binaries that are in bin.
func build(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("../bin/remote-support"); err != nil {
		t.Skip("needs the binaries: make build")
	}
	if out, err := exec.CommandContext(t.Context(), "go", "run", nfpm, "--version").CombinedOutput(); err != nil {
		t.Skipf("nfpm cannot be had here: %v\n%s", err, out)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "./build", dir)
	cmd.Env = append(os.Environ(), "FORMATS=deb")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

// nfpm is what build uses.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"
