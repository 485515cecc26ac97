package ask

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

func newKey(t testing.TB) ssh.Signer {
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

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func certify(t testing.TB, ca, key ssh.Signer, change func(*ssh.Certificate)) *ssh.Certificate {
	t.Helper()
	c := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, KeyId: "ada", ValidPrincipals: []string{"latchstring"},
		ValidAfter: uint64(now.Add(-time.Hour).Unix()), ValidBefore: uint64(now.Add(12 * time.Hour).Unix())}
	if change != nil {
		change(c)
	}
	if err := c.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return c
}

func sample() Request {
	return Request{System: "array-7", Case: "C-1", Reason: "the disks are slow", Created: now, Expires: now.Add(6 * time.Hour), SinceS: 3600,
		Items: []Item{{Collect, "logs", "to see when"}, {Include, "/var/log/app.log", ""}, {Command, "lsblk -O", "which disks"}}}
}

// Each reason for which a request is not believed.
func TestOpen(t *testing.T) {
	ca, key, other := newKey(t), newKey(t), newKey(t)
	good := Trust{CA: ca.PublicKey(), Systems: []string{"array-7", "sys-1"}, Now: now}
	tests := []struct {
		name    string
		request func(*Request)
		cert    func(*ssh.Certificate)
		ca      ssh.Signer
		trust   func(*Trust)
		file    func(*file)
		want    string
	}{
		{name: "good"},
		{name: "good by id", request: func(r *Request) { r.System = "sys-1" }},
		{name: "good for one system", cert: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"other", "system:array-7"} }},
		{name: "another CA", ca: other, want: "not signed by the vendor's CA"},
		{name: "no CA known", trust: func(t *Trust) { t.CA = nil }, want: "knows no CA"},
		{name: "certificate of a host", cert: func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, want: "no certificate of an engineer"},
		{name: "certificate ended", trust: func(t *Trust) { t.Now = now.Add(13 * time.Hour) }, want: "does not hold"},
		{name: "certificate not begun", trust: func(t *Trust) { t.Now = now.Add(-2 * time.Hour) }, want: "does not hold"},
		{name: "certificate for another system", cert: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"system:array-8"} }, want: "other systems"},
		{name: "certificate without principals", cert: func(c *ssh.Certificate) { c.ValidPrincipals = nil }, want: "other systems"},
		{name: "certificate revoked", trust: func(t *Trust) { t.Revoked = func(c *ssh.Certificate) bool { return c.KeyId == "ada" } }, want: "was revoked by the vendor"},
		{name: "another revoked", trust: func(t *Trust) { t.Revoked = func(c *ssh.Certificate) bool { return c.KeyId == "bob" } }},
		{name: "critical options", cert: func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"force-command": "x"} }, want: "critical options"},
		{name: "a name that turns the line", cert: func(c *ssh.Certificate) { c.KeyId = "ada\u202e" }, want: "names no engineer"},
		{name: "another system", trust: func(t *Trust) { t.Systems = []string{"array-8"} }, want: "it is for array-7"},
		{name: "ended", trust: func(t *Trust) { t.Now = now.Add(7 * time.Hour) }, want: "it ended"},
		{name: "from the future", request: func(r *Request) { r.Created = now.Add(time.Hour) }, want: "future"},
		{name: "changed", file: func(f *file) { f.Request = strings.Replace(f.Request, "lsblk -O", "lsblk -l", 1) }, want: "signature"},
		{name: "signed by another", file: func(f *file) {
			sig, _ := identity.Sign(other, Namespace, strings.NewReader(f.Request))
			f.Signature = string(sig)
		}, want: "signed by key"},
		{name: "signed for another purpose", file: func(f *file) {
			sig, _ := identity.Sign(key, identity.NamespaceRSS, strings.NewReader(f.Request))
			f.Signature = string(sig)
		}, want: "signed for"},
		{name: "the bare CA as certificate", file: func(f *file) { f.Certificate = identity.FormatKey(ca.PublicKey()) }, want: "no certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := sample()
			if tt.request != nil {
				tt.request(&r)
			}
			by := ca
			if tt.ca != nil {
				by = tt.ca
			}
			data, _, err := Sign(key, certify(t, by, key, tt.cert), r)
			if err != nil {
				t.Fatal(err)
			}
			if tt.file != nil {
				var f file
				if err := json.Unmarshal(data, &f); err != nil {
					t.Fatal(err)
				}
				tt.file(&f)
				if data, err = encode(f); err != nil {
					t.Fatal(err)
				}
			}
			trust := good
			if tt.trust != nil {
				tt.trust(&trust)
			}
			s, err := Open(data, trust)
			var no *Error
			switch {
			case tt.want == "" && (err != nil || s.Engineer != "ada" || len(s.Items) != 3):
				t.Errorf("Open = %+v, %v", s, err)
			case tt.want != "" && (!errors.As(err, &no) || no.ExitCode() != 4 || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("Open = %v, want %q", err, tt.want)
			}
		})
	}
}

