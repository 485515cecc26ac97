package infinibox

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
)

type settings struct {
	Product   string        `config:"product" default:"auto" oneof:"auto,infinibox,infiniguard" help:"what the array is: it is called so where users read of it, and auto looks after a login"`
	Addresses []string      `config:"addresses" required:"true" help:"management addresses of the array as host or host:port; one that does not serve is passed over"`
	Pin       string        `config:"pin" help:"SHA-256 of the array's certificate, as SHA256:base64 or in hex"`
	CA        string        `config:"ca" help:"PEM certificates that the array's certificate must chain to, instead of the system's"`
	Insecure  bool          `config:"insecure_skip_verify" help:"accept any certificate; whoever sits in between then reads the password"`
	EventUser string        `config:"event_user" help:"user of the array, kept for events that are written later, when nobody logs in; the Test Connection tries it"`
	EventPass config.Secret `config:"event_password" help:"its password"`
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
		if _, err := trust.ParsePin(s.Pin); err != nil {
			p.Add("pin", "%v", err)
		}
	}
	if s.CA != "" {
		if err := trust.CheckCA(s.CA); err != nil {
			p.Add("ca", "%v", err)
		}
	}
	if s.Insecure && (s.Pin != "" || s.CA != "") {
		p.Add("insecure_skip_verify", "it contradicts pin and ca; leave it out")
	}
	if s.EventUser != "" && s.EventPass.IsZero() {
		p.Add("event_password", "event_user needs one")
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

// tls makes the configuration of the connections, and a word for the audit
// log on how the array proves itself.
func (s *settings) tls() (*tls.Config, string) {
	c, how := trust.Config(s.Pin, s.CA)
	if s.Insecure {
		c.InsecureSkipVerify = true
		how = notVerified
	}
	return c, how
}

const notVerified = "NOT VERIFIED"
