package infinibox

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/config"
)

type settings struct {
	Addresses []string      `config:"addresses" required:"true" help:"management addresses of the array as host or host:port; one that does not serve is passed over"`
	Pin       string        `config:"pin" help:"SHA-256 of the array's certificate, as SHA256:base64 or in hex"`
	CA        string        `config:"ca" help:"PEM certificates that the array's certificate must chain to, instead of the system's"`
	Insecure  bool          `config:"insecure_skip_verify" help:"accept any certificate; whoever sits in between then reads the password"`
	Timeout   time.Duration `config:"timeout" default:"15s" help:"how long one management address may take"`
}

// maxAddresses bounds how often one password is tried: a locked account is the
// least that comes of more.
const maxAddresses = 8

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if len(s.Addresses) > maxAddresses {
		p.Add("addresses", "no more than %d", maxAddresses)
	}
	for _, a := range s.Addresses {
		if _, err := withPort(a); err != nil {
			p.Add("addresses", "write each as host or host:port, without https://")
			break
		}
	}
	if s.Pin != "" {
		if _, err := parsePin(s.Pin); err != nil {
			p.Add("pin", "%v", err)
		}
	}
	if s.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(s.CA)) {
		p.Add("ca", "there is no certificate in PEM form in it")
	}
	if s.Insecure && (s.Pin != "" || s.CA != "") {
		p.Add("insecure_skip_verify", "it contradicts pin and ca; leave it out")
	}
	if s.Timeout <= 0 {
		p.Add("timeout", "it must be more than nothing")
	}
	if len(p) > 0 {
		return p
	}
	return nil
}

// withPort returns host:port, with 443 where there is none.
func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "443"
	}
	if _, bad := strconv.ParseUint(port, 10, 16); bad != nil || port == "0" {
		return "", fmt.Errorf("port %q", port)
	}
	if _, bad := netip.ParseAddr(host); bad != nil && (host == "" || strings.ContainsAny(host, "/@:?#% \t")) {
		return "", fmt.Errorf("host %q", host)
	}
	return net.JoinHostPort(host, port), nil
}

func parsePin(s string) ([]byte, error) {
	var b []byte
	var err error
	if rest, ok := strings.CutPrefix(s, "SHA256:"); ok {
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "="))
	} else {
		b, err = hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	}
	if err != nil || len(b) != sha256.Size {
		return nil, fmt.Errorf("write it as SHA256:base64 or as %d hexadecimal digits", 2*sha256.Size)
	}
	return b, nil
}

func showPin(sum [sha256.Size]byte) string {
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// wrongCertificate is a certificate that is not the pinned one.
type wrongCertificate struct{ shown string }

func (e *wrongCertificate) Error() string {
	return "its certificate is not the pinned one but " + e.shown
}

// tls makes the configuration of the connections, and a word for the audit
// log on how the array proves itself.
func (s *settings) tls() (*tls.Config, string) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case s.Pin != "":
		pin, _ := parsePin(s.Pin) // Validate has read it
		// The check below takes the place of the chain.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], pin) != 1 {
				return &wrongCertificate{showPin(sum)}
			}
			return nil
		}
		return c, "pinned"
	case s.CA != "":
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM([]byte(s.CA))
		return c, "own authority"
	case s.Insecure:
		c.InsecureSkipVerify = true
		return c, notVerified
	}
	return c, "system authorities"
}

const notVerified = "NOT VERIFIED"
