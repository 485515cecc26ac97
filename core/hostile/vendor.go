package hostile

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// vendor holds every key that there is at a vendor. The relay has those of TLS
// and of the receipts; supportCA is not its own, and no case gives it to it.
type vendor struct {
	ca        *x509.Certificate
	tls       tls.Certificate
	receipt   ssh.Signer
	supportCA ssh.Signer
	record    identity.Vendor // for systems to pin, without their name
}

func newVendor(address string) (*vendor, error) {
	v := &vendor{}
	var err error
	if v.ca, v.tls, err = newAuthority("Test Vendor"); err != nil {
		return nil, err
	}
	if v.receipt, err = newKey(); err != nil {
		return nil, err
	}
	if v.supportCA, err = newKey(); err != nil {
		return nil, err
	}
	reader, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make a recipient: %w", err)
	}
	v.record = identity.Vendor{
		Version: 1, Name: "Test Vendor", RSS: address, CACert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.ca.Raw})),
		Recipients: []string{reader.Recipient().String()}, ReceiptKey: identity.FormatKey(v.receipt.PublicKey()),
		SupportCA: identity.FormatKey(v.supportCA.PublicKey()), EnrolledAt: time.Now().UTC().Truncate(time.Second),
	}
	return v, nil
}

func (v *vendor) pin() api.Pin { return api.PinOf(v.ca) }

func newKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return ssh.NewSignerFromKey(key)
}

// newAuthority makes a CA, and a certificate of it for 127.0.0.1.
func newAuthority(name string) (*x509.Certificate, tls.Certificate, error) {
	ca, caKey, err := newCertificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	leaf, key, err := newCertificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	return ca, tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func newCertificate(c, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, nil, fmt.Errorf("make a serial number: %w", err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	c, err = x509.ParseCertificate(der)
	return c, key, err
}
