package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

// candidate is a key that a login may try.
type candidate struct {
	signer ssh.Signer
	file   string // empty: in the agent
}

// fileKey reads a private key, and asks for its passphrase.
func fileKey(c *cli.Context, path string) (ssh.Signer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		// The agent was given the passphrase already, perhaps.
		if s := inAgent(locked.PublicKey); s != nil && c.String("passphrase-file") == "" {
			return s, nil
		}
		pass, err := cmdline.Secret("Passphrase of "+path, c.String("passphrase-file"))
		if err != nil {
			return nil, err
		}
		defer clear(pass)
		signer, err = ssh.ParsePrivateKeyWithPassphrase(b, pass)
		if err != nil {
			return nil, fmt.Errorf("read key %s: %w", path, err)
		}
		return signer, nil
	}
	if err != nil && bytes.Contains(b, []byte("PRIVATE KEY-----")) && strings.Contains(err.Error(), "unhandled key type") {
		return nil, fmt.Errorf("read key %s: a key of this kind, as of a security token, is used through the SSH agent; add it with ssh-add and name %s.pub", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	return signer, nil
}

// inAgent is that key of the SSH agent, or nil.
func inAgent(key ssh.PublicKey) ssh.Signer {
	if key == nil {
		return nil
	}
	signers, err := agentKeys()
	if err != nil {
		return nil
	}
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), key.Marshal()) {
			return s
		}
	}
	return nil
}

// agentKeys lists the keys of the SSH agent, if there is one, without the
// certificates that it holds of them.
func agentKeys() ([]ssh.Signer, error) {
	signers, err := agentAll()
	return slices.DeleteFunc(signers, func(s ssh.Signer) bool {
		return certificateOf(s) != nil
	}), err
}

func agentAll() ([]ssh.Signer, error) {
	sock := os.Getenv("SSH_AUTH_SOCK")
	if sock == "" {
		return nil, nil
	}
	conn, err := net.Dial("unix", sock)
	if err != nil {
		return nil, fmt.Errorf("reach the SSH agent: %w", err)
	}
	// The connection stays open for as long as its keys are used: until the
	// command ends.
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask the SSH agent: %w", err)
	}
	return signers, nil
}

// certificateOf is the certificate that a signer of the agent stands for, or nil.
func certificateOf(s ssh.Signer) *ssh.Certificate {
	// The agent's own type hides what it is.
	key, err := ssh.ParsePublicKey(s.PublicKey().Marshal())
	if err != nil {
		return nil
	}
	cert, _ := key.(*ssh.Certificate)
	return cert
}

// agentCertificates lists the certificates of the SSH agent, if there is one.
func agentCertificates() ([]*ssh.Certificate, error) {
	signers, err := agentAll()
	var out []*ssh.Certificate
	for _, s := range signers {
		if cert := certificateOf(s); cert != nil {
			out = append(out, cert)
		}
	}
	return out, err
}

// candidates are the keys to try when none was named: the agent's, then the
// usual files that need no passphrase.
func candidates() ([]candidate, error) {
	var out []candidate
	signers, err := agentKeys()
	for _, s := range signers {
		out = append(out, candidate{signer: s})
	}
	home, homeErr := os.UserHomeDir()
	if homeErr != nil {
		return out, err
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		path := filepath.Join(home, ".ssh", name)
		b, readErr := os.ReadFile(path)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		if s, parseErr := ssh.ParsePrivateKey(b); parseErr == nil {
			out = append(out, candidate{signer: s, file: path})
		}
	}
	if len(out) > 0 {
		err = nil
	}
	return out, err
}

// key finds the key that the login used.
func (cfg config) key(c *cli.Context) (ssh.Signer, error) {
	if cfg.KeyFile != "" {
		return keyOrAgent(c, cfg.KeyFile)
	}
	signers, err := agentKeys()
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		if ssh.FingerprintSHA256(s.PublicKey()) == cfg.Agent {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the SSH agent does not have the key %s; add it with ssh-add, or log in with another: support login --key FILE", cfg.Agent)
}
