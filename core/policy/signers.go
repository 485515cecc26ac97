package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Signers are those whose signature under a policy file counts. The text is in
// the form of ssh-keygen's allowed_signers file, so that anybody can check with
// `ssh-keygen -Y verify`. A first line "# version N" counts its changes.
type Signers struct {
	Version int64
	list    []signer
	text    string
}

type signer struct {
	principal   string
	key         ssh.PublicKey
	from, until time.Time
}

// ParseSigners reads a list of signers. It takes keys only, no certificate
// authorities, and the options namespaces, valid-after and valid-before.
func ParseSigners(text []byte) (*Signers, error) {
	s := &Signers{text: string(text)}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "# version "); ok && s.Version == 0 {
			n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("line %d: the version is no number from 1", i+1)
			}
			s.Version = n
		}
		if line == "" || line[0] == '#' {
			continue
		}
		one, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if one != nil {
			s.list = append(s.list, *one)
		}
	}
	return s, nil
}

// parseSigner reads one line; a key for other namespaces is left out.
func parseSigner(line string) (*signer, error) {
	principal, rest, ok := strings.Cut(line, " ")
	if !ok || strings.ContainsAny(principal, "*?!\"") {
		return nil, fmt.Errorf("it is written PRINCIPAL [OPTIONS] KEYTYPE KEY, with one name and no pattern")
	}
	key, _, options, trailing, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest)))
	if err != nil || len(bytes.TrimSpace(trailing)) > 0 {
		return nil, fmt.Errorf("this is no public key")
	}
	if _, isCert := key.(*ssh.Certificate); isCert {
		return nil, fmt.Errorf("a certificate is no key; list the key itself")
	}
	out := &signer{principal: principal, key: key}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "namespaces":
			if !slices.Contains(strings.Split(value, ","), Namespace) {
				return nil, nil
			}
		case "valid-after":
			out.from, err = signerTime(value)
		case "valid-before":
			out.until, err = signerTime(value)
		default:
			return nil, fmt.Errorf("the option %q is not supported here", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// signerTime reads YYYYMMDD[HHMM[SS]] with an optional Z, as ssh-keygen does;
// without the Z it is local time.
func signerTime(s string) (time.Time, error) {
	zone := time.Local
	if t, ok := strings.CutSuffix(s, "Z"); ok {
		s, zone = t, time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(s) == len(layout) {
			if t, err := time.ParseInLocation(layout, s, zone); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; it is written YYYYMMDD[HHMM[SS]][Z]", s)
}

// Names returns who may sign.
func (s *Signers) Names() []string {
	var out []string
	for _, one := range s.list {
		out = append(out, one.principal)
	}
	return out
}

var errNoSignature = errors.New("it is not signed")

// verify returns the principal whose signature under src holds.
func (s *Signers) verify(src, armored []byte, now time.Time) (string, error) {
	if len(armored) == 0 {
		return "", errNoSignature
	}
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return "", fmt.Errorf("its signature is malformed")
	}
	if sig.Namespace != Namespace {
		return "", fmt.Errorf("its signature was made for %q, not for %s", printable([]byte(sig.Namespace)), Namespace)
	}
	if sig.HashAlgorithm != sshsig.HashSHA512 && sig.HashAlgorithm != sshsig.HashSHA256 {
		return "", fmt.Errorf("its signature uses a hash that is not accepted")
	}
	known := false
	for _, one := range s.list {
		if !bytes.Equal(one.key.Marshal(), sig.PublicKey.Marshal()) {
			continue
		}
		known = true
		if !one.from.IsZero() && now.Before(one.from) || !one.until.IsZero() && !now.Before(one.until) {
			continue
		}
		if err := sshsig.Verify(bytes.NewReader(src), sig, one.key, sig.HashAlgorithm, Namespace); err != nil {
			return "", fmt.Errorf("it was changed after %s signed it", one.principal)
		}
		return one.principal, nil
	}
	if known {
		return "", fmt.Errorf("the key that signed it is not valid at this time")
	}
	return "", fmt.Errorf("it is signed by a key that is not trusted (%s)", ssh.FingerprintSHA256(sig.PublicKey))
}

// Describe returns a line for each signer: name, fingerprint, and from when to
// when.
func (s *Signers) Describe() []string {
	var out []string
	for _, one := range s.list {
		line := one.principal + " " + ssh.FingerprintSHA256(one.key)
		if !one.from.IsZero() {
			line += " from " + one.from.Format(time.RFC3339)
		}
		if !one.until.IsZero() {
			line += " until " + one.until.Format(time.RFC3339)
		}
		out = append(out, line)
	}
	return out
}
