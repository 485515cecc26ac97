package seal

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/testdata/until"
)

// softTPM runs a software TPM for one test.
func softTPM(t *testing.T) {
	t.Helper()
	swtpm, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is missing (Debian package swtpm)")
	}
	dir, err := os.MkdirTemp("", "tpm") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(dir, "s")
	cmd := exec.Command(swtpm, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+sock, "--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	oldOpen, oldID, oldUses := openTPM, machineID, usesTPM
	t.Cleanup(func() { openTPM, machineID, usesTPM = oldOpen, oldID, oldUses })
	openTPM = func() (transport.TPMCloser, error) { return linuxudstpm.Open(sock) }
	machineID = func() ([]byte, error) { return []byte("0123456789abcdef\n"), nil }
	usesTPM = func(paths.Root) bool { return true }
	until.OK(t, "the software TPM is up", func() error { _, err := os.Stat(sock); return err })
}

// REQ G6: every file and mark is gone, and the TPM still knows.
func TestTPMHoldsTheSeal(t *testing.T) {
	softTPM(t)
	root := newRoot(t)
	if s := Check(root); s.Sealed {
		t.Fatalf("%+v", s)
	}
	for range 2 { // sealing again is no mistake
		if err := Seal(root, record()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(root.Dir); err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	s := Check(root)
	if !s.Sealed || len(s.Missing) != 4 || s.Place != "the TPM" {
		t.Fatalf("%+v", s)
	}
	if err := Mend(root); err != nil {
		t.Fatal(err)
	}
	if s := Check(root); len(s.Missing) != 0 {
		t.Errorf("%+v", s)
	}

	// Another installation on the same machine is not sealed, and can be.
	machineID = func() ([]byte, error) { return []byte("fedcba9876543210\n"), nil }
	fresh := newRoot(t)
	if s := Check(fresh); s.Sealed {
		t.Fatalf("a new installation is sealed: %+v", s)
	}
	if err := Seal(fresh, record()); err != nil {
		t.Fatal(err)
	}
	if !inTPM(fresh) {
		t.Error("the TPM did not take the seal of the new installation")
	}
}

// A scratch directory leaves the machine's TPM alone, and a machine without one
// is sealed by its files.
func TestWithoutTPM(t *testing.T) {
	opened := false
	old := openTPM
	defer func() { openTPM = old }()
	openTPM = func() (transport.TPMCloser, error) { opened = true; return nil, errors.New("none") }
	root := newRoot(t)
	if err := Seal(root, record()); err != nil || !Check(root).Sealed || opened {
		t.Errorf("%v, TPM opened: %t", err, opened)
	}
	oldUses := usesTPM
	defer func() { usesTPM = oldUses }()
	usesTPM = func(paths.Root) bool { return true }
	root = newRoot(t)
	if err := Seal(root, record()); err != nil || !Check(root).Sealed || !opened {
		t.Errorf("%v, TPM opened: %t", err, opened)
	}
}
