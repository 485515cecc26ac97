package socks

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/sdk/transport"
)

// dialogue runs the protocol of the settings on a connection to the proxy.
func (s *settings) dialogue(ctx context.Context, conn net.Conn, address string) error {
	if s.Version != "5" {
		return connect4(conn, address, s.User)
	}
	var auth *proxy.Auth
	if s.User != "" {
		auth = &proxy.Auth{User: s.User, Password: s.Password.Reveal()}
	}
	d, err := proxy.SOCKS5("tcp", s.Proxy, auth, proxy.Direct)
	if err != nil {
		return transport.Errorf(transport.Config, "", "%w", err)
	}
	// x/net's dialer can speak on a connection that it did not make; what it
	// would return itself hides the socket, which we must hand over.
	speaker, ok := d.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
	})
	if !ok {
		return errors.New("golang.org/x/net/proxy has no DialWithConn")
	}
	_, err = speaker.DialWithConn(ctx, conn, "tcp", address)
	return explain5(err, address, auth != nil)
}

// answers5 tells by its text which answer of the proxy an error of
// golang.org/x/net/proxy stands for: it has no codes. A test holds the texts.
var answers5 = []struct {
	text, hint string
	code       transport.Code
	message    string
}{
	{"username/password authentication failed", "check user name and password", transport.ProxyAuth, "the proxy does not accept the user name and password"},
	{"invalid username/password", "user name and password must have 1 to 255 bytes each", transport.ProxyAuth, "the proxy wants a user name and a password"},
	{"no acceptable authentication methods", "give the proxy's user name and password", transport.ProxyAuth, "the proxy offers no way to log in that is set up here"},
	{"connection not allowed by ruleset", "ask for the target and its port to be allowed on the proxy", transport.ProxyRefused, "the proxy does not allow a connection to TARGET"},
	{"host unreachable", "is the name right, and does the proxy know it?", transport.DNS, "the proxy cannot reach the host of TARGET"},
	{"network unreachable", "has the proxy a way to the internet?", transport.Unreachable, "the proxy has no route to TARGET"},
	{"connection refused", "is the address and port right?", transport.Refused, "nothing listens at TARGET, says the proxy"},
	{"TTL expired", "", transport.Unreachable, "the proxy cannot reach TARGET"},
	{"command not supported", "it is a SOCKS5 proxy that makes no connections", transport.ProxyBroken, "the proxy does not know CONNECT"},
	{"address type not supported", "the proxy may know no names, or no IPv6", transport.ProxyBroken, "the proxy does not take an address like TARGET"},
	{"general SOCKS server failure", "look into the proxy's log", transport.ProxyRefused, "the proxy failed to connect to TARGET"},
	{"unexpected protocol version", "is it a SOCKS5 proxy?", transport.ProxyBroken, "what answers is no SOCKS5 proxy"},
	{"unknown error", "", transport.ProxyBroken, "the proxy answered with an unknown code"},
	{"non-zero reserved field", "is it a SOCKS5 proxy?", transport.ProxyBroken, "what answers is no SOCKS5 proxy"},
	{"unknown address type", "is it a SOCKS5 proxy?", transport.ProxyBroken, "what answers is no SOCKS5 proxy"},
	{"invalid username/password version", "is it a SOCKS5 proxy?", transport.ProxyBroken, "what answers is no SOCKS5 proxy"},
	{"FQDN too long", "a name may have 255 bytes", transport.Config, "the name of the target is too long"},
	{"port number out of range", "", transport.Config, "the port of TARGET is none"},
}

func explain5(err error, target string, haveAuth bool) error {
	if err == nil {
		return nil
	}
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return err // the caller knows which deadline it was
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if haveAuth {
			// Some proxies hang up instead of saying no.
			return transport.Errorf(transport.ProxyAuth, "check user name and password, and that it is a SOCKS5 proxy", "the proxy hung up in the middle of the login")
		}
		return hungUp(err)
	}
	text := err.Error()
	for _, a := range answers5 {
		if strings.Contains(text, a.text) {
			return transport.Errorf(a.code, a.hint, "%s", strings.ReplaceAll(a.message, "TARGET", target))
		}
	}
	return transport.Explain(err)
}
