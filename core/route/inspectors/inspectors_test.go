package inspectors

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/paths"
)

func certificate(t *testing.T, ca bool) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "corp inspection"}, NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestPool(t *testing.T) {
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if pool, err := Pool(root); pool != nil || err != nil {
		t.Errorf("none: %v, %v", pool, err)
	}
	if err := os.MkdirAll(Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	if pool, err := Pool(root); pool != nil || err != nil {
		t.Errorf("an empty directory: %v, %v", pool, err)
	}
	file := filepath.Join(Dir(root), "corp.pem")
	for _, tt := range []struct{ name, text, want string }{
		{"one", string(certificate(t, true)), ""},
		{"two", string(certificate(t, true)) + string(certificate(t, true)), ""},
		{"no authority", string(certificate(t, false)), "is no authority"},
		{"no PEM", "hello", "openssl x509 -inform der"},
		{"a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "only certificates belong here"},
		{"damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x509"},
	} {
		if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		pool, err := Pool(root)
		if tt.want == "" && (pool == nil || err != nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
