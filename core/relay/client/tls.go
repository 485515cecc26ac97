package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
)

// Trust says which relay is the right one. Either Roots or Pin is set.
type Trust struct {
	Roots *x509.CertPool // what its certificate must chain to
	// Pin of a certificate that the relay must show and that must have issued
	// its own: the first contact, when only the enrolment token is known.
	Pin *api.Pin
	// Extra authorities are accepted as well; see [Client.TrustToo].
	Extra *x509.CertPool
}

func (t Trust) config(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.Roots, NextProtos: []string{"http/1.1"}}
	if t.Pin != nil {
		// Not less checking but another: verifyPinned does all of it.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return t.vendor(s, host) }
	}
	if t.Extra != nil {
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error {
			err := t.vendor(s, host)
			if err != nil && verifyChain(s.PeerCertificates, t.Extra, host) == nil {
				return nil
			}
			return err
		}
	}
	return c
}

// vendor checks that the certificate is the vendor's.
func (t Trust) vendor(s tls.ConnectionState, host string) error {
	if t.Pin != nil {
		return verifyPinned(s.PeerCertificates, *t.Pin, host)
	}
	return verifyChain(s.PeerCertificates, t.Roots, host)
}

func verifyChain(chain []*x509.Certificate, roots *x509.CertPool, host string) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host})
	return err
}

// verifyPinned checks the chain as usual, with the one certificate of the chain
// that has the pin as its root.
func verifyPinned(chain []*x509.Certificate, pin api.Pin, host string) error {
	for _, c := range chain {
		if api.PinOf(c) != pin {
			continue
		}
		roots := x509.NewCertPool()
		roots.AddCert(c)
		return verifyChain(chain, roots, host)
	}
	return &pinError{shown: chain}
}

// pinError says that none of the certificates is the pinned one.
type pinError struct{ shown []*x509.Certificate }

func (e *pinError) Error() string { return "the certificate is not under the pinned authority" }

// ConnectError says why a relay could not be reached safely.
type ConnectError struct {
	Address string
	What    string // the problem, in one sentence
	Help    string // what to do, or ""
	Err     error
	final   bool // trying again is of no use
}

func (e *ConnectError) Error() string { return fmt.Sprintf("relay %s: %s", e.Address, e.What) }

// Hint says what to do.
func (e *ConnectError) Hint() string { return e.Help }

func (e *ConnectError) Unwrap() error { return e.Err }

// explain makes a ConnectError of what dialling or the handshake returned.
func explain(address string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	e := &ConnectError{Address: address, Err: err}
	if e.certificate(err) || e.network(err) {
		return e
	}
	e.What = err.Error()
	var said interface{ Hint() string } // a transport that knows better
	if errors.As(err, &said) {
		e.Help = said.Hint()
	}
	return e
}

func (e *ConnectError) certificate(err error) bool {
	var pin *pinError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	e.final = true
	switch {
	case errors.As(err, &pin):
		e.What = fmt.Sprintf("its certificate is not the expected one: it is %s", describe(pin.shown))
		e.Help = "the address is of another server, or something in between inspects TLS; ask the network's administrator"
	case errors.As(err, &authority):
		e.What = fmt.Sprintf("its certificate is not issued by the vendor: it is %s", describe([]*x509.Certificate{authority.Cert}))
		e.Help = "the address is of another server, or something in between inspects TLS; ask the network's administrator"
	case errors.As(err, &host):
		e.What = fmt.Sprintf("its certificate is for another name: it is %s", describe([]*x509.Certificate{host.Certificate}))
		e.Help = "use the name that the vendor gave; the certificate is good for " + names(host.Certificate) + ". If its issuer is not the vendor's, something in between inspects TLS"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		c := invalid.Cert
		e.What = fmt.Sprintf("its certificate is valid from %s to %s, and this machine's clock says %s", c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime), time.Now().UTC().Format(time.DateTime))
		e.Help = "check the clock of this machine; if it is right, tell the vendor"
	case errors.As(err, &invalid):
		e.What = fmt.Sprintf("its certificate is not acceptable: %v", err)
	case errors.As(err, &record):
		e.What = "it does not speak TLS on this port"
		e.Help = "check the address and the port"
	case errors.As(err, &alert):
		e.What = fmt.Sprintf("it refused the TLS connection: %v", err)
		e.Help = "TLS 1.2 or later is needed"
	default:
		e.final = false
		return false
	}
	return true
}

func (e *ConnectError) network(err error) bool {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		e.What = fmt.Sprintf("its name cannot be resolved: %v", dns)
		e.Help = "check the address; where only a proxy resolves names, set the proxy"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.What = "nothing accepts connections there (connection refused)"
		e.Help = "check the address and the port; the relay may be restarting"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		e.What = "there is no route to it"
		e.Help = "check this machine's network, or set a proxy"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		e.What = "the connection was cut"
		e.Help = "if this repeats, a firewall may do it; ask the network's administrator"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		e.What = "it does not answer in time"
		e.Help = "check the address, and whether a firewall drops the connection"
	default:
		return false
	}
	return true
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// Presented connects without any trust and returns the authority that the
// relay shows, for a person to compare with what the operator said.
func Presented(ctx context.Context, address string, dial DialFunc) (api.Pin, string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return api.Pin{}, "", err
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := dial(ctx, "tcp", address)
	if err != nil {
		return api.Pin{}, "", explain(address, err)
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: true})
	if err := conn.HandshakeContext(ctx); err != nil {
		return api.Pin{}, "", explain(address, err)
	}
	chain := conn.ConnectionState().PeerCertificates
	last := chain[len(chain)-1]
	return api.PinOf(last), last.Subject.String(), nil
}

// describe names a certificate by whose it is and who made it.
func describe(chain []*x509.Certificate) string {
	if len(chain) == 0 || chain[0] == nil {
		return "missing"
	}
	c := chain[0]
	return fmt.Sprintf("for %q, issued by %q, SHA-256 %s", c.Subject, c.Issuer, api.PinOf(c))
}

func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no name at all"
	}
	return strings.Join(all, ", ")
}
