package handshake

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"time"

	"golang.org/x/crypto/ssh"
)

// Version is the version of the protocol.
const Version = 1

// Offer is what the system says about itself, in clear. It is bound into the
// keys: nobody can change it unnoticed.
type Offer struct {
	V       int       `json:"v"`
	System  string    `json:"system"`   // identity.System.ID
	Session string    `json:"session"`  // ses-…
	HostKey string    `json:"host_key"` // of the SSH server inside, a line of authorized_keys
	Expires time.Time `json:"expires"`  // when the session ends
	Policy  string    `json:"policy"`   // hash of the policy in force
	Nonce   []byte    `json:"nonce"`
}

func (o Offer) check() error {
	switch {
	case o.V != Version:
		return refuse(CodeVersion, "the system speaks version %d of the handshake, this program version %d", o.V, Version)
	case !word(o.System, 128) || !word(o.Session, 128) || o.Policy != "" && !word(o.Policy, 128):
		return malformed("a name in the offer")
	case len(o.Nonce) != nonceSize:
		return malformed("the nonce of the offer")
	case o.Expires.IsZero():
		return malformed("an offer without an end")
	}
	if _, err := parseKey(o.HostKey); err != nil {
		return malformed("the host key of the offer")
	}
	return nil
}

// SSHHostKey parses the host key.
func (o Offer) SSHHostKey() (ssh.PublicKey, error) { return parseKey(o.HostKey) }

func parseOffer(b []byte) (Offer, error) {
	// The version comes first: another one may have other members.
	var v struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Offer{}, malformed("the offer cannot be read")
	}
	if v.V != Version {
		return Offer{}, Offer{V: v.V}.check()
	}
	var o Offer
	if err := strict(b, &o); err != nil {
		return Offer{}, malformed("the offer cannot be read")
	}
	return o, o.check()
}

// Modes of a claim.
const (
	ModeSecret   = "secret"
	ModeEnrolled = "enrolled"
)

// Claim is what the engineer's side says about itself, in clear, and bound in
// the same way.
type Claim struct {
	V           int    `json:"v"`
	Mode        string `json:"mode"`
	Certificate string `json:"certificate"` // OpenSSH user certificate, one line
	Case        string `json:"case,omitempty"`
	Witness     string `json:"witness"` // counter-signs heads of the recording
	Enrolment   string `json:"enrolment,omitempty"`
	Nonce       []byte `json:"nonce"`
}

func parseClaim(b []byte) (Claim, error) {
	var v struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Claim{}, malformed("the claim cannot be read")
	}
	if v.V != Version {
		return Claim{}, refuse(CodeVersion, "the engineer's program speaks version %d of the handshake, this system version %d", v.V, Version)
	}
	var c Claim
	if err := strict(b, &c); err != nil {
		return Claim{}, malformed("the claim cannot be read")
	}
	switch {
	case len(c.Nonce) != nonceSize:
		return c, malformed("the nonce of the claim")
	case c.Mode != ModeSecret && c.Mode != ModeEnrolled:
		return c, malformed("a mode that does not exist")
	case c.Mode == ModeEnrolled != (c.Enrolment != "") || c.Enrolment != "" && !word(c.Enrolment, 64):
		return c, malformed("the enrolment of the claim")
	case !printable(c.Case, 200):
		return c, refuse(CodeClaim, "the case number is longer than 200 bytes or not plain text")
	}
	return c, nil
}

// parseKey reads one public key, a line of authorized_keys without options.
func parseKey(line string) (ssh.PublicKey, error) {
	if len(line) > 8<<10 || bytes.ContainsAny([]byte(line), "\r\n") {
		return nil, malformed("a key of more than one line")
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(rest) > 0 {
		return nil, malformed("a key that cannot be read")
	}
	return key, nil
}

func formatKey(key ssh.PublicKey) string {
	return string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key)))
}

func sameKey(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && subtle.ConstantTimeCompare(a.Marshal(), b.Marshal()) == 1
}
