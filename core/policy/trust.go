package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

// TrustedSigners reads the list of signers of a system.
func TrustedSigners(root paths.Root) (*Signers, error) {
	text, err := os.ReadFile(SignersPath(root))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the list of signers: %w", err)
	}
	s, err := ParseSigners(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", SignersPath(root), err)
	}
	return s, nil
}

// ErrNeedsSigner says that the list of signers changes only with the signature
// of one who is on it.
var ErrNeedsSigner = errors.New("signatures are required on this system, so one of the trusted signers must sign the new list")

// Trust adds a key to the list of those who may sign policy files, under the
// name of its owner. While signatures are required, by must be the key of one
// who is trusted already; before that it may be nil.
func Trust(root paths.Root, owner string, key ssh.PublicKey, by ssh.Signer) error {
	if owner == "" || strings.ContainsAny(owner, " \t\n\"*?!,#") {
		return fmt.Errorf("trust a signer: %q is no name; it is one word, such as ada@example.com", owner)
	}
	s, err := TrustedSigners(root)
	if err != nil {
		return err
	}
	for _, one := range s.list {
		if bytes.Equal(one.key.Marshal(), key.Marshal()) {
			return fmt.Errorf("trust a signer: the key is trusted already, as %s", one.principal)
		}
	}
	m, err := remember(root)
	if err != nil {
		return err
	}
	if m.RequireSignature && by == nil {
		return ErrNeedsSigner
	}
	text := s.with(owner, key)
	path := SignersPath(root)
	var sig []byte
	if by != nil {
		if sig, err = Sign(text, by); err != nil {
			return fmt.Errorf("sign the list of signers: %w", err)
		}
	}
	if m.RequireSignature {
		old, err := ParseSigners([]byte(m.Signers))
		if err == nil {
			_, err = old.verify(text, sig, time.Now())
		}
		if err != nil {
			return fmt.Errorf("the new list of signers would not count: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("trust a signer: %w", err)
	}
	// The signature first: a list without its signature fails closed, and the
	// old list with a new signature is still the old list.
	if sig != nil {
		if err := durable.WriteFileMode(path+".sig", sig, 0o644); err != nil {
			return err
		}
	}
	return durable.WriteFileMode(path, text, 0o644)
}

// with returns the text of the list with one more signer and the next version.
func (s *Signers) with(owner string, key ssh.PublicKey) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# version %d\n", s.Version+1)
	for line := range strings.Lines(s.text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "# version ") && strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	fmt.Fprintf(&b, "%s namespaces=%q %s", owner, Namespace, ssh.MarshalAuthorizedKey(key))
	return b.Bytes()
}
