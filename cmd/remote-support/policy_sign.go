package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
)

func keyFlags(usage string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "key", Usage: usage},
		&cli.StringFlag{Name: "passphrase-file", Usage: "read the passphrase of the key from `FILE` instead of asking"},
	}
}

func policySignCommand() *cli.Command {
	return &cli.Command{
		Name: "sign", Usage: "sign policy files", ArgsUsage: "FILE...",
		Description: `Writes FILE.sig beside each file. The same is done by OpenSSH, with a key that
may be in an agent or on a token:

   ssh-keygen -Y sign -n latchstring-policy -f KEY FILE

Example:
   remote-support policy sign --key ~/.ssh/policy_ed25519 10-site.hcl`,
		Flags:  keyFlags("the private key of the signer, in OpenSSH's form, in `FILE`"),
		Action: policySign,
	}
}

func policySign(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the policy files to sign")
	}
	key, err := readKey(c)
	if err != nil {
		return err
	}
	if key == nil {
		return cmdline.Usagef("--key names the private key to sign with")
	}
	for _, path := range c.Args().Slice() {
		name, err := policy.SignFile(path, key)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "%s: signed by %s\n", name, ssh.FingerprintSHA256(key.PublicKey()))
	}
	return nil
}

// readKey reads the private key of --key; nil when none is named.
func readKey(c *cli.Context) (ssh.Signer, error) {
	path := c.String("key")
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		pass, perr := cmdline.Secret("Passphrase of "+path, c.String("passphrase-file"))
		if perr != nil {
			return nil, perr
		}
		key, err = ssh.ParsePrivateKeyWithPassphrase(data, pass)
		clear(pass)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w", path, err)
	}
	return key, nil
}

func policyTrustCommand() *cli.Command {
	return &cli.Command{
		Name: "trust", Usage: "let a key sign policy files; without KEYFILE, show whose may", ArgsUsage: "[KEYFILE]",
		Description: `KEYFILE holds one public key, as in id_ed25519.pub. The list is kept in the form
of OpenSSH's allowed_signers in /etc/latchstring/policy_signers. Once signatures
are required it takes the key of one who is trusted already to add another.

Examples:
   remote-support policy trust ada.pub
   remote-support policy trust bob.pub --name bob@example.com --key ada_ed25519`,
		Flags: append(keyFlags("the private key of a trusted signer, in `FILE`, who vouches for the new one"),
			&cli.StringFlag{Name: "name", Usage: "the `NAME` of the key's owner; else the comment of the key"}),
		Action: policyTrust,
	}
}

func policyTrust(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	switch c.NArg() {
	case 0:
		s, err := policy.TrustedSigners(root)
		if err != nil {
			return err
		}
		return cmdline.Print(c, s.Names(), func(w io.Writer) error {
			for _, line := range s.Describe() {
				fmt.Fprintln(w, line)
			}
			if len(s.Names()) == 0 {
				fmt.Fprintln(w, "nobody is trusted to sign policy files")
			}
			return nil
		})
	case 1:
	default:
		return cmdline.Usagef("name one key file")
	}
	path := c.Args().First()
	key, comment, err := readPublicKey(path)
	if err != nil {
		return err
	}
	owner := c.String("name")
	if owner == "" {
		owner = comment
	}
	if owner == "" {
		return cmdline.Usagef("the key has no comment; --name says whose it is")
	}
	by, err := readKey(c)
	if err != nil {
		return err
	}
	if err := policy.Trust(root, owner, key, by); err != nil {
		if errors.Is(err, policy.ErrNeedsSigner) {
			return fmt.Errorf("%w; --key names the private key of one of them", err)
		}
		return err
	}
	if err := note(c, audit.SignerTrusted, owner, map[string]string{"key": ssh.FingerprintSHA256(key)}); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "%s %s may sign policy files\n", owner, ssh.FingerprintSHA256(key))
	return nil
}

// readPublicKey reads one public key and its comment.
func readPublicKey(path string) (ssh.PublicKey, string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the key: %w", err)
	}
	if strings.Contains(string(data), "PRIVATE KEY") {
		return nil, "", fmt.Errorf("%s is a private key; name the public one, %s.pub", path, path)
	}
	key, comment, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, "", fmt.Errorf("%s holds no public key in OpenSSH's form", path)
	}
	return key, comment, nil
}
