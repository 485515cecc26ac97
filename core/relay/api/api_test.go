package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

func TestTokenText(t *testing.T) {
	want := Token{RSS: "rss.example:443", Pin: Pin{1, 2, 3}, Secret: NewSecret()}
	got, err := ParseToken("\n  " + want.String() + " \r\n")
	if err != nil || got != want {
		t.Fatalf("ParseToken = %+v, %v; want %+v", got, err, want)
	}
	if got.ID() == "" || strings.Contains(got.ID(), "-") || !strings.HasPrefix(got.Secret, got.ID()) {
		t.Errorf("ID() = %q of %q", got.ID(), got.Secret)
	}
	if HashSecret(want.Secret) == HashSecret(NewSecret()) {
		t.Error("two secrets have one hash")
	}
}

func TestBadTokens(t *testing.T) {
	good := strings.Fields(Token{RSS: "rss.example:443", Secret: NewSecret()}.String())
	change := func(i int, s string) string {
		f := append([]string{}, good...)
		f[i] = s
		return strings.Join(f, " ")
	}
	tests := []struct{ text, want string }{
		{"", "empty"},
		{"hello", "must begin with"},
		{change(0, "latchstring-enrol-2"), "this program reads"},
		{strings.Join(good[:3], " "), "3 parts of 4"},
		{change(1, "rss.example"), "host:port"},
		{change(1, ":443"), "host:port"},
		{change(1, "rss.example:0"), "no number"},
		{change(2, "SHA256:00"), "no certificate pin"},
		{change(2, "sha1:00"), "no certificate pin"},
		{change(3, "short"), "malformed"},
		{change(3, "../../../../etc/passwd"), "malformed"},
	}
	for _, tt := range tests {
		if _, err := ParseToken(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseToken(%q) = %v; want an error with %q", tt.text, err, tt.want)
		}
	}
}

func TestBundleIDs(t *testing.T) {
	if id := NewBundleID(); !ValidBundleID(id) {
		t.Errorf("%q is not valid", id)
	}
	for _, id := range []string{"", "..", "bdl-", "bdl-../../../etc/passwd00", NewBundleID() + "/x", "x" + NewBundleID(), NewBundleID() + "\n"} {
		if ValidBundleID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}

func TestWithPort(t *testing.T) {
	for in, want := range map[string]string{"a": "a:443", "a:1": "a:1", "::1": "[::1]:443", "[::1]": "[::1]:443", "[::1]:9": "[::1]:9",
		"rss.example": "rss.example:443", "rss.example:8443": "rss.example:8443", "[2001:db8::1]": "[2001:db8::1]:443",
		"[2001:db8::1]:8443": "[2001:db8::1]:8443", "192.0.2.1": "192.0.2.1:443",
	} {
		if got := WithPort(in); got != want {
			t.Errorf("WithPort(%q) = %q; want %q", in, got, want)
		}
	}
}

func signer(t *testing.T) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReceipt(t *testing.T) {
	key := signer(t)
	want := Receipt{Bundle: NewBundleID(), System: "sys-x", SHA256: strings.Repeat("0", 64), Size: 7, ReceivedAt: time.Unix(1e9, 0).UTC()}
	s, err := SignReceipt(key, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(key.PublicKey())
	want.Version = 1
	if err != nil || got != want {
		t.Fatalf("Verify = %+v, %v", got, err)
	}
	if err := errors.Join(got.Covers("sys-x", want.SHA256, 7)); err != nil {
		t.Error(err)
	}
	for _, err := range []error{got.Covers("sys-y", want.SHA256, 7), got.Covers("sys-x", "1", 7), got.Covers("sys-x", want.SHA256, 8)} {
		if err == nil {
			t.Error("the receipt covers what it does not name")
		}
	}
	forged := s
	forged.Statement = strings.Replace(s.Statement, `"size":7`, `"size":8`, 1)
	if _, err := forged.Verify(key.PublicKey()); err == nil {
		t.Error("a changed receipt verified")
	}
	if _, err := s.Verify(signer(t).PublicKey()); err == nil {
		t.Error("a receipt by another key verified")
	}
}

// Anybody can check a receipt with OpenSSH.
func TestReceiptByOpenSSH(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed (Debian package openssh-client)")
	}
	key, dir := signer(t), t.TempDir()
	s, err := SignReceipt(key, Receipt{Bundle: "b"})
	if err != nil {
		t.Fatal(err)
	}
	signers, sig := filepath.Join(dir, "signers"), filepath.Join(dir, "sig")
	os.WriteFile(signers, fmt.Appendf(nil, "rss %s\n", identity.FormatKey(key.PublicKey())), 0o600)
	os.WriteFile(sig, []byte(s.Signature), 0o600)
	cmd := exec.Command(keygen, "-Y", "verify", "-f", signers, "-I", "rss", "-n", identity.NamespaceReceipt, "-s", sig)
	cmd.Stdin = strings.NewReader(s.Statement)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(Token{RSS: "[::1]:443", Secret: NewSecret()}.String())
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := ParseToken(text)
		if err != nil {
			return
		}
		if again, err := ParseToken(tok.String()); err != nil || again != tok {
			t.Errorf("%q reads as %+v, and again as %+v (%v)", text, tok, again, err)
		}
	})
}
