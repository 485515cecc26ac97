package seal

import (
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

// Namespace is that of the signature under the proof.
const Namespace = "latchstring-seal"

// Signer signs the proof; core/identity's system key is one.
type Signer interface {
	Sign(namespace string, message []byte) (armored []byte, err error)
	PublicKey() ssh.PublicKey
}

// Proof names the files of a proof.
type Proof struct {
	Statement string `json:"statement"` // the text
	Signature string `json:"signature"`
	Signers   string `json:"signers"` // the public key, in the form that ssh-keygen takes
}

// Command is how anybody checks the proof.
func (p Proof) Command() string {
	return fmt.Sprintf("ssh-keygen -Y verify -f %s -I system -n %s -s %s < %s", p.Signers, Namespace, p.Signature, p.Statement)
}

// ProofOf says where the proof of a system is, or would be.
func ProofOf(root paths.Root) Proof {
	return Proof{root.Var("disabled.txt"), root.Var("disabled.txt.sig"), root.Var("disabled.signers")}
}

// Prove writes the signed statement beside the seal. It is to be called when
// the system is sealed and its key is still there.
func Prove(root paths.Root, key Signer, opts ...Option) (Proof, error) {
	s := Check(root)
	if !s.Sealed {
		return Proof{}, fmt.Errorf("prove the seal: the system is not sealed")
	}
	p := ProofOf(root)
	text := s.Record.Statement()
	sig, err := key.Sign(Namespace, text)
	if err != nil {
		return Proof{}, fmt.Errorf("prove the seal: %w", err)
	}
	if err := os.MkdirAll(root.Var(), 0o700); err != nil {
		return Proof{}, fmt.Errorf("prove the seal: %w", err)
	}
	signers := fmt.Appendf(nil, "system namespaces=%q %s", Namespace, ssh.MarshalAuthorizedKey(key.PublicKey()))
	for _, f := range []struct {
		path string
		data []byte
	}{{p.Statement, text}, {p.Signature, sig}, {p.Signers, signers}} {
		if err := with(opts).before("prove " + f.path); err != nil {
			return Proof{}, err
		}
		if err := durable.WriteFileMode(f.path, f.data, 0o644); err != nil {
			return Proof{}, fmt.Errorf("prove the seal: %w", err)
		}
	}
	return p, nil
}
