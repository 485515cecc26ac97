package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

func machine(t *testing.T, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "machine-id")
	if err := os.WriteFile(path, []byte(id+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	idA = strings.Repeat("a1", 16)
	idB = strings.Repeat("b2", 16)
)

func mustOpen(t *testing.T, dir, machineID string) *System {
	t.Helper()
	s, err := open(dir, machineID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyIsMadeOnceAndStays(t *testing.T) {
	dir, m := filepath.Join(t.TempDir(), "identity"), machine(t, idA)
	first := mustOpen(t, dir, m)
	second := mustOpen(t, dir, m)
	if first.Origin() != Created || second.Origin() != Existing {
		t.Errorf("origins %s, %s; want created, existing", first.Origin(), second.Origin())
	}
	if first.ID() != second.ID() || !ValidID(first.ID()) {
		t.Errorf("ids %s, %s", first.ID(), second.ID())
	}
	for name, want := range map[string]os.FileMode{keyName: 0o600, machineName: 0o600, keyName + ".pub": 0o644} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %o", name, fi.Mode(), err, want)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, machineName)); bytes.Contains(b, []byte(idA)) {
		t.Error("the machine id itself is stored")
	}
}

// OpenSSH reads the key, and agrees on the public half.
func TestKeyIsOpenSSH(t *testing.T) {
	keygen := lookPath(t, "ssh-keygen")
	dir := t.TempDir()
	s := mustOpen(t, dir, machine(t, idA))
	out, err := exec.Command(keygen, "-y", "-f", filepath.Join(dir, keyName)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(out), FormatKey(s.PublicKey())) {
		t.Errorf("ssh-keygen -y says %s, we say %s", out, FormatKey(s.PublicKey()))
	}
}

func TestConcurrentFirstUse(t *testing.T) {
	dir, m := t.TempDir(), machine(t, idA)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			s, err := open(dir, m)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = s.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("two processes have different ids: %v", ids)
		}
	}
}

// REQ G9: a cloned image gets new keys, and is not enrolled any more.
func TestClone(t *testing.T) {
	dir := t.TempDir()
	original := mustOpen(t, dir, machine(t, idA))
	if err := original.Pin(vendor(t, "rss.example:443"), false); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	clone := mustOpen(t, dir, machine(t, idB))
	if clone.Origin() != Cloned || clone.ID() == original.ID() {
		t.Errorf("on another machine: origin %s, id %s (original %s)", clone.Origin(), clone.ID(), original.ID())
	}
	if _, err := clone.Vendor(); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("the clone is enrolled: %v", err)
	}
	raw, err := ssh.ParseRawPrivateKey(old)
	if err != nil {
		t.Fatal(err)
	}
	seed := raw.(*ed25519.PrivateKey).Seed()
	filepath.WalkDir(dir, func(path string, d os.DirEntry, _ error) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		if block, _ := pem.Decode(b); block != nil {
			b = block.Bytes
		}
		if bytes.Contains(b, seed) {
			t.Errorf("%s still holds the original's private key", path)
		}
		return nil
	})
	if again := mustOpen(t, dir, machine(t, idB)); again.Origin() != Existing || again.ID() != clone.ID() {
		t.Error("the clone's key does not stay")
	}
}

// An image that is prepared before it has a machine id gives its key to nobody.
func TestPreparedImage(t *testing.T) {
	for _, none := range []string{"", "uninitialized"} {
		dir := t.TempDir()
		image := mustOpen(t, dir, machine(t, none))
		if same := mustOpen(t, dir, machine(t, none)); same.ID() != image.ID() {
			t.Error("without a machine id the key does not stay")
		}
		if booted := mustOpen(t, dir, machine(t, idA)); booted.ID() == image.ID() {
			t.Error("the machine has the key of its image")
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string) (machineID string)
		want  string
	}{
		{"readable key", func(t *testing.T, dir string) string {
			os.Chmod(filepath.Join(dir, keyName), 0o640)
			return idA
		}, "mode 0640 lets others read it"},
		{"damaged key", func(t *testing.T, dir string) string {
			os.WriteFile(filepath.Join(dir, keyName), []byte("x"), 0o600)
			return idA
		}, "system_key: ssh: no key found"},
		{"key without binding", func(t *testing.T, dir string) string { os.Remove(filepath.Join(dir, machineName)); return idA }, "not bound to a machine"},
		{"damaged binding", func(t *testing.T, dir string) string {
			os.WriteFile(filepath.Join(dir, machineName), []byte("{"), 0o600)
			return idA
		}, "machine.json"},
		{"newer binding", func(t *testing.T, dir string) string {
			os.WriteFile(filepath.Join(dir, machineName), []byte(`{"v":2}`), 0o600)
			return idA
		}, "version 2"},
		{"bad machine id", func(t *testing.T, dir string) string { return "nonsense" }, "32 hexadecimal digits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			mustOpen(t, dir, machine(t, idA))
			if _, err := open(dir, machine(t, tt.spoil(t, dir))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("open = %v; want an error with %q", err, tt.want)
			}
		})
	}
}

