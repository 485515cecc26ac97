// Package inspectors reads whom the customer lets inspect TLS on the way to the
// relay: certificates of the authorities of his own proxies, as PEM files in
// etc/inspectors.d. There are none by default, and then a certificate that is
// not the vendor's is refused.
//
// An inspector that is let in can read the outer layer and that includes the
// login of the system. It reads neither a session, which is encrypted to the
// engineer, nor a bundle, which is encrypted to the vendor; and it is named in
// the status, in the audit log and by Test Connection.
package inspectors

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
)

// Dir is where the files are.
func Dir(root paths.Root) string { return root.Etc("inspectors.d") }

// Client returns the client that lets the customer's inspectors in; c itself
// where there are none.
func Client(root paths.Root, c *client.Client) (*client.Client, error) {
	pool, err := Pool(root)
	if err != nil || pool == nil {
		return c, err
	}
	return c.TrustToo(pool)
}

// Pool reads the authorities; it is nil where there are none. One bad file is an
// error: whoever put it there believes that it is in force.
func Pool(root paths.Root) (*x509.CertPool, error) {
	entries, err := os.ReadDir(Dir(root))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the authorities of inspecting proxies: %w", err)
	}
	var pool *x509.CertPool
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(Dir(root), e.Name())
		certs, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("the authority of an inspecting proxy in %s: %w", path, err)
		}
		if pool == nil {
			pool = x509.NewCertPool()
		}
		for _, c := range certs {
			pool.AddCert(c)
		}
	}
	return pool, nil
}

func read(path string) (certs []*x509.Certificate, err error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s; only certificates belong here", strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if !c.IsCA {
			return nil, fmt.Errorf("%s is no authority (CA); the certificate that issues the others is needed", c.Subject)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("it holds no certificate in PEM form; a DER file becomes one with: openssl x509 -inform der -in FILE -out FILE.pem")
	}
	return certs, nil
}
