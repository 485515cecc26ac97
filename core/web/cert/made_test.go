package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
	from *authority
}

func newAuthority(t *testing.T, name string, from *authority) *authority {
	t.Helper()
	a := &authority{t: t, key: newP256(t), from: from}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if from == nil {
		from = &authority{t: t, cert: tmpl, key: a.key}
	}
	a.cert = from.sign(tmpl, a.key.Public())
	return a
}

func (a *authority) sign(tmpl *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// leaf is a certificate for a server, as change has it.
func (a *authority) leaf(public crypto.PublicKey, name string, change func(*x509.Certificate)) *x509.Certificate {
	a.t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if change != nil {
		change(tmpl)
	}
	return a.sign(tmpl, public)
}

func newP256(t *testing.T) crypto.Signer { return newEC(t, elliptic.P256()) }

func newEC(t *testing.T, c elliptic.Curve) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKeys sync.Map // by their size: they take long to make

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	if k, ok := rsaKeys.Load(bits); ok {
		return k.(*rsa.PrivateKey)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	rsaKeys.Store(bits, k)
	return k
}

func newEd25519(t *testing.T) crypto.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pkcs8(t *testing.T, key crypto.Signer) string {
	t.Helper()
	b, err := appendKey(nil, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func text(certs ...*x509.Certificate) string {
	out := ""
	for _, c := range certs {
		out += block("CERTIFICATE", c.Raw)
	}
	return out
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// newStore is one of a machine called sa.example.com, with a certificate.
func newStore(t *testing.T) *Store {
	t.Helper()
	s := Open(filepath.Join(t.TempDir(), "web"), []string{"sa.example.com"})
	s.system = func() []string { return []string{"sa.example.com", "sa", "192.0.2.7"} }
	if _, err := s.Get(nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func fine(Change) error { return nil }
