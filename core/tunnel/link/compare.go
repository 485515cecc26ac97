package link

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

// Namespace is the signature namespace of the relay's answer.
const Namespace = "latchstring-link"

// Label is the label of the TLS exporter (RFC 8446, section 7.5).
const Label = "EXPORTER-latchstring-link"

const (
	version      = 1
	nonceSize    = 32
	exporterSize = 32
	maxGreeting  = 4 << 10
)

// greeting is the client's first message.
type greeting struct {
	V        int    `json:"v"`
	Nonce    []byte `json:"nonce"`
	Exporter []byte `json:"exporter,omitempty"`
	Raw      bool   `json:"raw"` // it would go on without frames
	// Pass asks that the relay pass on, unread, what follows the end of TLS; in
	// a header only.
	Pass bool `json:"pass,omitempty"`
	// Early are the first bytes of the stream; in a header only.
	Early []byte `json:"early,omitempty"`
}

// answer is the relay's.
type answer struct {
	V         int    `json:"v"`
	Exporter  []byte `json:"exporter,omitempty"`
	Raw       bool   `json:"raw"` // it goes on without frames
	Pass      bool   `json:"pass,omitempty"`
	Signature string `json:"signature"`
}

// statement is what the relay signs.
func statement(nonce, exporter []byte) []byte {
	return fmt.Appendf(nil, "latchstring link v1\n%s\n%s\n", base64.StdEncoding.EncodeToString(nonce), base64.StdEncoding.EncodeToString(exporter))
}

// exporter is the value that only the two ends of a TLS connection know, or
// nil where the connection has none.
func exporter(s *tls.ConnectionState) []byte {
	if s == nil {
		return nil
	}
	b, err := s.ExportKeyingMaterial(Label, nil, exporterSize)
	if err != nil {
		return nil
	}
	return b
}

func equal(a, b []byte) bool { return len(a) == exporterSize && hmac.Equal(a, b) }

func newGreeting(exporter []byte, raw bool) greeting {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails
	return greeting{V: version, Nonce: nonce, Exporter: exporter, Raw: raw && exporter != nil}
}

// ForgedError says that the answer to our greeting was not made by the relay
// that we know.
type ForgedError struct{ Err error }

func (e *ForgedError) Error() string {
	return fmt.Sprintf("the other end of the connection does not prove to be the relay: %v", e.Err)
}

// Hint says what to do.
func (e *ForgedError) Hint() string {
	return "somebody between this machine and the relay answers in its name; tell your network's administrator and the vendor"
}

// ExitCode is that of a check that did not hold.
func (e *ForgedError) ExitCode() int { return 4 }

func (e *ForgedError) Unwrap() error { return e.Err }

// check reads the relay's answer, and says whether both have an exporter and
// whether the two are one.
func (g greeting) check(b []byte, key ssh.PublicKey) (a answer, same bool, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, false, &ForgedError{fmt.Errorf("read its answer: %w", err)}
	}
	if a.V != version {
		return a, false, fmt.Errorf("the relay speaks version %d of the link; this program speaks %d", a.V, version)
	}
	if err := identity.Verify(key, Namespace, bytes.NewReader(statement(g.Nonce, a.Exporter)), []byte(a.Signature)); err != nil {
		return a, false, &ForgedError{err}
	}
	same = equal(g.Exporter, a.Exporter)
	if a.Raw && !(same && g.Raw) {
		return a, false, &ForgedError{errors.New("it goes on without frames although the TLS connection is not one from end to end")}
	}
	if a.Pass && !(a.Raw && g.Pass) {
		return a, false, &ForgedError{errors.New("it would pass on what it was not asked to")}
	}
	return a, same, nil
}

// parseGreeting reads the client's message.
func parseGreeting(b []byte) (greeting, error) {
	var g greeting
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	switch err := d.Decode(&g); {
	case err != nil:
		return g, fmt.Errorf("link: read the client's first message: %w", err)
	case g.V != version:
		return g, fmt.Errorf("link: the client speaks version %d; this relay speaks %d", g.V, version)
	case len(g.Nonce) != nonceSize:
		return g, fmt.Errorf("link: a nonce of %d bytes", len(g.Nonce))
	case len(g.Exporter) != 0 && len(g.Exporter) != exporterSize:
		return g, fmt.Errorf("link: an exporter of %d bytes", len(g.Exporter))
	case len(g.Early) > maxEarly:
		return g, fmt.Errorf("link: %d early bytes", len(g.Early))
	}
	return g, nil
}
