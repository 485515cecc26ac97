package policy

import (
	"bytes"
	"fmt"
	"os"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// Namespace is that of the signatures under policy files and under the list of
// signers: `ssh-keygen -Y sign -n latchstring-policy -f KEY FILE` makes one.
const Namespace = "latchstring-policy"

// SignFile writes the signature of a policy file beside it, as FILE.sig, and
// returns that name. It refuses a file that does not load.
func SignFile(path string, key ssh.Signer) (string, error) {
	src, err := readFile(path)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", path, err)
	}
	if isPolicyFile(path) {
		if _, err := Parse(map[string][]byte{path: src}); err != nil {
			return "", fmt.Errorf("sign %s: %w", path, err)
		}
	}
	armored, err := Sign(src, key)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", path, err)
	}
	if err := durable.WriteFileMode(path+".sig", armored, 0o644); err != nil {
		return "", err
	}
	return path + ".sig", nil
}

// Sign returns the signature of a policy file in the form of ssh-keygen.
func Sign(src []byte, key ssh.Signer) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(src), key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(sig), nil
}

// readSignature reads the signature beside a file; none is no error.
func readSignature(path string) ([]byte, error) {
	info, err := os.Stat(path + ".sig")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return nil, fmt.Errorf("%s.sig is no signature", path)
	}
	return os.ReadFile(path + ".sig")
}
