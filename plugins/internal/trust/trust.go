// Package trust says which certificate a login, or a sink of events, believes: that of a pin, those
// of an authority of the customer's own, or those of the machine's.
package trust

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Words for the audit log on how the far end proves itself.
const (
	Pinned = "pinned"
	Own    = "own authority"
	System = "system authorities"
)

// ParsePin reads the SHA-256 of a certificate: SHA256:base64, or hexadecimal
// with or without colons.
func ParsePin(s string) ([]byte, error) {
	var b []byte
	var err error
	if rest, ok := strings.CutPrefix(s, "SHA256:"); ok {
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "="))
	} else {
		b, err = hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	}
	if err != nil || len(b) != sha256.Size {
		return nil, fmt.Errorf("write it as SHA256:base64 or as %d hexadecimal digits", 2*sha256.Size)
	}
	return b, nil
}

// ShowPin writes a certificate's SHA-256 as it is configured.
func ShowPin(sum [sha256.Size]byte) string {
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// CheckCA reports PEM text without a certificate.
func CheckCA(pem string) error {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return errors.New("there is no certificate in PEM form in it")
	}
	return nil
}

// WrongCertificate is a certificate that is not the pinned one.
type WrongCertificate struct{ Shown string }

func (e *WrongCertificate) Error() string {
	return "its certificate is not the pinned one but " + e.Shown
}

// Config makes the configuration of connections, and the word for the audit
// log. A pin takes the place of the chain, an authority that of the machine's.
// Both have passed their checks above.
func Config(pin, ca string) (*tls.Config, string) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case pin != "":
		want, err := ParsePin(pin)
		c.InsecureSkipVerify = true // the check below decides
		c.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if err != nil || subtle.ConstantTimeCompare(sum[:], want) != 1 {
				return &WrongCertificate{ShowPin(sum)}
			}
			return nil
		}
		return c, Pinned
	case ca != "":
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM([]byte(ca))
		return c, Own
	}
	return c, System
}

// IsCertificate reports whether a connection failed for the certificate of the
// far end.
func IsCertificate(err error) bool {
	return errors.As(err, new(*WrongCertificate)) || errors.As(err, new(*tls.CertificateVerificationError))
}
