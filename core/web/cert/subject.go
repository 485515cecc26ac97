package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Subject is what somebody fills in for a request or a self-signed certificate.
type Subject struct {
	CommonName   string   // CN, of up to 64 characters
	Organization string   // O
	Unit         string   // OU
	Country      string   // C, two letters (ISO 3166)
	State        string   // ST
	Names        []string // alternative names: host names and addresses. The common name is one of them
	KeyType      string   // one of KeyTypes; empty: the first
}

// KeyTypes are the kinds of keys that are made.
var KeyTypes = []string{"rsa2048", "rsa4096", "p256", "p384"}

// maxNames bounds the alternative names.
const maxNames = 50

// filled is a subject that was checked.
type filled struct {
	name pkix.Name
	dns  []string
	ips  []net.IP
	kind string
}

// check reads the fields. The bounds are those of RFC 5280, appendix A.
func (s Subject) check() (filled, error) {
	f := filled{kind: s.KeyType}
	if f.kind == "" {
		f.kind = KeyTypes[0]
	}
	if !slices.Contains(KeyTypes, f.kind) {
		return f, refuse(Fields, "use "+strings.Join(KeyTypes, ", "), "there is no kind of key %.40q", f.kind)
	}
	field := func(what, value string, most int, into *[]string) error {
		value = strings.TrimSpace(value)
		switch {
		case value == "":
			return nil
		case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
			return refuse(Fields, "use letters, digits, spaces and signs", "%s holds a character that cannot be shown", what)
		case utf8.RuneCountInString(value) > most:
			return refuse(Fields, "", "%s is longer than %d characters", what, most)
		}
		*into = []string{value}
		return nil
	}
	var cn []string
	country := strings.ToUpper(strings.TrimSpace(s.Country))
	for _, err := range []error{
		field("the common name (CN)", s.CommonName, 64, &cn),
		field("the organization (O)", s.Organization, 64, &f.name.Organization),
		field("the organizational unit (OU)", s.Unit, 64, &f.name.OrganizationalUnit),
		field("the state (ST)", s.State, 128, &f.name.Province),
	} {
		if err != nil {
			return f, err
		}
	}
	if len(cn) == 0 {
		return f, refuse(Fields, "write the name by which browsers reach the pages", "the common name (CN) is missing")
	}
	f.name.CommonName = cn[0]
	if country != "" {
		if len(country) != 2 || strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return f, refuse(Fields, "use the code of the country, as US, DE or IL", "the country (C) is two letters, and not %.40q", s.Country)
		}
		f.name.Country = []string{country}
	}
	return f, f.alternative(s.Names)
}

// alternative fills in the alternative names; the common name is the first.
func (f *filled) alternative(names []string) error {
	if len(names) > maxNames {
		return refuse(Fields, "", "there are %d alternative names, and no more than %d are taken", len(names), maxNames)
	}
	for i, name := range append([]string{f.name.CommonName}, names...) {
		name = strings.TrimSpace(name)
		ip := net.ParseIP(strings.Trim(name, "[]"))
		switch {
		case name == "":
		case ip != nil:
			if !slices.ContainsFunc(f.ips, ip.Equal) {
				f.ips = append(f.ips, ip)
			}
		case hostName(name):
			if name = strings.ToLower(strings.TrimSuffix(name, ".")); !slices.Contains(f.dns, name) {
				f.dns = append(f.dns, name)
			}
		case i > 0:
			return refuse(Fields, "write host names and addresses; names in other scripts as xn--...", "the alternative name %.80q is no host name", name)
		case len(names) == 0:
			return refuse(Fields, "write the name by which browsers reach the pages, or add it as an alternative name", "the common name (CN) %.80q is no host name", name)
		}
	}
	return nil
}

// hostName reports whether something is a name as in RFC 1123, perhaps with one
// star before it.
func hostName(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func makeKey(kind string) (crypto.Signer, error) {
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa2048":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "rsa4096":
		key, err = rsa.GenerateKey(rand.Reader, 4096)
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		err = fmt.Errorf("there is no kind %q", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("make the key of the web pages: %w", err)
	}
	return key, nil
}
