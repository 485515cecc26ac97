package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
)

// crockford is base32 without the letters that are misread.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

var idPattern = regexp.MustCompile(`^sys-[0-9a-hjkmnp-tv-z]{16}$`)

// IDOf derives the id of the system that has this key: "sys-" and 80 bits of
// the key's SHA-256 in Crockford's base32. It is a name for people and files;
// what proves a system is its key.
func IDOf(key ssh.PublicKey) string {
	sum := sha256.Sum256(key.Marshal())
	return "sys-" + crockford.EncodeToString(sum[:10])
}

// ValidID reports whether s has the form of a system id. A valid id is safe as
// a file name.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// MakeKey writes a new ed25519 key to path (OpenSSH's format, 0600) and its
// public half to path.pub. An existing key is an error.
func MakeKey(path, comment string) (ssh.Signer, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make key %s: it exists already", path)
	}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(crypto.PrivateKey(priv), comment)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	line := strings.TrimSpace(FormatKey(sshPub)+" "+comment) + "\n"
	if err := durable.WriteFileMode(path+".pub", []byte(line), 0o644); err != nil {
		return nil, err
	}
	// The private half comes last: where it is, everything is.
	if err := durable.WriteFile(path, pem.EncodeToMemory(block)); err != nil {
		return nil, err
	}
	return signer, nil
}

// LoadKey reads a private key without a passphrase. A file that others can
// read or write is refused, as OpenSSH refuses it.
func LoadKey(path string) (ssh.Signer, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("load key %s: mode %04o lets others read it; chmod 600 it, and make a new key if anybody could have", path, fi.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return signer, nil
}

func strong(key ssh.PublicKey) error {
	if key.Type() == "ssh-dss" {
		return errors.New("DSA keys are too weak; use ed25519")
	}
	c, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < 2048 {
		return fmt.Errorf("RSA key of %d bits is too weak; use ed25519, or RSA of 3072 bits", r.N.BitLen())
	}
	return nil
}
