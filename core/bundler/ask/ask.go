package ask

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

// Namespace is the sshsig namespace of requests.
const Namespace = "latchstring-request"

// The kinds of items.
const (
	Collect = "collect" // a collector, by name
	Include = "include" // a file or folder, by its absolute path
	Command = "command" // a command line, without a shell; words are parted at spaces
)

const (
	version  = 1
	maxFile  = 256 << 10
	maxItems = 200
	maxText  = 2000
	// MaxValid is the longest that a request can be answered.
	MaxValid = 31 * 24 * time.Hour
	skew     = 5 * time.Minute
)

// Request is what an engineer asks a customer for.
type Request struct {
	Version int       `json:"v"`
	ID      string    `json:"id"`     // req- and 20 characters, random
	System  string    `json:"system"` // name or id
	Case    string    `json:"case,omitempty"`
	Reason  string    `json:"reason"` // for all of it
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	SinceS  int64     `json:"since_seconds,omitempty"` // logs not older than that when they are collected
	Items   []Item    `json:"items"`
}

// Item is one thing that is asked for.
type Item struct {
	Kind   string `json:"kind"`
	Value  string `json:"value"`
	Reason string `json:"reason,omitempty"` // of its own
}

// Signed is a request that was believed.
type Signed struct {
	Request
	Engineer string // by the certificate
	Until    time.Time
}

// file is what is written.
type file struct {
	Request     string `json:"request"` // the exact bytes that are signed
	Signature   string `json:"signature"`
	Certificate string `json:"certificate"`
}

// Error says why a request is not believed, or makes no sense.
type Error struct{ msg string }

func (e *Error) Error() string { return "the request is not accepted: " + e.msg }

// ExitCode is 4: a check did not hold.
func (e *Error) ExitCode() int { return 4 }

func refusef(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Sign completes a request and signs it. A request ends with the certificate,
// if that ends earlier.
func Sign(key ssh.Signer, cert *ssh.Certificate, r Request) ([]byte, *Request, error) {
	if !bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) {
		return nil, nil, errors.New("sign request: the certificate is of another key")
	}
	if cert.ValidBefore < 1<<40 {
		if end := time.Unix(int64(cert.ValidBefore), 0); end.Before(r.Expires) {
			r.Expires = end
		}
	}
	r.Version, r.ID = version, "req-"+strings.ToLower(rand.Text()[:20])
	r.Created, r.Expires = r.Created.UTC().Truncate(time.Second), r.Expires.UTC().Truncate(time.Second)
	if err := r.check(); err != nil {
		return nil, nil, fmt.Errorf("sign request: %w", err)
	}
	message, err := encode(r)
	if err != nil {
		return nil, nil, err
	}
	sig, err := identity.Sign(key, Namespace, bytes.NewReader(message))
	if err != nil {
		return nil, nil, err
	}
	out, err := encode(file{Request: string(message), Signature: string(sig), Certificate: identity.FormatKey(cert)})
	return out, &r, err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return b.Bytes(), nil
}

// Trust is what a system knows.
type Trust struct {
	CA      ssh.PublicKey // of the vendor's engineers, pinned at enrolment
	Systems []string      // the names of this system: the vendor's, and its id
	Now     time.Time
	// Revoked, unless nil, reports whether the vendor took a certificate back.
	Revoked func(*ssh.Certificate) bool
}

// Open reads a request of unknown origin. What is not believed is an [*Error].
func Open(data []byte, t Trust) (*Signed, error) {
	if len(data) > maxFile {
		return nil, refusef("it has more than %d bytes", maxFile)
	}
	var f file
	if err := strict(data, &f); err != nil {
		return nil, refusef("it cannot be read: %v", err)
	}
	cert, err := certificate(f.Certificate, t)
	if err != nil {
		return nil, err
	}
	if err := identity.Verify(cert.Key, Namespace, strings.NewReader(f.Request), []byte(f.Signature)); err != nil {
		return nil, refusef("%v", err)
	}
	var r Request
	if err := strict([]byte(f.Request), &r); err != nil {
		return nil, refusef("it cannot be read: %v", err)
	}
	if r.Version != version {
		return nil, refusef("it is of version %d, and this program reads version %d", r.Version, version)
	}
	if err := r.check(); err != nil {
		return nil, refusef("%v", err)
	}
	switch {
	case !slices.Contains(t.Systems, r.System) || r.System == "":
		return nil, refusef("it is for %s, and this system is %s", r.System, strings.Join(t.Systems, ", "))
	case !t.Now.Before(r.Expires):
		return nil, refusef("it ended at %s", r.Expires.Local().Format(time.DateTime))
	case r.Created.After(t.Now.Add(skew)):
		return nil, refusef("it was made in the future, at %s; compare the clocks", r.Created.Local().Format(time.DateTime))
	}
	return &Signed{Request: r, Engineer: cert.KeyId, Until: r.Expires}, nil
}

