package cert

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
	path   string
	names  []string // under which the pages are reached, for a certificate that is made
	now    func() time.Time
	system func() []string // the names of the machine, for one that is uploaded

	mu     sync.Mutex
	loaded *loaded
	print  string // what the file looked like
}

// loaded is a certificate as it is served.
type loaded struct {
	*tls.Certificate
	chosen bool // somebody chose it
}

// Open returns the certificate in dir. names are those under which the pages are
// reached: host names and addresses.
func Open(dir string, names []string) *Store {
	return &Store{path: filepath.Join(dir, "web.pem"), names: names, now: time.Now, system: SystemNames}
}

// Path is the file.
func (s *Store) Path() string { return s.path }

// Get is for tls.Config.GetCertificate: a file that was replaced counts from the
// next connection on.
func (s *Store) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.loaded != nil && s.look() == s.print && !s.loaded.due(now) {
		return s.loaded.Certificate, nil
	}
	c, err := s.load()
	if errors.Is(err, fs.ErrNotExist) || err == nil && c.due(now) {
		c, err = s.renew(now)
	}
	if err != nil {
		if s.loaded != nil {
			return s.loaded.Certificate, nil // what is there goes on serving (REQ D4)
		}
		return nil, err
	}
	s.loaded, s.print = c, s.look()
	return c.Certificate, nil
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

// Info is the certificate that is there.
type Info struct {
	*x509.Certificate
	Chain   int    // certificates above it that are served too
	Kind    string // of its key, see KeyTypes
	Renewed bool   // it is replaced by itself before it ends
}

// Info reads the certificate that is there, and makes none.
func (s *Store) Info() (Info, error) {
	c, err := s.load()
	if err != nil {
		return Info{}, err
	}
	kind, err := keyName(c.Leaf.PublicKey)
	if err != nil { // somebody put it there by hand
		kind = c.Leaf.PublicKeyAlgorithm.String()
	}
	return Info{c.Leaf, len(c.Certificate.Certificate) - 1, kind, c.ours()}, nil
}

// Names are those for which it is good.
func (i Info) Names() []string {
	all, _ := names(i.Certificate)
	return all
}

// SelfSigned reports whether nobody else vouches for it.
func SelfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// Warning is how long before its end somebody is told.
const Warning = 30 * 24 * time.Hour

// Ending says that the certificate ends soon, or has ended; "" otherwise, and
// where it is replaced by itself.
func (i Info) Ending(now time.Time) string {
	left := i.NotAfter.Sub(now)
	switch {
	case i.Renewed || left > Warning:
		return ""
	case left <= 0:
		return "the certificate of the web pages expired on " + i.NotAfter.Local().Format("2006-01-02")
	case left < 48*time.Hour:
		return "the certificate of the web pages ends at " + i.NotAfter.Local().Format("2006-01-02 15:04 MST")
	}
	return fmt.Sprintf("the certificate of the web pages ends in %d days, on %s", int(left/(24*time.Hour)), i.NotAfter.Local().Format("2006-01-02"))
}

// ours reports whether a certificate was made here by itself.
func (c *loaded) ours() bool {
	o := c.Leaf.Subject.Organization
	return !c.chosen && len(o) == 1 && o[0] == organization && SelfSigned(c.Leaf)
}

// due reports whether a certificate of ours is to be replaced.
func (c *loaded) due(now time.Time) bool {
	return c.ours() && (c.Leaf.NotAfter.Sub(now) < renewal || c.Leaf.NotBefore.After(now.Add(24*time.Hour)))
}

func (s *Store) look() string {
	info, err := os.Stat(s.path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

func (s *Store) load() (*loaded, error) {
	_, b, err := private(s.path)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	c, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, fmt.Errorf("%s holds no certificate with its key: %w", s.path, err)
	}
	return &loaded{&c, bytes.HasPrefix(b, []byte(chosen))}, nil
}

// private reads a file that holds a key.
func private(path string) (fs.FileInfo, []byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate of the web pages: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate of the web pages: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s holds a private key and can be read by others; run: chmod 600 %s", path, path)
	}
	if info.Size() > 4*MaxUpload {
		return nil, nil, fmt.Errorf("%s is larger than any certificate", path)
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		clear(b)
		return nil, nil, fmt.Errorf("read the certificate of the web pages: %w", err)
	}
	return info, b, nil
}

// renew makes a certificate of ours, unless somebody has chosen one meanwhile.
func (s *Store) renew(now time.Time) (*loaded, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if c, err := s.load(); err == nil && !c.due(now) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	if err := s.make(now); err != nil {
		return nil, err
	}
	return s.load()
}

// make makes a self-signed certificate of ours.
func (s *Store) make(now time.Time) error {
	key, err := makeKey("p256")
	if err != nil {
		return err
	}
	f := filled{name: pkix.Name{Organization: []string{organization}, CommonName: "localhost"}}
	for _, n := range s.names {
		if ip := net.ParseIP(n); ip != nil {
			f.ips = append(f.ips, ip)
		} else if n != "" {
			f.dns = append(f.dns, n)
		}
	}
	if len(f.dns) > 0 {
		f.name.CommonName = f.dns[0]
	}
	c, err := selfSigned(f, key, now, life)
	if err != nil {
		return err
	}
	out, err := appendKey(nil, key)
	defer func() { clear(out) }()
	if err != nil {
		return err
	}
	out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	return durable.WriteFile(s.path, out)
}

func selfSigned(f filled, key crypto.Signer, now time.Time, length time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the web pages: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: f.name, DNSNames: f.dns, IPAddresses: f.ips,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(length), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the web pages: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the web pages: %w", err)
	}
	return c, nil
}
