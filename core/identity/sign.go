package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// The signature namespaces of Latchstring.
const (
	NamespaceBundle  = "latchstring-bundle"  // a system signs a bundle
	NamespacePlugin  = "latchstring-plugin"  // a publisher signs a manifest
	NamespacePolicy  = "latchstring-policy"  // a security team signs a policy
	NamespaceReceipt = "latchstring-receipt" // a relay signs what it received
	NamespaceRSS     = "latchstring-rss"     // a system or an engineer logs in to a relay
	NamespaceAudit   = "latchstring-audit"   // a system signs the head of its log
)

// maxSignature bounds an armored signature; the longest, of a 16 kbit RSA key,
// has some 6 kB.
const maxSignature = 16 << 10

// Sign signs message with any SSH key and returns the armored signature.
func Sign(key ssh.Signer, namespace string, message io.Reader) ([]byte, error) {
	sig, err := sshsig.Sign(message, key, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", namespace, err)
	}
	return sshsig.Armor(sig), nil
}

// Verify checks an armored signature of message by key in namespace.
func Verify(key ssh.PublicKey, namespace string, message io.Reader, armored []byte) error {
	if len(armored) > maxSignature {
		return fmt.Errorf("signature of %d bytes is no signature", len(armored))
	}
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return fmt.Errorf("read signature: %w", err)
	}
	if !bytes.Equal(sig.PublicKey.Marshal(), key.Marshal()) {
		return fmt.Errorf("signed by key %s, expected %s", ssh.FingerprintSHA256(sig.PublicKey), ssh.FingerprintSHA256(key))
	}
	if sig.Namespace != namespace {
		return fmt.Errorf("signed for %q, expected %q", sig.Namespace, namespace)
	}
	if err := sshsig.Verify(message, sig, key, sig.HashAlgorithm, namespace); err != nil {
		return fmt.Errorf("signature does not fit the content: %w", err)
	}
	return nil
}

// ParseKey reads one public key in the format of authorized_keys. Weak kinds
// (DSA, RSA below 2048 bits) are refused.
func ParseKey(line string) (ssh.PublicKey, error) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("read public key: more than one line")
	}
	return key, strong(key)
}

// FormatKey is the inverse of [ParseKey], without newline or comment.
func FormatKey(key ssh.PublicKey) string {
	return string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key)))
}
