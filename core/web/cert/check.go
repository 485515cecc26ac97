package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

const keyTypes = "keys that can be used: RSA with 2048 or 4096 bits, ECDSA on P-256 or P-384"

// aheadOfUs is by how much the clock of a certificate authority may be ahead.
const aheadOfUs = 5 * time.Minute

// keyName is what kind of key it is, as [KeyTypes] and the command line name
// them; an error for one that is not taken.
func keyName(public crypto.PublicKey) (string, error) {
	kind := fmt.Sprintf("of the kind %T", public)
	switch k := public.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n == 2048 || n == 4096 {
			return fmt.Sprintf("rsa%d", n), nil
		}
		kind = fmt.Sprintf("RSA with %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return "p256", nil
		case elliptic.P384():
			return "p384", nil
		}
		kind = "ECDSA on " + k.Curve.Params().Name
	default:
		kind = strings.TrimPrefix(strings.TrimPrefix(kind, "of the kind "), "*")
		kind = strings.TrimSuffix(kind, ".PublicKey")
		if kind == "ed25519" {
			kind = "Ed25519, which browsers do not accept"
		}
	}
	return "", refuse(KeyType, keyTypes, "the key is %s", kind)
}

// holder is a key with where it comes from.
type holder struct {
	key  crypto.Signer
	from string // "upload", "request", "use"
}

// pair finds the certificate that belongs to the key, and the key that belongs
// to a certificate which came alone.
func pair(p parts, ours []holder) (*x509.Certificate, holder, error) {
	var none holder
	if len(p.certs) == 0 {
		return nil, none, refuse(Readable, wanted, "the file holds a private key, but no certificate")
	}
	mine := p.keys[:0:0]
	for _, k := range p.keys { // the same one twice is one
		if !slices.ContainsFunc(mine, func(o crypto.Signer) bool { return samePublic(o.Public(), k.Public()) }) {
			mine = append(mine, k)
		}
	}
	if len(mine) > 1 {
		return nil, none, refuse(Readable, wanted, "the file holds %d different private keys", len(mine))
	}
	for _, k := range mine {
		if _, err := keyName(k.Public()); err != nil {
			return nil, none, err
		}
		ours = []holder{{k, "upload"}}
	}
	for _, h := range ours {
		for _, c := range p.certs {
			if samePublic(h.key.Public(), c.PublicKey) {
				return c, h, nil
			}
		}
	}
	first := first(p.certs)
	if _, err := keyName(first.PublicKey); err != nil {
		return nil, none, err // what would have to be done about the key is that
	}
	switch {
	case len(mine) > 0:
		return nil, none, refuse(KeyMatches, "take the key with which it was requested", "the private key does not belong to the certificate of %s", called(first))
	case slices.ContainsFunc(ours, func(h holder) bool { return h.from == "request" }):
		return nil, none, refuse(KeyMatches, "upload it together with its own private key, or have the request of this system signed",
			"the certificate of %s does not belong to the request (CSR) that was made here, and the file holds no private key", called(first))
	}
	return nil, none, refuse(Readable, wanted, "the file holds a certificate, but no private key, and no request (CSR) of this system waits for a certificate")
}

// first is the certificate that is most likely meant: one that signed no other.
func first(all []*x509.Certificate) *x509.Certificate {
	for _, c := range all {
		if !c.IsCA {
			return c
		}
	}
	return all[0]
}

func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// called is a certificate in a message.
func called(c *x509.Certificate) string {
	name := c.Subject.CommonName
	if name == "" && len(c.DNSNames) > 0 {
		name = c.DNSNames[0]
	}
	return fmt.Sprintf("%.80q", name)
}

