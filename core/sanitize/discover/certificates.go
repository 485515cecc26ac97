package discover

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
)

// certDirs hold the certificates of services; the store of public authorities
// (/etc/ssl/certs) is not among them.
var certDirs = []string{
	"etc/latchstring/tls", "etc/ssl/private", "etc/ssl/localcerts", "etc/pki/tls/certs", "etc/pki/tls/private", "etc/nginx/ssl",
	"etc/nginx/certs", "etc/apache2/ssl", "etc/httpd/ssl", "etc/haproxy/certs", "etc/kubernetes/pki", "etc/kubernetes/pki/etcd",
	"etc/docker/certs", "etc/postgresql/ssl", "etc/mysql/ssl", "etc/rabbitmq/ssl", "etc/openvpn",
}

// Bounds on how much is looked at.
const (
	maxCertFiles = 256 // in a directory
	maxCerts     = 64  // in a file: more is a store of authorities
)

// certificates takes the DNS names and common names of certificates.
func (f *finder) certificates(dirs []string) {
	if dirs == nil {
		dirs = certDirs
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(f.root, dir))
		if err != nil {
			if !os.IsNotExist(err) {
				f.skip(dir, err)
			}
			continue
		}
		for _, e := range entries[:min(len(entries), maxCertFiles)] {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".pem", ".crt", ".cer", ".cert", ".der":
				f.read(filepath.Join(dir, e.Name()), f.certificate)
			}
		}
	}
}

// certificate reads PEM or DER. Keys in the same file are passed over.
func (f *finder) certificate(data []byte) {
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		f.subject(data)
		return
	}
	var found [][]byte
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			found = append(found, block.Bytes)
		}
	}
	if len(found) > maxCerts {
		return
	}
	for _, der := range found {
		f.subject(der)
	}
}

func (f *finder) subject(der []byte) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return
	}
	for _, name := range cert.DNSNames {
		f.host(name)
	}
	if cn := cert.Subject.CommonName; strings.Contains(cn, ".") {
		f.host(cn)
	}
	for _, mail := range cert.EmailAddresses {
		if user, domain, ok := strings.Cut(mail, "@"); ok {
			f.user(user)
			f.domain(domain)
		}
	}
}
