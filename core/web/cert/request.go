package cert

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// The names under which a request and its key are given to people.
const (
	RequestFile = "infinibox_sa_csr.pem"
	KeyFile     = "infinibox_sa_private_key.key"
)

// Request is a certificate signing request that waits for its certificate.
type Request struct {
	Made time.Time
	CSR  *x509.CertificateRequest
	Kind string // of the key, see KeyTypes
	key  crypto.Signer
}

// PEM is the request as it is sent to a certificate authority.
func (r *Request) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: r.CSR.Raw})
}

// KeyPEM is the private key, in PKCS #8. It is the caller's to clear.
func (r *Request) KeyPEM() ([]byte, error) { return appendKey(nil, r.key) }

// Names are the alternative names that are asked for.
func (r *Request) Names() []string {
	out := append([]string(nil), r.CSR.DNSNames...)
	for _, ip := range r.CSR.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// Request makes a key and a request for a certificate, in the place of one that
// waits. record is called before it counts; its error prevents it.
func (s *Store) Request(subject Subject, record func(*Request) error) (*Request, error) {
	f, err := subject.check()
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := makeKey(f.kind)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: f.name, DNSNames: f.dns, IPAddresses: f.ips}, key)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	r := &Request{Made: s.now(), Kind: f.kind, key: key}
	if r.CSR, err = x509.ParseCertificateRequest(der); err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if err := record(r); err != nil {
		return nil, err
	}
	text, err := appendKey(nil, key)
	defer func() { clear(text) }()
	if err != nil {
		return nil, err
	}
	text = append(text, r.PEM()...)
	return r, durable.WriteFile(s.requestPath(), text)
}

// Waiting is the request that waits; fs.ErrNotExist if there is none.
func (s *Store) Waiting() (*Request, error) { return s.waiting() }

func (s *Store) waiting() (*Request, error) {
	info, b, err := private(s.requestPath())
	if err != nil {
		return nil, err
	}
	defer clear(b)
	r := &Request{Made: info.ModTime()}
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "PRIVATE KEY":
			r.key, err = parseKey(block.Bytes)
			clear(block.Bytes)
		case "CERTIFICATE REQUEST":
			r.CSR, err = x509.ParseCertificateRequest(bytes.Clone(block.Bytes))
		}
		if err != nil {
			return nil, fmt.Errorf("%s, the request that waits: %w", s.requestPath(), err)
		}
	}
	if r.key == nil || r.CSR == nil || !samePublic(r.key.Public(), r.CSR.PublicKey) {
		return nil, fmt.Errorf("%s holds no request with its key; make another one", s.requestPath())
	}
	r.Kind, err = keyName(r.CSR.PublicKey)
	return r, err
}

func (s *Store) forgetRequest() error {
	if err := os.Remove(s.requestPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the request that was answered: %w", err)
	}
	return durable.SyncDir(filepath.Dir(s.path))
}

func (s *Store) requestPath() string { return filepath.Join(filepath.Dir(s.path), "request.pem") }
