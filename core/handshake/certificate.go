package handshake

import (
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// Peer is the engineer whom a handshake let in.
type Peer struct {
	Engineer    string // KeyId of the certificate; policy's fact `engineer`
	Certificate *ssh.Certificate
	Case        string
	Witness     ssh.PublicKey
	Mode        string
}

// Principals of a certificate that is good for any system, and the prefix of
// those for one, by id or by name.
const (
	PrincipalAny    = "latchstring"
	PrincipalSystem = "system:"
)

// checkCertificate decides whether line is a certificate that the vendor gave
// an engineer for this system. It does not prove that somebody has its key.
func checkCertificate(line string, ca ssh.PublicKey, systems []string, now time.Time) (*ssh.Certificate, error) {
	key, err := parseKey(line)
	if err != nil {
		return nil, refuse(CodeCertificate, "the certificate cannot be read")
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok || cert.CertType != ssh.UserCert {
		return nil, refuse(CodeCertificate, "what was sent is no user certificate")
	}
	if ca == nil {
		return nil, refuse(CodeCertificate, "this system knows no CA for engineers; enrol it again")
	}
	if !sameKey(cert.SignatureKey, ca) {
		return nil, refuse(CodeCertificate, "the certificate is not signed by the vendor's CA for engineers")
	}
	if !word(cert.KeyId, 128) {
		return nil, refuse(CodeCertificate, "the certificate names no engineer")
	}
	switch t := now.Unix(); {
	case cert.ValidBefore != ssh.CertTimeInfinity && t >= int64(min(cert.ValidBefore, 1<<62)):
		return nil, refuse(CodeCertificate, "the certificate of %s has expired", cert.KeyId)
	case t < int64(min(cert.ValidAfter, 1<<62)):
		return nil, refuse(CodeCertificate, "the certificate of %s is not valid yet; compare the clocks", cert.KeyId)
	case len(cert.CriticalOptions) > 0:
		return nil, refuse(CodeCertificate, "the certificate of %s has critical options, which this system cannot keep", cert.KeyId)
	case !slices.ContainsFunc(cert.ValidPrincipals, func(p string) bool { return reaches(p, systems) }):
		return nil, refuse(CodeCertificate, "the certificate of %s is for other systems", cert.KeyId)
	}
	// Signature, with the principal that was found above: CheckCert wants one.
	checker := ssh.CertChecker{
		Clock:           func() time.Time { return now },
		IsUserAuthority: func(k ssh.PublicKey) bool { return sameKey(k, ca) },
	}
	if err := checker.CheckCert(cert.ValidPrincipals[0], cert); err != nil {
		return nil, refuse(CodeCertificate, "the certificate of %s does not hold", cert.KeyId)
	}
	return cert, nil
}

func reaches(principal string, systems []string) bool {
	if principal == PrincipalAny {
		return true
	}
	return slices.ContainsFunc(systems, func(s string) bool { return s != "" && principal == PrincipalSystem+s })
}

// validUntil is when a certificate ends; the zero time if never.
func validUntil(c *ssh.Certificate) time.Time {
	if c.ValidBefore > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(c.ValidBefore), 0)
}
