package revoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

// Format is the format and version of a list, Namespace that of the signature
// under it.
const (
	Format    = "latchstring-revocations/1"
	Namespace = "latchstring-revocations"
)

// Bounds of a list: certificates end by themselves within a month, and their
// entries can be forgotten then.
const (
	MaxFile    = 48 << 10 // bytes
	maxEntries = 400
	maxReason  = 200
)

// List is what the vendor revoked.
type List struct {
	Format  string    `json:"format"`
	Number  uint64    `json:"number"` // grows with each list
	Issued  time.Time `json:"issued"`
	Revoked []Entry   `json:"revoked"`
}

// Entry is one certificate, or all of one engineer or key.
type Entry struct {
	What   string    `json:"what"`             // serial:NUMBER, name:ENGINEER or key:SHA256:…
	Since  time.Time `json:"since"`            // when it was put on the list
	Reason string    `json:"reason,omitempty"` // for people at customers
}

// Names are the words under which an entry can name a certificate.
func Names(c *ssh.Certificate) []string {
	return []string{"serial:" + strconv.FormatUint(c.Serial, 10), "name:" + c.KeyId, "key:" + ssh.FingerprintSHA256(c.Key)}
}

// Find gives the entry that names the certificate. No list names none.
func (l *List) Find(c *ssh.Certificate) (Entry, bool) {
	if l == nil {
		return Entry{}, false
	}
	names := Names(c)
	for _, e := range l.Revoked {
		if slices.Contains(names, e.What) {
			return e, true
		}
	}
	return Entry{}, false
}

// CheckWhat checks what an entry names.
func CheckWhat(what string) error {
	kind, value, _ := strings.Cut(what, ":")
	switch kind {
	case "serial":
		if n, err := strconv.ParseUint(value, 10, 64); err != nil || strconv.FormatUint(n, 10) != value {
			return fmt.Errorf("%.80q: a serial is a number, as support certify --json tells it", what)
		}
		return nil
	case "name":
		if value == "" || len(value) > 128 || !printable(value) {
			return fmt.Errorf("%.80q: that is no name of an engineer", what)
		}
		return nil
	case "key":
		if hash, ok := strings.CutPrefix(value, "SHA256:"); !ok || len(hash) != 43 || !printable(hash) {
			return fmt.Errorf("%.80q: a key is named by its fingerprint, SHA256:…, as ssh-keygen -l tells it", what)
		}
		return nil
	}
	return fmt.Errorf("%.80q names neither serial:NUMBER, name:ENGINEER nor key:SHA256:…", what)
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

func (l *List) check() error {
	switch {
	case l.Format != Format:
		return fmt.Errorf("its format is %.40q, and this program knows %q", l.Format, Format)
	case l.Number == 0:
		return errors.New("it has no number")
	case l.Issued.IsZero():
		return errors.New("it does not say when it was issued")
	case len(l.Revoked) > maxEntries:
		return fmt.Errorf("%d entries are too many (%d); forget those whose certificates have ended", len(l.Revoked), maxEntries)
	}
	for _, e := range l.Revoked {
		if err := CheckWhat(e.What); err != nil {
			return err
		}
		if len(e.Reason) > maxReason || !printable(e.Reason) {
			return fmt.Errorf("%s: the reason is longer than %d bytes, or not printable", e.What, maxReason)
		}
	}
	return nil
}

// signed is a list as it travels.
type signed struct {
	List      string `json:"list"`      // the exact bytes that are signed
	Signature string `json:"signature"` // armored
}

// Sign signs a list with the key of the support CA.
func Sign(ca ssh.Signer, l List) ([]byte, error) {
	l.Format, l.Issued = Format, l.Issued.UTC().Truncate(time.Second)
	if l.Revoked == nil {
		l.Revoked = []Entry{}
	}
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("sign list of revoked certificates: %w", err)
	}
	message, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("sign list of revoked certificates: %w", err)
	}
	sig, err := identity.Sign(ca, Namespace, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(signed{string(message), string(sig)})
	if err == nil && len(out) > MaxFile {
		err = fmt.Errorf("%d bytes are too many (%d); forget entries whose certificates have ended", len(out), MaxFile)
	}
	if err != nil {
		return nil, fmt.Errorf("sign list of revoked certificates: %w", err)
	}
	return append(out, '\n'), nil
}

// Parse reads a signed list. What was not signed by ca is an error.
func Parse(raw []byte, ca ssh.PublicKey) (*List, error) {
	l, err := parse(raw, ca)
	if err != nil {
		return nil, fmt.Errorf("list of revoked certificates: %w", err)
	}
	return l, nil
}

func parse(raw []byte, ca ssh.PublicKey) (*List, error) {
	if len(raw) > MaxFile+1 {
		return nil, fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	if ca == nil {
		return nil, errors.New("no support CA is known that could have signed it")
	}
	var s signed
	if err := strict(raw, &s); err != nil {
		return nil, err
	}
	if err := identity.Verify(ca, Namespace, strings.NewReader(s.List), []byte(s.Signature)); err != nil {
		return nil, err
	}
	l := new(List)
	if err := strict([]byte(s.List), l); err != nil {
		return nil, err
	}
	return l, l.check()
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows it")
	}
	return nil
}
