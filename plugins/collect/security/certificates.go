package security

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// certificatePaths are where certificates are looked for. Of what is found
// there only files are opened that are named like certificates.
var certificatePaths = []string{
	"/etc/ssl/**", "/etc/pki/**", "/etc/letsencrypt/live/**", "/etc/letsencrypt/archive/**", "/etc/kubernetes/pki/**", "/etc/nginx/**", "/etc/apache2/**",
	"/etc/httpd/**", "/etc/haproxy/**", "/etc/postfix/**", "/etc/dovecot/**", "/etc/docker/**", "/etc/openvpn/**", "/etc/ipsec.d/**", "/etc/ldap/**", "/etc/openldap/**",
	"/usr/local/share/ca-certificates/**",
}

// notCertificates are folders and files that hold keys, or trusted roots in
// formats of their own, and those of the distribution once more.
var notCertificates = []string{
	"/etc/ssl/private/**", "/etc/pki/tls/private/**", "/etc/pki/CA/private/**", "/etc/letsencrypt/accounts/**", "/etc/letsencrypt/keys/**", "/etc/pki/ca-trust/extracted/java/**",
	"/etc/pki/ca-trust/extracted/edk2/**", "/etc/ipsec.d/private/**", "/etc/pki/rpm-gpg/**", "/etc/pki/entitlement/**", "*.key", "*key*.pem", "*.p12", "*.pfx", "*.jks",
}

// Bounds of what is read.
const (
	maxCertificateFiles = 5000
	maxCertificateFile  = 4 << 20
	storeSize           = 10 // a file with more certificates is a store of trusted roots
)

// certificate is what certificates.json tells of one.
type certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	Names     []string  `json:"names,omitempty"` // subject alternative names
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	DaysLeft  int       `json:"days_left"` // negative when it has expired
	CA        bool      `json:"ca,omitempty"`
	Key       string    `json:"key"` // algorithm of the public key
	Signature string    `json:"signature"`
	SHA256    string    `json:"sha256"` // of the certificate
}

// certificateFile is a file with certificates. Of a store of trusted roots
// only the expired ones are listed.
type certificateFile struct {
	Path         string        `json:"path"`
	Count        int           `json:"count"`
	Certificates []certificate `json:"certificates,omitempty"`
	Expired      []certificate `json:"expired,omitempty"`
	Error        string        `json:"error,omitempty"`
}

type certificates struct {
	Time    time.Time         `json:"time"`
	Expired int               `json:"expired"` // in the files below
	Soon    int               `json:"expire_within_30_days"`
	Files   []certificateFile `json:"files"`
	Note    string            `json:"note,omitempty"`
}

// certificatesOf looks for certificates and reads them.
func certificatesOf(ctx context.Context, o recipe.Opener, paths []string, now time.Time) ([]byte, error) {
	out := certificates{Time: now.UTC().Truncate(time.Second), Files: []certificateFile{}}
	found, err := filetree.Find(ctx, o, filetree.Options{Paths: paths, Exclude: notCertificates, Max: maxCertificateFiles})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		out.Note = err.Error()
	}
	for _, e := range found {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isCertificate(e) {
			continue
		}
		f := certificateFile{Path: e.Path}
		text, err := recipe.Read(o, e.Path, maxCertificateFile)
		switch {
		case errors.Is(err, fs.ErrNotExist): // a link that leads nowhere
			continue
		case err != nil:
			f.Error = err.Error()
		default:
			f = inspect(e.Path, []byte(text), now)
		}
		if f.Count == 0 && f.Error == "" {
			continue
		}
		for _, c := range append(f.Certificates, f.Expired...) {
			switch {
			case now.After(c.NotAfter):
				out.Expired++
			case c.NotAfter.Sub(now) < 30*24*time.Hour:
				out.Soon++
			}
		}
		out.Files = append(out.Files, f)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}

// isCertificate goes by the name. Links to the roots that the distribution
// trusts are not followed: the store that is made of them tells the same.
func isCertificate(e filetree.Entry) bool {
	if e.Mode.IsDir() || strings.Contains(e.Target, "/usr/share/ca-certificates/") || strings.HasSuffix(path.Dir(e.Path), "/ca-trust/extracted/pem/directory-hash") {
		return false
	}
	if e.Target != "" && path.Dir(e.Path) == "/etc/ssl/certs" && !strings.Contains(e.Target, "/") {
		return false // a name by hash for its neighbour
	}
	switch strings.ToLower(path.Ext(e.Path)) {
	case ".pem", ".crt", ".cer", ".cert", ".der":
		return true
	}
	return false
}

// inspect reads the certificates of a file and passes over everything else in
// it, such as a private key.
func inspect(name string, data []byte, now time.Time) certificateFile {
	f := certificateFile{Path: name}
	var all []certificate
	add := func(der []byte) {
		f.Count++
		c, err := x509.ParseCertificate(der)
		if err != nil {
			f.Error = "a certificate that cannot be read: " + err.Error()
			return
		}
		all = append(all, tell(c, now))
	}
	rest := data
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE" {
			add(block.Bytes)
		}
	}
	if len(data) > 0 && data[0] == 0x30 { // an ASN.1 sequence: DER
		if c, err := x509.ParseCertificate(data); err == nil {
			f.Count++
			all = append(all, tell(c, now))
		}
	}
	if f.Count <= storeSize {
		f.Certificates = all
		return f
	}
	for _, c := range all {
		if now.After(c.NotAfter) {
			f.Expired = append(f.Expired, c)
		}
	}
	return f
}

func tell(c *x509.Certificate, now time.Time) certificate {
	sum := sha256.Sum256(c.Raw)
	out := certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		DaysLeft: int(c.NotAfter.Sub(now).Hours() / 24), CA: c.IsCA, Key: c.PublicKeyAlgorithm.String(), Signature: c.SignatureAlgorithm.String(), SHA256: hex.EncodeToString(sum[:]),
	}
	out.Names = append(append(out.Names, c.DNSNames...), c.EmailAddresses...)
	for _, ip := range c.IPAddresses {
		out.Names = append(out.Names, ip.String())
	}
	for _, u := range c.URIs {
		out.Names = append(out.Names, u.String())
	}
	return out
}
