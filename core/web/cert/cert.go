package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// A certificate that is made here is good for so long, and is replaced when less
// than renewal is left.
const (
	life    = 365 * 24 * time.Hour
	renewal = 30 * 24 * time.Hour
)

// organization marks what was made here, and may be replaced here.
const organization = "Latchstring self-signed"

// Store is the certificate in a directory. It is safe for concurrent use.
type Store struct {
	path  string
	names []string // of the machine, for a certificate that is made
	now   func() time.Time

	mu     sync.Mutex
	loaded *tls.Certificate
	print  string // what the file looked like
}

// Open returns the certificate in dir. names are those under which the pages are
// reached: host names and addresses.
func Open(dir string, names []string) *Store {
	return &Store{path: filepath.Join(dir, "web.pem"), names: names, now: time.Now}
}

// Path is the file.
func (s *Store) Path() string { return s.path }

// Get is for tls.Config.GetCertificate: a file that was replaced counts from the
// next connection on.
func (s *Store) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.loaded != nil && s.look() == s.print && !s.due(s.loaded.Leaf, now) {
		return s.loaded, nil
	}
	c, err := s.load()
	if errors.Is(err, fs.ErrNotExist) || err == nil && s.due(c.Leaf, now) {
		if err = s.make(now); err == nil {
			c, err = s.load()
		}
	}
	if err != nil {
		if s.loaded != nil {
			return s.loaded, nil // what is there goes on serving (REQ D4)
		}
		return nil, err
	}
	s.loaded, s.print = c, s.look()
	return c, nil
}

// Fingerprint is the SHA-256 of the certificate, to compare with what a browser
// warns of.
func (s *Store) Fingerprint() (string, error) {
	c, err := s.Get(nil)
	if err != nil {
		return "", err
	}
	return Fingerprint(c.Leaf), nil
}

// Fingerprint is the SHA-256 of a certificate, as text.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:])
}

// Leaf reads the certificate that is there, and makes none.
func (s *Store) Leaf() (*x509.Certificate, error) {
	c, err := s.load()
	if err != nil {
		return nil, err
	}
	return c.Leaf, nil
}

// due reports whether a certificate of ours is to be replaced.
func (s *Store) due(leaf *x509.Certificate, now time.Time) bool {
	ours := len(leaf.Subject.Organization) == 1 && leaf.Subject.Organization[0] == organization
	return ours && (leaf.NotAfter.Sub(now) < renewal || leaf.NotBefore.After(now.Add(24*time.Hour)))
}

func (s *Store) look() string {
	info, err := os.Stat(s.path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

func (s *Store) load() (*tls.Certificate, error) {
	info, err := os.Lstat(s.path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the web pages: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s holds a private key and can be read by others; run: chmod 600 %s", s.path, s.path)
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the web pages: %w", err)
	}
	defer clear(b)
	c, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, fmt.Errorf("%s holds no certificate with its key: %w", s.path, err)
	}
	return &c, nil
}

// make makes a self-signed certificate.
func (s *Store) make(now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of the web pages: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("make the certificate of the web pages: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{organization}, CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range s.names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if n != "" {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	if len(t.DNSNames) > 0 {
		t.Subject.CommonName = t.DNSNames[0]
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the certificate of the web pages: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make the key of the web pages: %w", err)
	}
	out := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	defer clear(out)
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("make the directory of the certificate: %w", err)
	}
	return durable.WriteFile(s.path, out)
}