// A request that could not be shown, or done, is not signed, and a signed one
// is not opened.
func TestCheck(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"no items":             func(r *Request) { r.Items = nil },
		"no reason":            func(r *Request) { r.Reason = " " },
		"no system":            func(r *Request) { r.System = "" },
		"a control character":  func(r *Request) { r.Items[2].Value = "lsblk\x1b[2K" },
		"another direction":    func(r *Request) { r.Items[2].Value = "lsblk \u202eO-" },
		"an invisible one":     func(r *Request) { r.Items[1].Value = "/var/log/a\u200bpp.log" },
		"a relative path":      func(r *Request) { r.Items[1].Value = "var/log" },
		"a path that climbs":   func(r *Request) { r.Items[1].Value = "/var/log/../../etc/shadow" },
		"a collector's path":   func(r *Request) { r.Items[0].Value = "../logs" },
		"an unknown kind":      func(r *Request) { r.Items[0].Kind = "upload" },
		"an empty command":     func(r *Request) { r.Items[2].Value = " " },
		"twice":                func(r *Request) { r.Items = append(r.Items, r.Items[0]) },
		"too long":             func(r *Request) { r.Expires = now.Add(32 * 24 * time.Hour) },
		"over before it began": func(r *Request) { r.Expires = now },
		"too much":             func(r *Request) { r.Reason = strings.Repeat("x", maxText+1) },
		"a negative age":       func(r *Request) { r.SinceS = -1 },
	} {
		r := sample()
		change(&r)
		key := newKey(t)
		cert := certify(t, newKey(t), key, func(c *ssh.Certificate) { c.ValidBefore = ssh.CertTimeInfinity })
		if _, _, err := Sign(key, cert, r); err == nil {
			t.Errorf("%s: it was signed", name)
		}
	}
}

// A request ends with the certificate that it is signed with.
func TestEndsWithTheCertificate(t *testing.T) {
	key := newKey(t)
	r := sample()
	r.Expires = now.Add(20 * time.Hour)
	_, got, err := Sign(key, certify(t, newKey(t), key, nil), r)
	if err != nil || !got.Expires.Equal(now.Add(12*time.Hour)) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLedger(t *testing.T) {
	l := Ledger{Dir: filepath.Join(t.TempDir(), "requests")}
	if err := l.Check("req-1"); err != nil {
		t.Fatal(err)
	}
	a := Answer{ID: "req-1", Engineer: "ada", Bundle: "b-1", At: now}
	if err := l.Answer(a); err != nil {
		t.Fatal(err)
	}
	var again *AnsweredError
	if err := l.Answer(a); !errors.As(err, &again) || again.Answer.Bundle != "b-1" {
		t.Errorf("answered twice: %v", err)
	}
	if err := l.Check("req-1"); !errors.As(err, &again) {
		t.Errorf("got %v", err)
	}
	// A torn record still counts.
	os.WriteFile(l.path("req-2"), nil, 0o600)
	if err := l.Check("req-2"); !errors.As(err, &again) {
		t.Errorf("got %v", err)
	}
}

// Stock OpenSSH checks the signature.
func TestSSHKeygenVerifies(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen (openssh-client) is not installed")
	}
	key := newKey(t)
	data, _, err := Sign(key, certify(t, newKey(t), key, nil), sample())
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "allowed"), []byte("ada "+identity.FormatKey(key.PublicKey())+"\n"), 0o600)
	os.WriteFile(filepath.Join(dir, "sig"), []byte(f.Signature), 0o600)
	cmd := exec.Command(keygen, "-Y", "verify", "-f", filepath.Join(dir, "allowed"), "-I", "ada", "-n", Namespace, "-s", filepath.Join(dir, "sig"))
	cmd.Stdin = strings.NewReader(f.Request)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzOpen(f *testing.F) {
	ca, key := newKey(f), newKey(f)
	data, _, err := Sign(key, certify(f, ca, key, nil), sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"request":"{}","signature":"","certificate":""}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := Open(in, Trust{CA: ca.PublicKey(), Systems: []string{"array-7"}, Now: now})
		if err == nil && !bytes.Contains(in, []byte(s.ID)) {
			t.Errorf("an id from nowhere: %s", s.ID)
		}
	})
}
