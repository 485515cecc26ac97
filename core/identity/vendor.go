package identity

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// Vendor is what a system knows about its vendor. Enrolment writes it; all of
// it came over a connection that was checked against the pin in the token.
type Vendor struct {
	Version    int       `json:"v"`
	Name       string    `json:"name"`                 // for people: "Infinidat Support"
	RSS        string    `json:"rss"`                  // host:port of the relay
	CACert     string    `json:"ca_cert"`              // PEM: what the relay's certificate must chain to
	Recipients []string  `json:"recipients"`           // age recipients that bundles are encrypted to
	ReceiptKey string    `json:"receipt_key"`          // authorized_keys line: signs receipts
	SupportCA  string    `json:"support_ca,omitempty"` // authorized_keys line: signs engineers' certificates
	System     string    `json:"system"`               // the name under which the vendor knows this system
	EnrolledAt time.Time `json:"enrolled_at"`
}

// ErrNotEnrolled is returned while there is no vendor record.
var ErrNotEnrolled = errors.New("this system is not enrolled with a vendor; get a token from support and run: remote-support enroll --token-file FILE")

// ErrOtherVendor is returned when a record of another vendor is in place.
var ErrOtherVendor = errors.New("this system is enrolled with another vendor or relay")

func (s *System) vendorPath() string { return filepath.Join(s.dir, "vendor.json") }

// Vendor returns the pinned record, or [ErrNotEnrolled].
func (s *System) Vendor() (Vendor, error) {
	b, err := os.ReadFile(s.vendorPath())
	if errors.Is(err, fs.ErrNotExist) {
		return Vendor{}, ErrNotEnrolled
	}
	if err != nil {
		return Vendor{}, fmt.Errorf("read vendor record: %w", err)
	}
	var v Vendor
	if err := json.Unmarshal(b, &v); err != nil {
		return Vendor{}, fmt.Errorf("read vendor record %s: %w", s.vendorPath(), err)
	}
	if err := v.Check(); err != nil {
		return Vendor{}, fmt.Errorf("read vendor record %s: %w", s.vendorPath(), err)
	}
	if s.SupportForgotten() {
		v.SupportCA = ""
	}
	return v, nil
}

// Pin writes the record. A record with other keys or another relay is replaced
// only when replace is set: that is a decision of the administrator.
func (s *System) Pin(v Vendor, replace bool) error {
	v.Version = 1
	if s.SupportForgotten() {
		v.SupportCA = ""
	}
	if err := v.Check(); err != nil {
		return fmt.Errorf("pin vendor: %w", err)
	}
	old, err := s.Vendor()
	switch {
	case errors.Is(err, ErrNotEnrolled):
	case err != nil && !replace:
		return err
	case err == nil && !replace && !old.same(v):
		return fmt.Errorf("%w: %s at %s", ErrOtherVendor, old.Name, old.RSS)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode vendor record: %w", err)
	}
	return durable.WriteFile(s.vendorPath(), append(b, '\n'))
}

// same compares what is trusted, not when or under which name.
func (v Vendor) same(o Vendor) bool {
	v.EnrolledAt, o.EnrolledAt = time.Time{}, time.Time{}
	v.System, o.System = "", ""
	return reflect.DeepEqual(v, o)
}

// Check reports the first thing that makes the record unusable.
func (v Vendor) Check() error {
	switch {
	case v.Version != 1:
		return fmt.Errorf("version %d; this program reads version 1", v.Version)
	case v.RSS == "":
		return errors.New("no relay address")
	case len(v.Recipients) == 0:
		return errors.New("no recipient for bundles")
	}
	if _, err := v.Pool(); err != nil {
		return err
	}
	if _, err := v.ReceiptPublicKey(); err != nil {
		return fmt.Errorf("receipt key: %w", err)
	}
	if v.SupportCA != "" {
		if _, err := ParseKey(v.SupportCA); err != nil {
			return fmt.Errorf("support CA: %w", err)
		}
	}
	return nil
}

// Pool is the set of roots that the relay's certificate must chain to.
func (v Vendor) Pool() (*x509.CertPool, error) {
	cert, err := v.CA()
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool, nil
}

// CA parses the pinned certificate.
func (v Vendor) CA() (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(v.CACert))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the CA certificate is not in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the CA certificate: %w", err)
	}
	return cert, nil
}

// ReceiptPublicKey parses the key that signs receipts.
func (v Vendor) ReceiptPublicKey() (ssh.PublicKey, error) { return ParseKey(v.ReceiptKey) }
