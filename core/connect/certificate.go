package connect

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// PrincipalAny is the principal of a certificate that is good for every system
// of the vendor.
const PrincipalAny = "latchstring"

// PrincipalOf is the principal of a certificate that is good for one system,
// by its name or its id.
func PrincipalOf(system string) string { return "system:" + system }

// clockSkew is how much earlier than now a certificate begins, for systems
// whose clocks are behind.
const clockSkew = 5 * time.Minute

// CertificateRequest says what a certificate is made of.
type CertificateRequest struct {
	Key     ssh.PublicKey // of the engineer
	Name    string        // who that is: shown to customers and written into their audit logs
	Systems []string      // names or ids; none means every system
	Valid   time.Duration // from now on
	Now     time.Time     // zero: the present
}

// Certify makes an OpenSSH user certificate of an engineer's key, signed by
// the vendor's support CA. `ssh-keygen -s` makes the same.
func Certify(ca ssh.Signer, r CertificateRequest) (*ssh.Certificate, error) {
	switch {
	case r.Name == "":
		return nil, errors.New("make certificate: it needs the engineer's name")
	case r.Valid <= 0:
		return nil, fmt.Errorf("make certificate: a validity of %s is none", r.Valid)
	}
	if _, ok := r.Key.(*ssh.Certificate); ok {
		return nil, errors.New("make certificate: this is a certificate, not a key; give the public key itself")
	}
	var serial [8]byte
	if _, err := rand.Read(serial[:]); err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	now := r.Now
	if now.IsZero() {
		now = time.Now()
	}
	principals := []string{PrincipalAny}
	if len(r.Systems) > 0 {
		principals = nil
		for _, s := range r.Systems {
			principals = append(principals, PrincipalOf(s))
		}
	}
	c := &ssh.Certificate{
		Key: r.Key, Serial: binary.BigEndian.Uint64(serial[:]) >> 1, CertType: ssh.UserCert, KeyId: r.Name, ValidPrincipals: principals,
		ValidAfter: uint64(now.Add(-clockSkew).Unix()), ValidBefore: uint64(now.Add(r.Valid).Unix()),
		Permissions: ssh.Permissions{Extensions: map[string]string{"permit-pty": "", "permit-port-forwarding": ""}},
	}
	if err := c.SignCert(rand.Reader, ca); err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return c, nil
}

// CertificateError says why a certificate will not be accepted by a system.
type CertificateError struct {
	Why  string
	Help string
}

func (e *CertificateError) Error() string { return "your certificate " + e.Why }

// Hint says what to do.
func (e *CertificateError) Hint() string { return e.Help }

const certifyHelp = "have a new one made: support certify KEY.pub --ca FILE --name NAME --valid 12h"

// CheckCertificate finds what is wrong with a certificate before a customer's
// system is asked, so that the engineer hears it in plain words. The system
// checks all of it again. supportCA may be nil, when the vendor record of the
// login names none.
func CheckCertificate(c *ssh.Certificate, supportCA ssh.PublicKey, system, name string, now time.Time) error {
	if c.CertType != ssh.UserCert {
		return &CertificateError{"is one of a host, not of a user", certifyHelp}
	}
	if c.ValidBefore != ssh.CertTimeInfinity && now.Unix() >= int64(c.ValidBefore) {
		return &CertificateError{"ended at " + time.Unix(int64(c.ValidBefore), 0).Local().Format("2006-01-02 15:04"), certifyHelp}
	}
	if now.Unix() < int64(c.ValidAfter) {
		return &CertificateError{"begins only at " + time.Unix(int64(c.ValidAfter), 0).Local().Format("2006-01-02 15:04"), "check the clock of this machine"}
	}
	if supportCA != nil && string(c.SignatureKey.Marshal()) != string(supportCA.Marshal()) {
		return &CertificateError{fmt.Sprintf("is signed by %s, and the vendor's support CA is %s", ssh.FingerprintSHA256(c.SignatureKey), ssh.FingerprintSHA256(supportCA)), certifyHelp}
	}
	good := []string{PrincipalAny, PrincipalOf(system)}
	if name != "" {
		good = append(good, PrincipalOf(name))
	}
	for _, p := range good {
		if slices.Contains(c.ValidPrincipals, p) {
			return nil
		}
	}
	if len(c.ValidPrincipals) == 0 {
		return &CertificateError{"names no principal, so it is good for no system", certifyHelp}
	}
	return &CertificateError{fmt.Sprintf("is good for %s, not for this system", strings.Join(c.ValidPrincipals, ", ")), certifyHelp + " --system " + name}
}

// Ends is when a certificate ends, the zero time when it never does.
func Ends(c *ssh.Certificate) time.Time {
	if c.ValidBefore == ssh.CertTimeInfinity {
		return time.Time{}
	}
	return time.Unix(int64(c.ValidBefore), 0)
}

// ParseCertificate reads a line as ssh-keygen writes it to KEY-cert.pub.
func ParseCertificate(line []byte) (*ssh.Certificate, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	c, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("read certificate: this is a public key; the certificate of KEY.pub is in KEY-cert.pub")
	}
	return c, nil
}
