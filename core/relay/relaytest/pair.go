package relaytest

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/setup"
)

// Pair is a running relay with one enrolled system, "array-7", and one engineer,
// "ada", who has role access and a certificate for every system.
type Pair struct {
	*Relay
	System       *identity.System
	Vendor       identity.Vendor // what the system pinned
	SystemClient *client.Client

	Engineer    *client.Client
	EngineerKey ssh.Signer
	Certificate *ssh.Certificate
	SupportCA   ssh.Signer
}

// NewPair starts it. It ends with the test.
func NewPair(t testing.TB, change ...func(*Relay)) *Pair {
	t.Helper()
	r := New(t, change...)
	p := &Pair{Relay: r, SupportCA: r.SupportCA()}
	p.System, p.Vendor = r.Enroll("array-7")
	p.SystemClient = r.ClientOf(p.System, p.Vendor)
	p.Engineer, p.EngineerKey = r.EngineerIn("ada", nil, "access")
	p.Certificate = r.Certify(p.EngineerKey.PublicKey(), "ada", "latchstring")
	return p
}

// ClientOf is the client of an enrolled system.
func (r *Relay) ClientOf(sys *identity.System, v identity.Vendor) *client.Client {
	r.t.Helper()
	c, err := client.ForSystem(sys, v, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// SupportCA is the key that vouches for engineers, which a real relay does not
// have.
func (r *Relay) SupportCA() ssh.Signer {
	r.t.Helper()
	key, err := identity.LoadKey(filepath.Join(r.Loaded.Places.HandOut, setup.SupportCAName))
	if err != nil {
		r.t.Fatal(err)
	}
	return key
}

// Certify signs a certificate for an engineer's key, good for an hour.
func (r *Relay) Certify(key ssh.PublicKey, name string, principals ...string) *ssh.Certificate {
	r.t.Helper()
	now := time.Now()
	c := &ssh.Certificate{Key: key, Serial: uint64(now.UnixNano()), CertType: ssh.UserCert, KeyId: name, ValidPrincipals: principals,
		ValidAfter: uint64(now.Add(-time.Minute).Unix()), ValidBefore: uint64(now.Add(time.Hour).Unix()),
		Permissions: ssh.Permissions{Extensions: map[string]string{"permit-pty": ""}}}
	if err := c.SignCert(rand.Reader, r.SupportCA()); err != nil {
		r.t.Fatal(err)
	}
	return c
}
