package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// Token is what an operator hands to a customer so that a system can enrol:
// once, within some days. It also says which certificate authority the relay
// must show, so that the very first contact is authenticated both ways.
type Token struct {
	RSS    string // host:port
	Pin    Pin
	Secret string // id, "-", 128 random bits; the relay stores a hash of it
}

// tokenPrefix begins the text of a token and is its format version.
const tokenPrefix = "latchstring-enrol-1"

var (
	alphabet      = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
	secretPattern = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{8}-[0-9a-hjkmnp-tv-z]{26}$`)
	bundlePattern = regexp.MustCompile(`^bdl-[0-9a-hjkmnp-tv-z]{20}$`)
)

// NewSecret makes the secret of a token.
func NewSecret() string { return random(5, 8) + "-" + random(17, 26) }

// NewBundleID makes an id of 100 random bits.
func NewBundleID() string { return "bdl-" + random(13, 20) }

// ValidBundleID reports whether s has the form of a bundle id. A valid id is
// safe as a file name.
func ValidBundleID(s string) bool { return bundlePattern.MatchString(s) }

func random(bytes, letters int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return alphabet.EncodeToString(b)[:letters]
}

// ID is the part of the secret that may be shown and logged.
func (t Token) ID() string { return TokenID(t.Secret) }

// TokenID is the id in the secret of a token, or "" where it has no such form.
func TokenID(secret string) string {
	if !secretPattern.MatchString(secret) {
		return ""
	}
	return secret[:8]
}

// HashSecret is what a relay stores. The secret has 130 random bits, so that a
// plain hash is enough.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte("latchstring enrolment secret v1\n" + secret))
	return hex.EncodeToString(sum[:])
}

// String is the text form, one line.
func (t Token) String() string {
	return strings.Join([]string{tokenPrefix, t.RSS, t.Pin.String(), t.Secret}, " ")
}

// ParseToken reads the text of a token, with white space around it.
func ParseToken(text string) (Token, error) {
	f := strings.Fields(text)
	if len(f) == 0 {
		return Token{}, errors.New("the enrolment token is empty")
	}
	if f[0] != tokenPrefix {
		if strings.HasPrefix(f[0], "latchstring-enrol-") {
			return Token{}, fmt.Errorf("the enrolment token is of format %.40q; this program reads %s", f[0], tokenPrefix)
		}
		return Token{}, fmt.Errorf("this is no enrolment token: it must begin with %s", tokenPrefix)
	}
	if len(f) != 4 {
		return Token{}, fmt.Errorf("the enrolment token has %d parts of 4: copy the whole line", len(f))
	}
	if err := CheckAddress(f[1]); err != nil {
		return Token{}, fmt.Errorf("the enrolment token: %w", err)
	}
	pin, err := ParsePin(f[2])
	if err != nil {
		return Token{}, fmt.Errorf("the enrolment token: %w", err)
	}
	if !secretPattern.MatchString(f[3]) {
		return Token{}, errors.New("the enrolment token's last part is malformed: copy the whole line")
	}
	return Token{RSS: f[1], Pin: pin, Secret: f[3]}, nil
}

// CheckAddress checks host:port.
func CheckAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return fmt.Errorf("address %q is not of the form host:port", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("address %q: port %q is no number from 1 to 65535", addr, port)
	}
	return nil
}

// WithPort adds port 443 to an address without one.
func WithPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "443")
}

// Pin is the SHA-256 of a certificate (its DER bytes).
type Pin [sha256.Size]byte

// PinOf pins cert.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.Raw) }

// String is "SHA256:" and 64 hexadecimal digits, as
// `openssl x509 -fingerprint -sha256` prints them without colons.
func (p Pin) String() string { return "SHA256:" + hex.EncodeToString(p[:]) }

// ParsePin reads the form of String; colons between digits are ignored.
func ParsePin(s string) (Pin, error) {
	digits, ok := strings.CutPrefix(s, "SHA256:")
	b, err := hex.DecodeString(strings.ToLower(strings.ReplaceAll(digits, ":", "")))
	if !ok || err != nil || len(b) != sha256.Size {
		return Pin{}, fmt.Errorf("%.100q is no certificate pin: SHA256: and 64 hexadecimal digits", s)
	}
	return Pin(b), nil
}
