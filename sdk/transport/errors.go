package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/latchstring/latchstring/sdk/failure"
)

// Error is what a transport fails with, see package failure.
type Error = failure.Error

// Code says what kind of failure it is.
type Code = failure.Code

// The codes that a transport fails with.
const (
	DNS          = failure.DNS          // the name is not found
	Unreachable  = failure.Unreachable  // no route, network down
	Refused      = failure.Refused      // nothing listens there
	Timeout      = failure.Timeout      // no answer in time
	Reset        = failure.Reset        // the peer hung up in the middle
	TLS          = failure.TLS          // the certificate is not the right one
	ProxyAuth    = failure.ProxyAuth    // the proxy wants other credentials
	ProxyRefused = failure.ProxyRefused // the proxy does not let us go there
	ProxyBroken  = failure.ProxyBroken  // what answers is no such proxy
	Config       = failure.Config       // the settings do not work
)

// Errorf makes the error of a dial: a code, what the reader can do, and a
// message that may wrap another error with %w. Never put a password into it,
// nor what a proxy answered to one.
func Errorf(code Code, hint, format string, args ...any) error {
	return failure.New(code, hint, format, args...)
}

// Explain gives an error of the net, tls or io packages the code that it means,
// and a hint. Errors that are explained already, and nil, stay as they are.
// The SDK explains whatever Dial returns, so an author calls it only to add a
// message of his own.
func Explain(err error) error {
	var known *failure.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code, hint := classify(err)
	if code == "" {
		return err
	}
	return failure.New(code, hint, "%w", err)
}

func classify(err error) (Code, string) {
	var (
		dns      *net.DNSError
		timeout  net.Error
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		cert     *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		alert    tls.AlertError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return failure.Cancelled, ""
	case errors.As(err, &dns) && !dns.IsTimeout:
		return DNS, "check the name, and the name servers of this machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, "nothing listens on this address and port; check both"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ENETDOWN),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENODEV):
		return Unreachable, "check the routes, the network and the address to dial from"
	case errors.Is(err, os.ErrPermission):
		return failure.Denied, "a firewall or the plugin's sandbox forbids this connection; see the plugin's declared ports"
	case errors.As(err, &record):
		return TLS, "the other side does not speak TLS on this port"
	case errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &alert):
		return TLS, "the certificate is not trusted here; check the name, the clock and the certificate authority"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Reset, "the other side hung up; a firewall or proxy may be in between"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout, "nothing answered in time; a firewall may drop the packets"
	}
	return "", ""
}
