package code

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Why a response is refused. They are wrapped with more about it.
var (
	ErrOther   = errors.New("the response was made for another challenge or another system")
	ErrForged  = errors.New("the signature does not hold")
	ErrUnknown = errors.New("the response is signed by a key that is not trusted here")
	ErrRevoked = errors.New("the key that signed the response is revoked")
	ErrKeyTime = errors.New("the key that signed the response is not valid now")
	ErrExpired = errors.New("the response is no longer valid")
)

// Keys are the vendor's public keys.
type Keys struct{ list []vendorKey }

type vendorKey struct {
	name        string
	key         ssh.PublicKey
	from, until time.Time
	revoked     bool
}

func keyID(key ssh.PublicKey) [4]byte {
	sum := sha256.Sum256(key.Marshal())
	return [4]byte(sum[:4])
}

// ParseKeys reads the vendor's keys, a line each in the form of ssh-keygen's
// allowed_signers files:
//
//	NAME [valid-after="20260101Z",valid-before="20280101Z"] ssh-ed25519 AAAA... comment
//	@revoked ssh-ed25519 AAAA... why
//
// A revoked key stays revoked wherever else it is listed.
func ParseKeys(text string) (*Keys, error) {
	k := new(Keys)
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		one, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		k.list = append(k.list, one)
	}
	if len(k.list) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return k, nil
}

func parseKey(line string) (v vendorKey, err error) {
	name, rest, ok := strings.Cut(line, " ")
	if !ok || strings.HasPrefix(name, "ssh-") || strings.HasPrefix(name, "sk-") || name[0] == '@' && name != "@revoked" {
		return v, errors.New("it is written NAME [OPTIONS] KEYTYPE KEY or @revoked KEYTYPE KEY")
	}
	key, _, options, trailing, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil || len(trailing) > 0 {
		return v, errors.New("this is no public key")
	}
	if _, err := kindOf(key); err != nil {
		return v, err
	}
	v = vendorKey{name: name, key: key, revoked: name == "@revoked"}
	for _, o := range options {
		option, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(option) {
		case "valid-after":
			v.from, err = keyTime(value)
		case "valid-before":
			v.until, err = keyTime(value)
		default:
			return v, fmt.Errorf("the option %q is not known", option)
		}
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

// keyTime reads YYYYMMDD[HHMM[SS]] and takes it as UTC, with and without Z.
func keyTime(s string) (time.Time, error) {
	digits := strings.TrimSuffix(s, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) == len(layout) {
			if t, err := time.Parse(layout, digits); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; it is written YYYYMMDD[HHMM[SS]][Z]", s)
}

// Signer is who signed a response.
type Signer struct {
	Name        string // as the list of keys has it
	Fingerprint string // of the key
}

// Verify checks that a response answers c, by a key that is trusted at the time
// now, and that it is still good elapsed after c was issued. Every error but nil
// refuses.
func (k *Keys) Verify(c Challenge, r *Response, now time.Time, elapsed time.Duration) (Signer, error) {
	if r.challenge != c.hash() {
		return Signer{}, ErrOther
	}
	err := ErrUnknown
	for _, v := range k.list {
		kind, _ := kindOf(v.key)
		if v.revoked || keyID(v.key) != r.key || kind != r.kind {
			continue
		}
		sig := &sshsig.Signature{Version: 1, PublicKey: v.key, Namespace: Namespace, HashAlgorithm: sshsig.HashSHA512,
			Signature: &ssh.Signature{Format: v.key.Type(), Blob: r.signature[:64], Rest: r.signature[64:]}}
		// A security key signs without a touch only if it was told to: flag 1.
		untouched := kind == securityKey && r.signature[64]&1 == 0
		if untouched || sshsig.Verify(r.message(c), sig, v.key, sshsig.HashSHA512, Namespace) != nil {
			if err == ErrUnknown {
				err = ErrForged
			}
			continue
		}
		if why := k.refuse(v, now); why != nil {
			err = why
			continue
		}
		if elapsed < 0 || elapsed >= r.Valid {
			return Signer{}, fmt.Errorf("%w: it was good for %s after the challenge was made", ErrExpired, r.Valid)
		}
		return Signer{v.name, ssh.FingerprintSHA256(v.key)}, nil
	}
	return Signer{}, err
}

// refuse says why a key that did sign does not count.
func (k *Keys) refuse(v vendorKey, now time.Time) error {
	for _, other := range k.list {
		if other.revoked && bytes.Equal(other.key.Marshal(), v.key.Marshal()) {
			return fmt.Errorf("%w (%s)", ErrRevoked, v.name)
		}
	}
	clock := now.UTC().Format(time.RFC3339)
	switch {
	case !v.from.IsZero() && now.Before(v.from):
		return fmt.Errorf("%w: %s is valid from %s, and the clock here says %s", ErrKeyTime, v.name, v.from.Format(time.RFC3339), clock)
	case !v.until.IsZero() && !now.Before(v.until):
		return fmt.Errorf("%w: %s was valid until %s, and the clock here says %s", ErrKeyTime, v.name, v.until.Format(time.RFC3339), clock)
	}
	return nil
}