// checkTimes is about a certificate of ours, or one of its chain.
func checkTimes(c *x509.Certificate, now time.Time, what string) error {
	const clock = "if it is good, the clock of this machine is wrong"
	if now.After(c.NotAfter) {
		return refuse(NotExpired, clock, "%s expired on %s", what, c.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
	}
	if c.NotBefore.After(now.Add(aheadOfUs)) {
		return refuse(NotFuture, clock, "%s is not good before %s; it is %s here", what, c.NotBefore.UTC().Format("2006-01-02 15:04 MST"), now.UTC().Format("2006-01-02 15:04 MST"))
	}
	return nil
}

func checkPurpose(c *x509.Certificate) error {
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return nil
	}
	return refuse(Purpose, "have one made for servers (extended key usage: serverAuth)", "the certificate of %s is not for servers, so that browsers would refuse it", called(c))
}

// Doubts are what an upload of this certificate would have been refused for, or
// told of. They matter where somebody put it in its place by hand.
func (s *Store) Doubts(c *x509.Certificate) []string {
	var out []string
	for _, err := range []error{checkTimes(c, s.now(), "the certificate"), checkPurpose(c), checkName(c, s.system())} {
		if err != nil {
			out = append(out, err.Error())
		}
	}
	if _, err := keyName(c.PublicKey); err != nil {
		out = append(out, err.Error())
	}
	return out
}

// names are those of a certificate: the alternative ones, or the common name of
// an old one that has none.
func names(c *x509.Certificate) (all []string, old bool) {
	all = slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 && c.Subject.CommonName != "" {
		return []string{c.Subject.CommonName}, true
	}
	return all, false
}

// checkName compares the names of a certificate with those of the system.
func checkName(c *x509.Certificate, system []string) error {
	theirs, old := names(c)
	judge := c
	if old {
		judge = &x509.Certificate{DNSNames: theirs}
	}
	domain := false
	for _, name := range system {
		if judge.VerifyHostname(name) == nil {
			return nil
		}
		domain = domain || net.ParseIP(name) == nil && strings.Contains(name, ".")
	}
	// A machine that does not know its domain goes by the name before the dot.
	if !domain {
		for _, name := range theirs {
			short, _, _ := strings.Cut(name, ".")
			if net.ParseIP(name) == nil && slices.ContainsFunc(system, func(s string) bool { return strings.EqualFold(s, short) }) {
				return nil
			}
		}
	}
	shown := strings.Join(theirs, ", ")
	if len(shown) > 200 {
		shown = shown[:200] + " ..."
	}
	if shown == "" {
		shown = "nobody"
	}
	return refuse(Name, "have one made for this name; or say that you reach the pages by the other one", "the certificate is for %s, and this system is called %s", shown, strings.Join(onlyNames(system), ", "))
}

func onlyNames(all []string) []string {
	out := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return net.ParseIP(s) != nil })
	if len(out) == 0 {
		return all
	}
	return out
}

// chain puts the certificates above leaf into order, each signed by the next.
// What does not belong is left out and counted.
func chain(leaf *x509.Certificate, rest []*x509.Certificate, now time.Time) (above []*x509.Certificate, strange int, err error) {
	var left []*x509.Certificate
	for _, c := range rest {
		if !c.Equal(leaf) && !slices.ContainsFunc(left, c.Equal) {
			left = append(left, c)
		}
	}
	for at := leaf; !bytes.Equal(at.RawIssuer, at.RawSubject); {
		i := slices.IndexFunc(left, func(c *x509.Certificate) bool { return signed(at, c) })
		if i < 0 {
			break
		}
		at = left[i]
		if err := checkTimes(at, now, "the certificate of the authority "+called(at)); err != nil {
			return nil, 0, err
		}
		above = append(above, at)
		left = slices.Delete(left, i, i+1)
	}
	return above, len(left), nil
}

// signed reports whether a certificate was signed by another.
func signed(c, by *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, by.RawSubject) {
		return false
	}
	if k, ok := by.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > 8192 {
		return false // it would take long
	}
	err := c.CheckSignatureFrom(by)
	return err == nil || errors.As(err, new(x509.InsecureAlgorithmError))
}
