package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
)

// LoginStatement is what is signed to log in (namespace latchstring-rss). It
// names the relay by the pin of its authority, so that a relay cannot use the
// signature at another one.
func LoginStatement(kind Kind, rss Pin, nonce string) []byte {
	return fmt.Appendf(nil, "latchstring login v1\n%s\n%s\n%s\n", kind, rss, nonce)
}

// EnrollStatement is what a system signs to enrol: that it has the key, for
// this relay and this token.
func EnrollStatement(rss Pin, tokenID string, key ssh.PublicKey) []byte {
	return fmt.Appendf(nil, "latchstring enrolment v1\n%s\n%s\n%s\n", rss, tokenID, identity.FormatKey(key))
}

// Receipt says that a relay has a bundle, whole, and whose it is.
type Receipt struct {
	Version    int       `json:"v"`
	Bundle     string    `json:"bundle"`
	System     string    `json:"system"` // the id of the system that sent it
	SHA256     string    `json:"sha256"`
	Size       int64     `json:"size"`
	ReceivedAt time.Time `json:"received_at"`
	RSS        string    `json:"rss"`              // the pin of the relay's authority
	Anchor     string    `json:"anchor,omitempty"` // head of the system's audit log when it sent
}

// SignedReceipt is a receipt as it is kept. Statement holds the exact bytes
// that are signed in namespace latchstring-receipt, so that `ssh-keygen -Y
// verify` can check them.
type SignedReceipt struct {
	Statement string `json:"statement"`
	Signature string `json:"signature"`
}

// SignReceipt signs with the relay's receipt key.
func SignReceipt(key ssh.Signer, r Receipt) (SignedReceipt, error) {
	r.Version = 1
	b, err := json.Marshal(r)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("encode receipt: %w", err)
	}
	b = append(b, '\n')
	sig, err := identity.Sign(key, identity.NamespaceReceipt, bytes.NewReader(b))
	if err != nil {
		return SignedReceipt{}, err
	}
	return SignedReceipt{Statement: string(b), Signature: string(sig)}, nil
}

// Verify checks the signature and returns what the receipt says.
func (s SignedReceipt) Verify(key ssh.PublicKey) (Receipt, error) {
	if s.Statement == "" || len(s.Statement) > 64<<10 {
		return Receipt{}, errors.New("the receipt is empty or far too long")
	}
	if err := identity.Verify(key, identity.NamespaceReceipt, strings.NewReader(s.Statement), []byte(s.Signature)); err != nil {
		return Receipt{}, fmt.Errorf("the receipt: %w", err)
	}
	var r Receipt
	if err := json.Unmarshal([]byte(s.Statement), &r); err != nil {
		return Receipt{}, fmt.Errorf("read receipt: %w", err)
	}
	if r.Version != 1 {
		return Receipt{}, fmt.Errorf("receipt of version %d; this program reads version 1", r.Version)
	}
	return r, nil
}

// Covers checks that the receipt is about these bytes of this system.
func (r Receipt) Covers(system, sha256 string, size int64) error {
	switch {
	case r.System != system:
		return fmt.Errorf("the receipt is for system %s, not %s", r.System, system)
	case r.SHA256 != sha256:
		return fmt.Errorf("the receipt is for a bundle with SHA-256 %s, not %s", r.SHA256, sha256)
	case r.Size != size:
		return fmt.Errorf("the receipt is for %d bytes, not %d", r.Size, size)
	}
	return nil
}