// certificate believes what was given to an engineer for this system.
func certificate(line string, t Trust) (*ssh.Certificate, error) {
	if t.CA == nil {
		return nil, refusef("this system knows no CA for engineers; enrol it again")
	}
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	cert, ok := key.(*ssh.Certificate)
	if err != nil || !ok || len(bytes.TrimSpace(rest)) > 0 || cert.CertType != ssh.UserCert {
		return nil, refusef("it has no certificate of an engineer")
	}
	if _, err := identity.ParseKey(identity.FormatKey(cert.Key)); err != nil {
		return nil, refusef("the key of its certificate: %v", err)
	}
	if !bytes.Equal(cert.SignatureKey.Marshal(), t.CA.Marshal()) {
		return nil, refusef("its certificate is not signed by the vendor's CA for engineers")
	}
	if !plain(cert.KeyId, 128) || cert.KeyId == "" {
		return nil, refusef("its certificate names no engineer")
	}
	if len(cert.CriticalOptions) > 0 {
		return nil, refusef("its certificate has critical options, which this system cannot keep")
	}
	good := []string{"latchstring"}
	for _, s := range t.Systems {
		good = append(good, "system:"+s)
	}
	for _, p := range cert.ValidPrincipals {
		if !slices.Contains(good, p) {
			continue
		}
		checker := ssh.CertChecker{
			Clock:           func() time.Time { return t.Now },
			IsUserAuthority: func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), t.CA.Marshal()) },
		}
		if err := checker.CheckCert(p, cert); err != nil {
			return nil, refusef("the certificate of %s does not hold: %v", cert.KeyId, err)
		}
		if t.Revoked != nil && t.Revoked(cert) {
			return nil, refusef("the certificate of %s was revoked by the vendor", cert.KeyId)
		}
		return cert, nil
	}
	return nil, refusef("the certificate of %s is for other systems", cert.KeyId)
}

func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("something follows")
	}
	return nil
}

// check refuses what could not be shown or done.
func (r *Request) check() error {
	id, ok := strings.CutPrefix(r.ID, "req-")
	if !ok || len(id) != 20 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return errors.New("its id is none")
	}
	if !plain(r.System, 128) || r.System == "" {
		return errors.New("it names no system")
	}
	if !plain(r.Case, 128) || !plain(r.Reason, maxText) {
		return errors.New("its case or reason cannot be shown")
	}
	if strings.TrimSpace(r.Reason) == "" {
		return errors.New("it gives no reason")
	}
	if !r.Expires.After(r.Created) || r.Expires.Sub(r.Created) > MaxValid {
		return fmt.Errorf("it would be good from %s to %s; up to %d days are possible", r.Created.Format(time.DateTime), r.Expires.Format(time.DateTime), MaxValid/(24*time.Hour))
	}
	if r.SinceS < 0 {
		return errors.New("an age cannot be negative")
	}
	if len(r.Items) == 0 || len(r.Items) > maxItems {
		return fmt.Errorf("it asks for %d items; 1 to %d are possible", len(r.Items), maxItems)
	}
	for i, it := range r.Items {
		if err := it.check(); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
		if slices.ContainsFunc(r.Items[:i], func(o Item) bool { return o.Kind == it.Kind && o.Value == it.Value }) {
			return fmt.Errorf("item %d asks for %s %s again", i+1, it.Kind, it.Value)
		}
	}
	return nil
}

func (it Item) check() error {
	if !plain(it.Value, maxText) || !plain(it.Reason, maxText) || it.Value == "" {
		return errors.New("it cannot be shown")
	}
	switch it.Kind {
	case Collect:
		if strings.Trim(it.Value, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return fmt.Errorf("%q is no name of a collector", it.Value)
		}
	case Include:
		if !path.IsAbs(it.Value) || path.Clean(it.Value) != it.Value {
			return fmt.Errorf("%q is no plain absolute path", it.Value)
		}
	case Command:
		if len(strings.Fields(it.Value)) == 0 {
			return errors.New("an empty command")
		}
	default:
		return fmt.Errorf("kind %q is not known", it.Kind)
	}
	return nil
}

// plain tells whether a text can be shown as it is: no control characters, and
// no marks that turn the direction of writing, which would show another text
// than the one that is meant.
func plain(s string, most int) bool {
	if len(s) > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}
