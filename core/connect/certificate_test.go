package connect

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
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

func TestCheckCertificate(t *testing.T) {
	ca, other, key := newKey(t), newKey(t), newKey(t)
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	request := CertificateRequest{Key: key.PublicKey(), Name: "ada", Valid: time.Hour, Now: now}
	only := request
	only.Systems = []string{"array-7"}
	byID := request
	byID.Systems = []string{"sys-0123456789abcdef"}
	tests := []struct {
		name    string
		ca      ssh.Signer
		request CertificateRequest
		change  func(*ssh.Certificate)
		at      time.Time
		want    string // "" for good
	}{
		{name: "every system", ca: ca, request: request},
		{name: "by name", ca: ca, request: only},
		{name: "by id", ca: ca, request: byID},
		{name: "the clock of the other side is behind", ca: ca, request: request, at: now.Add(-4 * time.Minute)},
		{name: "ended", ca: ca, request: request, at: now.Add(time.Hour), want: "ended at"},
		{name: "not begun", ca: ca, request: request, at: now.Add(-6 * time.Minute), want: "begins only at"},
		{name: "another CA", ca: other, request: request, want: "the vendor's support CA is"},
		{name: "another system", ca: ca, request: CertificateRequest{Key: key.PublicKey(), Name: "ada", Valid: time.Hour, Now: now, Systems: []string{"array-8"}}, want: "good for system:array-8"},
		{name: "a host's", ca: ca, request: request, change: func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, want: "not of a user"},
		{name: "no principals", ca: ca, request: request, change: func(c *ssh.Certificate) { c.ValidPrincipals = nil }, want: "names no principal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Certify(tt.ca, tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				tt.change(c)
			}
			if tt.at.IsZero() {
				tt.at = now
			}
			c, err = ParseCertificate(ssh.MarshalAuthorizedKey(c))
			if err != nil {
				t.Fatal(err)
			}
			err = CheckCertificate(c, ca.PublicKey(), "sys-0123456789abcdef", "array-7", tt.at)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("CheckCertificate = %v; want %q", err, tt.want)
			}
		})
	}
}

func TestCertifyRefuses(t *testing.T) {
	ca, key := newKey(t), newKey(t)
	cert, err := Certify(ca, CertificateRequest{Key: key.PublicKey(), Name: "ada", Valid: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]CertificateRequest{
		"no name": {Key: key.PublicKey(), Valid: time.Hour}, "no time": {Key: key.PublicKey(), Name: "ada"}, "a certificate": {Key: cert, Name: "ada", Valid: time.Hour},
	} {
		if _, err := Certify(ca, r); err == nil {
			t.Errorf("%s: a certificate was made", name)
		}
	}
	if _, err := ParseCertificate(ssh.MarshalAuthorizedKey(key.PublicKey())); err == nil || !strings.Contains(err.Error(), "KEY-cert.pub") {
		t.Errorf("a key was read as a certificate: %v", err)
	}
}
