package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// PassportFormat is the format and version of passports.
const PassportFormat = "latchstring-passport/1"

// Passport is what is left of a session on one page: who came, why, who let
// them in, what they did, and the heads of the recordings that prove it. It is
// for people, and is signed so that it can be handed on.
type Passport struct {
	Format      string            `json:"format"`
	Session     string            `json:"session"`
	System      string            `json:"system"`         // id
	Host        string            `json:"host,omitempty"` // name
	Case        string            `json:"case,omitempty"`
	Opener      string            `json:"opener"`             // who opened it: "uid:0(root)", "user:admin"
	Method      string            `json:"method,omitempty"`   // how the opener was authenticated
	Evidence    map[string]string `json:"evidence,omitempty"` // of that: a challenge's case, a ticket of single sign-on
	Opened      time.Time         `json:"opened"`
	Expires     time.Time         `json:"expires"`
	Ended       time.Time         `json:"ended"`
	Reason      string            `json:"reason"` // why it ended
	Relay       string            `json:"relay,omitempty"`
	Policy      string            `json:"policy"` // hash of the policy in force
	Connections []Visit           `json:"connections"`
	Audit       string            `json:"audit,omitempty"` // head of the audit log
	Versions    map[string]string `json:"versions"`        // of the programs that took part
}

// Visit is one connection of a session.
type Visit struct {
	Summary
	Certificate string `json:"certificate,omitempty"` // fingerprint of the engineer's
	Approver    string `json:"approver,omitempty"`    // who let this connection in; empty: policy needs nobody
}

// SignPassport writes the passport and its signature to dir as SESSION.json and
// SESSION.json.sig, and returns the path of the first. `ssh-keygen -Y verify -n
// latchstring-passport` checks it.
func SignPassport(dir string, p Passport, key ssh.Signer) (string, error) {
	if !ValidID(p.Session) {
		return "", fmt.Errorf("sign passport: %q cannot be a session", p.Session)
	}
	p.Format = PassportFormat
	if p.Connections == nil {
		p.Connections = []Visit{}
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", fmt.Errorf("sign passport: %w", err)
	}
	b = append(b, '\n')
	sig, err := sign(key, NamespacePassport, b)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("sign passport: %w", err)
	}
	path := filepath.Join(dir, p.Session+".json")
	if err := durable.WriteFile(path+".sig", sig); err != nil {
		return "", err
	}
	return path, durable.WriteFile(path, b)
}

// ReadPassport reads a passport and checks its signature. One that does
// not hold is an error with exit code 4.
func ReadPassport(path string, key ssh.PublicKey) (p Passport, err error) {
	b, err := readBounded(path)
	if err != nil {
		return p, fmt.Errorf("read passport: %w", err)
	}
	broken := func(format string, args ...any) error {
		return &passportError{path: path, what: fmt.Sprintf(format, args...)}
	}
	sig, err := readBounded(path + ".sig")
	if errors.Is(err, fs.ErrNotExist) {
		return p, broken("its signature is missing")
	}
	if err != nil {
		return p, fmt.Errorf("read passport: %w", err)
	}
	if err := verify(key, NamespacePassport, b, sig); err != nil {
		return p, broken("%v", err)
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&p); err != nil {
		return p, broken("%v", err)
	}
	if p.Format != PassportFormat {
		return p, broken("format %q is not of this version", p.Format)
	}
	if name, ok := strings.CutSuffix(filepath.Base(path), ".json"); ok && name != p.Session && ValidID(name) {
		return p, broken("it is that of session %s", p.Session)
	}
	return p, nil
}

type passportError struct{ path, what string }

func (e *passportError) Error() string { return fmt.Sprintf("passport %s: %s", e.path, e.what) }
func (e *passportError) ExitCode() int { return 4 }

// Heads are those of the recordings of the session: anchors for [Verify].
func (p Passport) Heads() []Head {
	var all []Head
	for _, v := range p.Connections {
		if v.Head.Hash != "" {
			all = append(all, v.Head)
		}
	}
	return all
}
