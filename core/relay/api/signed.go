package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// LoginExporter is the label of the TLS exporter that a [SignedLogin] signs.
const LoginExporter = "EXPORTER-latchstring-login"

// LoginExporterSize is its length in bytes.
const LoginExporterSize = 32

// signedScheme begins an Authorization header that holds a SignedLogin.
const signedScheme = "Latchstring-Signed "

// maxSigned bounds such a header.
const maxSigned = 24 << 10

// SignedLogin is a login for one request, in its Authorization header. What is
// signed is the exporter of the TLS connection, which is new with each
// connection and known to its two ends only, so that no challenge is needed and
// nobody can use the signature elsewhere. Where TLS is inspected the two ends
// have different exporters, and this login does not hold.
type SignedLogin struct {
	Kind      Kind   `json:"kind"`
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"` // over ExporterStatement, in namespace latchstring-rss
}

// ExporterStatement is what is signed for a [SignedLogin]. Like
// [LoginStatement] it names the relay; the two cannot be taken for each other.
func ExporterStatement(kind Kind, rss Pin, exporter []byte) []byte {
	return fmt.Appendf(nil, "latchstring login by exporter v1\n%s\n%s\n%s\n", kind, rss, base64.StdEncoding.EncodeToString(exporter))
}

// Header is the value of the Authorization header.
func (s SignedLogin) Header() (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode login: %w", err)
	}
	return signedScheme + base64.RawURLEncoding.EncodeToString(b), nil
}

// ParseSignedLogin reads an Authorization header; ok is false where it is of
// another scheme.
func ParseSignedLogin(header string) (login SignedLogin, ok bool, err error) {
	text, ok := strings.CutPrefix(header, signedScheme)
	if !ok {
		return SignedLogin{}, false, nil
	}
	if len(text) > maxSigned {
		return SignedLogin{}, true, errors.New("the login is far too long")
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return SignedLogin{}, true, fmt.Errorf("read login: %w", err)
	}
	if err := json.Unmarshal(b, &login); err != nil {
		return SignedLogin{}, true, fmt.Errorf("read login: %w", err)
	}
	return login, true, nil
}
