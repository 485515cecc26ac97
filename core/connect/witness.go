package connect

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// newWitness makes the key that counter-signs the heads of the recording. It
// lives as long as the connection: the engineer's own key may need a touch for
// each signature.
func newWitness() (ssh.Signer, error) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make witness key: %w", err)
	}
	return ssh.NewSignerFromKey(priv)
}