// Stock ssh-keygen accepts our signatures, and refuses what it should.
func TestSignaturesByOpenSSH(t *testing.T) {
	keygen := lookPath(t, "ssh-keygen")
	dir := t.TempDir()
	s := mustOpen(t, dir, machine(t, idA))
	message := []byte("the bundle\n")
	sig, err := s.Sign(NamespaceBundle, message)
	if err != nil {
		t.Fatal(err)
	}
	sigFile, signers := filepath.Join(dir, "m.sig"), filepath.Join(dir, "allowed")
	if err := os.WriteFile(sigFile, sig, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(signers, fmt.Appendf(nil, "%s %s\n", s.ID(), FormatKey(s.PublicKey())), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		namespace, message string
		good               bool
	}{{NamespaceBundle, string(message), true}, {NamespaceReceipt, string(message), false}, {NamespaceBundle, "another", false}} {
		cmd := exec.Command(keygen, "-Y", "verify", "-f", signers, "-I", s.ID(), "-n", tt.namespace, "-s", sigFile)
		cmd.Stdin = strings.NewReader(tt.message)
		out, err := cmd.CombinedOutput()
		if (err == nil) != tt.good {
			t.Errorf("ssh-keygen -Y verify of %q in %s: %v\n%s", tt.message, tt.namespace, err, out)
		}
		if err := Verify(s.PublicKey(), tt.namespace, strings.NewReader(tt.message), sig); (err == nil) != tt.good {
			t.Errorf("Verify of %q in %s: %v", tt.message, tt.namespace, err)
		}
	}
}

// And we accept those of ssh-keygen -Y sign, of each kind of key.
func TestSignaturesFromOpenSSH(t *testing.T) {
	keygen := lookPath(t, "ssh-keygen")
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		dir := t.TempDir()
		key, m := filepath.Join(dir, "k"), filepath.Join(dir, "m")
		if out, err := exec.Command(keygen, "-q", "-t", kind, "-N", "", "-f", key).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := os.WriteFile(m, []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(keygen, "-Y", "sign", "-n", NamespacePolicy, "-f", key, m).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		line, _ := os.ReadFile(key + ".pub")
		pub, err := ParseKey(string(line))
		if err != nil {
			t.Fatal(err)
		}
		sig, _ := os.ReadFile(m + ".sig")
		if err := Verify(pub, NamespacePolicy, strings.NewReader("hello"), sig); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := Verify(pub, NamespacePolicy, strings.NewReader("hellO"), sig); err == nil {
			t.Errorf("%s: a changed message verified", kind)
		}
	}
}

func TestVerifyRefusesOtherKeys(t *testing.T) {
	a, b := mustOpen(t, t.TempDir(), machine(t, idA)), mustOpen(t, t.TempDir(), machine(t, idA))
	sig, err := a.Sign(NamespaceRSS, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(b.PublicKey(), NamespaceRSS, strings.NewReader("x"), sig); err == nil || !strings.Contains(err.Error(), "signed by key") {
		t.Errorf("Verify = %v; want one that names both keys", err)
	}
	if err := Verify(a.PublicKey(), NamespaceRSS, strings.NewReader("x"), bytes.Repeat([]byte("x"), maxSignature+1)); err == nil {
		t.Error("an endless signature was read")
	}
}

func TestWeakKeys(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ssh.NewPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{FormatKey(pub), "", "ssh-ed25519 AAAA", FormatKey(pub) + "\n" + FormatKey(pub)} {
		if _, err := ParseKey(line); err == nil {
			t.Errorf("ParseKey(%.30q) accepted it", line)
		}
	}
}

func TestVendor(t *testing.T) {
	s := mustOpen(t, t.TempDir(), machine(t, idA))
	v := vendor(t, "rss.example:443")
	if err := s.Pin(v, false); err != nil {
		t.Fatal(err)
	}
	got, err := s.Vendor()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, got); diff != "" {
		t.Errorf("record read back differs:\n%s", diff)
	}
	renamed := v
	renamed.System = "array-8"
	if err := s.Pin(renamed, false); err != nil {
		t.Errorf("the same vendor again: %v", err)
	}
	other := vendor(t, "rss.evil:443")
	if err := s.Pin(other, false); !errors.Is(err, ErrOtherVendor) {
		t.Errorf("another vendor: %v; want ErrOtherVendor", err)
	}
	if err := s.Pin(other, true); err != nil {
		t.Errorf("another vendor, by decision: %v", err)
	}
	for name, spoil := range map[string]func(*Vendor){
		"relay":      func(v *Vendor) { v.RSS = "" },
		"CA":         func(v *Vendor) { v.CACert = "x" },
		"recipients": func(v *Vendor) { v.Recipients = nil },
		"receipt":    func(v *Vendor) { v.ReceiptKey = "x" },
		"support":    func(v *Vendor) { v.SupportCA = "x" },
	} {
		bad := v
		spoil(&bad)
		if err := s.Pin(bad, true); err == nil {
			t.Errorf("a record with a bad %s was pinned", name)
		}
	}
}

func vendor(t *testing.T, rss string) Vendor {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, priv)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return Vendor{Version: 1, Name: "Vendor", RSS: rss, Recipients: []string{"age1example"}, ReceiptKey: FormatKey(key),
		CACert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), System: "array-7", EnrolledAt: time.Unix(1e9, 0).UTC()}
}

func lookPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian package openssh-client)", name)
	}
	return path
}

func FuzzVerify(f *testing.F) {
	s, err := open(f.TempDir(), "/nonexistent")
	if err != nil {
		f.Fatal(err)
	}
	sig, err := s.Sign(NamespaceRSS, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sig)
	f.Fuzz(func(t *testing.T, armored []byte) {
		if err := Verify(s.PublicKey(), NamespaceRSS, strings.NewReader("y"), armored); err == nil {
			t.Error("a signature of nothing verified")
		}
	})
}
