package config

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// ErrSecret is returned by everything that would write a Secret out.
var ErrSecret = errors.New("a secret is not to be marshalled; use Reveal where it is needed")

// redacted is what a Secret looks like to people.
const redacted = "[secret]"

// Secret is a value that must not be seen: a password, a token, a key. It does
// not print (every verb of fmt, slog, String), does not marshal (JSON, text,
// binary, gob) and cannot be compared with ==. It is read from JSON and text.
//
// Copies of a Secret share the value: Zero on one of them wipes all.
type Secret struct {
	// The value hides in a function: what looks into a struct by
	// reflection, as fmt does with unexported fields, follows pointers and
	// finds bytes, but sees only the address of a function. It also makes
	// a Secret not comparable: == leaks timing.
	get func() *value
}

type value struct{ b []byte }

// NewSecret makes a Secret of s.
func NewSecret(s string) Secret { return SecretBytes([]byte(s)) }

// SecretBytes makes a Secret that takes over b.
func SecretBytes(b []byte) Secret {
	if len(b) == 0 {
		return Secret{}
	}
	v := &value{b}
	return Secret{get: func() *value { return v }}
}

// bytes returns the value itself.
func (s Secret) bytes() []byte {
	if s.get == nil {
		return nil
	}
	return s.get().b
}

// Reveal returns the value. The string is a copy that Zero does not wipe: call
// it as late as possible, and keep the result no longer than needed.
func (s Secret) Reveal() string { return string(s.bytes()) }

// Use calls f with the value itself, which f must neither keep nor change.
// Other than Reveal it leaves no copy behind.
func (s Secret) Use(f func(b []byte)) { f(s.bytes()) }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return len(s.bytes()) == 0 }

// Equal compares two secrets in a time that depends on their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.bytes(), other.bytes()) == 1
}

// Zero wipes the value, in this Secret and in all its copies.
func (s Secret) Zero() {
	if s.get == nil {
		return
	}
	v := s.get()
	clear(v.b)
	v.b = nil
}

// String returns "[secret]", or nothing when there is no value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString is String for %#v.
func (s Secret) GoString() string { return "config.Secret(" + s.String() + ")" }

// Format prints String whatever the verb: %x of a password is the password.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		io.WriteString(f, s.GoString())
		return
	}
	io.WriteString(f, s.String())
}

// LogValue is what slog logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON fails with ErrSecret.
func (s Secret) MarshalJSON() ([]byte, error) { return nil, ErrSecret }

// MarshalText fails with ErrSecret.
func (s Secret) MarshalText() ([]byte, error) { return nil, ErrSecret }

// MarshalBinary fails with ErrSecret.
func (s Secret) MarshalBinary() ([]byte, error) { return nil, ErrSecret }

// GobEncode fails with ErrSecret.
func (s Secret) GobEncode() ([]byte, error) { return nil, ErrSecret }

// UnmarshalText takes over a copy of text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// UnmarshalJSON reads a JSON string.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var v string
	if err := json.Unmarshal(data, &v); err != nil {
		return errors.New("want a string") // not err: it may quote the value
	}
	*s = NewSecret(v)
	return nil
}
