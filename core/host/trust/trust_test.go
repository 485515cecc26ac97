package trust

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// publisher makes a key and signs with the real ssh-keygen.
type publisher struct{ dir, key string }

func newPublisher(t *testing.T, kind string) publisher {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen (Debian package openssh-client)")
	}
	p := publisher{dir: t.TempDir()}
	p.key = filepath.Join(p.dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", p.key, "-C", "test").CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return p
}

func (p publisher) public(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(p.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func (p publisher) sign(t *testing.T, namespace, message string) []byte {
	t.Helper()
	path := filepath.Join(p.dir, "message")
	if err := os.WriteFile(path, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + ".sig")
	if out, err := exec.Command("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", p.key, path).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen -Y sign: %v\n%s", err, out)
	}
	sig, err := os.ReadFile(path + ".sig")
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// REQ I4: what stock ssh-keygen signs is accepted, and nothing else.
func TestVerify(t *testing.T) {
	const message = `{"name":"x"}`
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			acme := newPublisher(t, kind)
			sig := acme.sign(t, Namespace, message)
			parse := func(lines string) *Publishers {
				p, err := ParsePublishers("publishers", []byte(lines))
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			line := func(format string) *Publishers { return parse(fmt.Sprintf(format+"\n", acme.public(t))) }
			if fp, err := line("acme %s").Verify([]byte(message), sig, "acme", now); err != nil || !strings.HasPrefix(fp, "SHA256:") {
				t.Errorf("good signature: %s, %v", fp, err)
			}
			for _, ok := range []string{
				`other,acme %s`, `acme namespaces="git,latchstring-plugin" %s`,
				`acme valid-after="20260101",valid-before="20270101Z" %s`, "# comment\n\nacme %s",
			} {
				if _, err := line(ok).Verify([]byte(message), sig, "acme", now); err != nil {
					t.Errorf("%s: %v", ok, err)
				}
			}
			for _, bad := range []string{
				"beta %s", `acme namespaces="git" %s`, `acme valid-before="20260101" %s`, `acme valid-after="202606010000Z" %s`,
			} {
				_, err := line(bad).Verify([]byte(message), sig, "acme", now)
				if !errors.As(err, new(*UnknownError)) {
					t.Errorf("%s: %v", bad, err)
				}
			}
			var none *Publishers
			if _, err := none.Verify([]byte(message), sig, "acme", now); !errors.As(err, new(*UnknownError)) {
				t.Errorf("no publishers at all: %v", err)
			}
			good := line("acme %s")
			broken := map[string][]byte{
				"other message":   acme.sign(t, Namespace, message+" "),
				"other namespace": acme.sign(t, "file", message),
				"no signature":    []byte("hello"),
				"empty":           nil,
				"cut":             sig[:len(sig)/2],
			}
			for name, s := range broken {
				if _, err := good.Verify([]byte(message), s, "acme", now); !errors.Is(err, ErrBroken) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestParsePublishersRefuses(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJTQGJrOqUUcNV0yzR3JhOYz9eFkAvAjqKZMB8rBnKwP"
	for _, bad := range []string{
		"acme", "acme ssh-ed25519 !!!", "a*me " + key, `acme cert-authority ` + key,
		`acme valid-after="soon" ` + key, ",acme " + key,
	} {
		_, err := ParsePublishers("etc/plugin_publishers", []byte("\n"+bad+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "etc/plugin_publishers:2: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParsePublishers(f *testing.F) {
	f.Add([]byte("acme namespaces=\"a\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJTQGJrOqUUcNV0yzR3JhOYz9eFkAvAjqKZMB8rBnKwP c\n"))
	f.Add([]byte("# x\n\n,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePublishers("f", data)
		if err == nil && p == nil {
			t.Fatal("neither publishers nor an error")
		}
	})
}
