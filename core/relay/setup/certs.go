package setup

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// Certificates gives the TLS server its certificate, and a new one in time:
// one of the own CA is made anew before it expires, the operator's files are
// read again when they change.
type Certificates struct {
	cfg Config
	dir string
	ca  *x509.Certificate

	mu      sync.Mutex
	own     *authority // nil with the operator's files
	current *tls.Certificate
	checked time.Time
	stamp   time.Time // of the operator's files
}

// newCertificates loads the CA, and the first certificate, so that what is
// wrong is found at start.
func newCertificates(cfg Config, dir string) (*Certificates, error) {
	c := &Certificates{cfg: cfg, dir: dir}
	var err error
	if cfg.CertFile == "" {
		if c.own, err = loadCA(dir); err != nil {
			return nil, err
		}
		c.ca = c.own.cert
	} else if c.ca, err = readCert(cfg.CAFile); err != nil {
		return nil, err
	}
	_, err = c.Get(nil)
	return c, err
}

// CA is the certificate that systems pin.
func (c *Certificates) CA() *x509.Certificate { return c.ca }

// names are what the own certificate is for.
func (c *Certificates) names() []string {
	host, _, err := net.SplitHostPort(c.cfg.Address)
	if err != nil {
		host = c.cfg.Address
	}
	names := []string{host}
	for _, n := range c.cfg.Names {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// Get is for tls.Config.GetCertificate. Once a minute it looks whether the
// certificate is to be replaced; when that fails the old one goes on.
func (c *Certificates) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil && time.Since(c.checked) < time.Minute {
		return c.current, nil
	}
	c.checked = time.Now()
	next, err := c.next()
	if err != nil && c.current == nil {
		return nil, err
	}
	if err == nil && next != nil {
		c.current = next
	}
	return c.current, nil
}

// next returns a new certificate, or nil when the present one is good.
func (c *Certificates) next() (*tls.Certificate, error) {
	if c.own != nil {
		if c.current != nil && fits(c.current.Leaf, c.names()) {
			return nil, nil
		}
		return c.ownCertificate()
	}
	fi, err := os.Stat(c.cfg.CertFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if c.current != nil && fi.ModTime().Equal(c.stamp) {
		return nil, nil
	}
	cert, err := LoadPair(c.cfg.CertFile, c.cfg.KeyFile, c.ca, c.names()[0])
	if err == nil {
		c.stamp = fi.ModTime()
	}
	return cert, err
}

// ownCertificate is the one on disk while that fits, so that customers who
// put it into a firewall see the same after a restart (REQ A16).
func (c *Certificates) ownCertificate() (*tls.Certificate, error) {
	certPath, keyPath := filepath.Join(c.dir, "server.crt"), filepath.Join(c.dir, "server.key")
	if cert, err := tls.LoadX509KeyPair(certPath, keyPath); err == nil && fits(cert.Leaf, c.names()) {
		cert.Certificate = append(cert.Certificate[:1], c.own.cert.Raw)
		return &cert, nil
	}
	cert, err := c.own.issue(c.names())
	if err != nil {
		return nil, err
	}
	if err := writeKey(keyPath, cert.PrivateKey.(*ecdsa.PrivateKey)); err != nil {
		return nil, err
	}
	return cert, durable.WriteFileMode(certPath, pemCert(cert.Leaf.Raw), 0o644)
}

// LoadPair reads the operator's certificate and checks that systems which pin
// ca will accept it for host.
func LoadPair(certFile, keyFile string, ca *x509.Certificate, host string) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s and key %s: %w", certFile, keyFile, err)
	}
	roots, chain := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(ca)
	haveCA := false
	for _, der := range cert.Certificate[1:] {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("read certificate %s: %w", certFile, err)
		}
		haveCA = haveCA || x.Equal(ca)
		chain.AddCert(x)
	}
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: chain, DNSName: host}); err != nil {
		return nil, fmt.Errorf("the certificate in %s does not hold for %s under the CA that systems pin: %w", certFile, host, err)
	}
	if !haveCA && !cert.Leaf.Equal(ca) {
		cert.Certificate = append(cert.Certificate, ca.Raw) // for enrolment by pin
	}
	return &cert, nil
}

// TLS is the configuration of the relay's listener (REQ A4).
func (c *Certificates) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.Get, NextProtos: []string{"http/1.1"}}
}
