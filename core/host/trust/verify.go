package trust

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// ErrBroken is wrapped when a signature does not fit what it should sign, or
// is none.
var ErrBroken = errors.New("the signature does not hold")

// UnknownError says that a good signature is by nobody who is trusted.
type UnknownError struct {
	Publisher   string   // who the manifest says it is by
	Fingerprint string   // of the key that signed
	Others      []string // publishers that the key does belong to
}

func (e *UnknownError) Error() string {
	if len(e.Others) > 0 {
		return fmt.Sprintf("it is signed with a key of %s, but says that %s published it", strings.Join(e.Others, ", "), e.Publisher)
	}
	return fmt.Sprintf("it is signed by %s with the key %s, which is not trusted here", e.Publisher, e.Fingerprint)
}

// Verify checks that signature, armored as ssh-keygen writes it, is one of
// message for [Namespace], and by a key that speaks for publisher. It returns
// the fingerprint of the key. The error wraps [ErrBroken] or is an
// [*UnknownError].
func (p *Publishers) Verify(message, signature []byte, publisher string, now time.Time) (string, error) {
	sig, err := sshsig.Unarmor(signature)
	if err != nil {
		return "", fmt.Errorf("%w: it cannot be read: %w", ErrBroken, err)
	}
	if err := sshsig.Verify(bytes.NewReader(message), sig, sig.PublicKey, sig.HashAlgorithm, Namespace); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBroken, err)
	}
	fingerprint := ssh.FingerprintSHA256(sig.PublicKey)
	if ok, others := p.trusted(publisher, sig.PublicKey, now); !ok {
		return fingerprint, &UnknownError{publisher, fingerprint, others}
	}
	return fingerprint, nil
}
