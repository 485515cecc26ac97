package setup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/paths"
)

func root(t *testing.T) paths.Root {
	t.Helper()
	r, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInitAndLoad(t *testing.T) {
	r := root(t)
	if _, err := Load(r); !errors.Is(err, ErrNotInitialized) {
		t.Errorf("Load before Init: %v", err)
	}
	cfg, err := Init(r, Options{Name: "V", Address: "rss.example.com", Names: []string{"10.0.0.1", "rss2.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != ":443" || cfg.Address != "rss.example.com:443" {
		t.Errorf("configuration %+v", cfg)
	}
	l, err := Load(r)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := l.Certs.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rss.example.com", "rss2.example.com", "10.0.0.1"} {
		if err := leaf.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if len(leaf.Certificate) != 2 {
		t.Errorf("the chain has %d certificates; want the authority too", len(leaf.Certificate))
	}
	if v := l.Vendor("array-7"); v.Check() != nil || v.System != "array-7" {
		t.Errorf("vendor record %+v: %v", v, v.Check())
	}
	if len(l.HandOut()) != 2 {
		t.Errorf("keys to be moved: %v", l.HandOut())
	}
	for _, f := range l.HandOut() {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if l, err = Load(r); err != nil || len(l.HandOut()) != 0 {
		t.Errorf("after the keys were moved: %v, %v", l.HandOut(), err)
	}
}

// The certificate is made anew when its names change or its end is near.
func TestFits(t *testing.T) {
	names := []string{"a.example", "10.0.0.1"}
	ca := testCA(t)
	cert, err := ca.issue(names)
	if err != nil {
		t.Fatal(err)
	}
	if !fits(cert.Leaf, names) {
		t.Error("a new certificate does not fit")
	}
	if fits(cert.Leaf, []string{"b.example"}) || fits(cert.Leaf, append(names, "b.example")) {
		t.Error("it fits other names")
	}
	old := *cert.Leaf
	old.NotAfter = time.Now().Add(renewDays*24*time.Hour - time.Hour)
	if fits(&old, names) {
		t.Error("it fits although its end is near")
	}
}

func testCA(t *testing.T) *authority {
	t.Helper()
	dir := t.TempDir()
	if err := makeCA(dir, "test"); err != nil {
		t.Fatal(err)
	}
	ca, err := loadCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// operator writes a certificate as an operator would bring it.
func operator(t *testing.T, dir string, ca *authority, names ...string) {
	t.Helper()
	cert, err := ca.issue(names)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeKey(filepath.Join(dir, "key.pem"), cert.PrivateKey.(*ecdsa.PrivateKey)); err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{"cert.pem": cert.Certificate[0], "ca.pem": ca.cert.Raw} {
		if err := os.WriteFile(filepath.Join(dir, name), pemCert(der), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOperatorsCertificate(t *testing.T) {
	dir, ca := t.TempDir(), testCA(t)
	operator(t, dir, ca, "rss.example.com")
	in := func(name string) string { return filepath.Join(dir, name) }
	r := root(t)
	o := Options{Address: "rss.example.com", CertFile: in("cert.pem"), KeyFile: in("key.pem"), CAFile: in("ca.pem")}
	if _, err := Init(r, o); err != nil {
		t.Fatal(err)
	}
	l, err := Load(r)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Certs.CA().Equal(ca.cert) {
		t.Error("systems pin another authority than the operator's")
	}
	first, err := l.Certs.Get(nil)
	if err != nil || len(first.Certificate) != 2 {
		t.Fatalf("chain of %d, %v; want the authority added", len(first.Certificate), err)
	}
	// It is replaced on disk: a broken one changes nothing, a good one is used.
	l.Certs.checked = time.Time{}
	if err := os.WriteFile(in("cert.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Certs.Get(nil); err != nil || got != first {
		t.Errorf("with a broken file: %v, %v; want the old certificate", got, err)
	}
	operator(t, dir, ca, "rss.example.com")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(in("cert.pem"), later, later); err != nil {
		t.Fatal(err)
	}
	l.Certs.checked = time.Time{}
	if got, err := l.Certs.Get(nil); err != nil || got.Leaf.Equal(first.Leaf) {
		t.Errorf("with a new file: the old certificate, %v", err)
	}
}

func TestWrongCertificates(t *testing.T) {
	ca, other := testCA(t), testCA(t)
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"another name", func(t *testing.T, dir string) { operator(t, dir, ca, "b.example") }, "not rss.example.com"},
		{"another authority", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "ca.pem"), pemCert(other.cert.Raw), 0o600)
		}, "signed by unknown authority"},
		{"another key", func(t *testing.T, dir string) {
			k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			writeKey(filepath.Join(dir, "key.pem"), k)
		}, "private key does not match"},
		{"no key", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "key.pem")) }, "key.pem"},
		{"no certificate", func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600) }, "ca.pem"},
		{"expired", func(t *testing.T, dir string) {
			key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			tmpl := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "x"}, DNSNames: []string{"rss.example.com"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}
			der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, key.Public(), ca.key)
			if err != nil {
				t.Fatal(err)
			}
			writeKey(filepath.Join(dir, "key.pem"), key)
			os.WriteFile(filepath.Join(dir, "cert.pem"), pemCert(der), 0o600)
		}, "expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, r := t.TempDir(), root(t)
			operator(t, dir, ca, "rss.example.com")
			tt.spoil(t, dir)
			_, err := Init(r, Options{Address: "rss.example.com", CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), CAFile: filepath.Join(dir, "ca.pem")})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Init = %v; want an error with %q", err, tt.want)
			}
			if _, err := os.Stat(At(r).Config); err == nil {
				t.Error("the relay counts as set up")
			}
		})
	}
}

func TestBadConfig(t *testing.T) {
	r := root(t)
	if _, err := Init(r, Options{Address: "rss.example.com"}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(At(r).Config)
	if err != nil {
		t.Fatal(err)
	}
	for old, bad := range map[string]string{
		`"v": 1`: `"v": 2`, `":443"`: `"443"`, `"max_open": 4`: `"max_open": 0`, `rss.example.com:443`: `rss.example.com`, `"limits"`: `"limit"`,
	} {
		text := strings.Replace(string(good), old, bad, 1)
		if text == string(good) {
			t.Fatalf("nothing to replace for %s", old)
		}
		if err := os.WriteFile(At(r).Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(r); err == nil || !strings.Contains(err.Error(), "rss.json") {
			t.Errorf("with %s: %v; want an error that names the file", bad, err)
		}
	}
}
