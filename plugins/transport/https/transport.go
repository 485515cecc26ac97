package https

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Name is the transport's name.
const Name = "https"

// Transport dials through the proxy.
type Transport struct {
	settings settings
	forward  proxy.Dialer // how to reach the proxy; nil for TCP
}

// New makes the transport.
func New() *Transport { return &Transport{} }

// Config is where the host's settings go.
func (t *Transport) Config() any { return &t.settings }

// Needs declares the proxy's port, which only the settings know, and what is
// read to find the proxy, check its certificate and log in to it.
func (t *Transport) Needs() needs.List {
	return needs.List{
		Ports: []string{"*"},
		Paths: append(tcp.ResolverPaths(), "/etc/ssl/certs/*", "/etc/krb5.conf", "/etc/krb5.conf.d/*"),
	}
}

// ResolvesNames says that the target's name is left to the proxy (REQ A17).
func (t *Transport) ResolvesNames() bool { return true }

// link is one connection to the proxy.
type link struct {
	conn net.Conn
	br   *bufio.Reader
}

// Dial connects to the proxy and has it connect to the target.
func (t *Transport) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	s := &t.settings
	if _, _, err := tcp.CheckTarget(target); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	d := &dialogue{settings: s, target: target.Address, connect: func() (*link, error) { return t.reach(ctx, target.Bind) }}
	l, err := d.run(ctx)
	if err != nil {
		// The deadline of the connection and that of the context are the same
		// moment; either may be noticed first.
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, transport.Errorf(transport.Timeout, "is it an HTTP proxy? it accepts connections and says nothing", "the proxy %s does not answer", s.Proxy)
		}
		return nil, err
	}
	note := fmt.Sprintf("through %s, %s", s.Proxy, d.way())
	return transport.WithNote(transport.Buffered(l.conn, l.br), note), nil
}

// reach connects to the proxy itself.
func (t *Transport) reach(ctx context.Context, bind string) (*link, error) {
	s := &t.settings
	conn, err := t.dialProxy(ctx, bind)
	if err != nil {
		return nil, fmt.Errorf("reach the proxy %s: %w", s.Proxy, err)
	}
	if s.TLS {
		secure, err := t.handshake(ctx, conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	return &link{conn: conn, br: bufio.NewReader(conn)}, nil
}

func (t *Transport) dialProxy(ctx context.Context, bind string) (net.Conn, error) {
	switch f := t.forward.(type) {
	case nil:
		return tcp.Dial(ctx, t.settings.Proxy, bind, t.settings.Timeout)
	case proxy.ContextDialer:
		return f.DialContext(ctx, "tcp", t.settings.Proxy)
	default:
		return f.Dial("tcp", t.settings.Proxy)
	}
}

func (t *Transport) handshake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	s := &t.settings
	host, _, err := net.SplitHostPort(s.Proxy)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM([]byte(s.CA)) {
			return nil, transport.Errorf(transport.Config, "give PEM certificates", "no certificate in the setting ca")
		}
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		var header tls.RecordHeaderError
		if errors.As(err, &header) {
			return nil, transport.Errorf(transport.ProxyBroken, "reach it without TLS (http:// instead of https://)", "the proxy %s does not speak TLS", s.Proxy)
		}
		return nil, fmt.Errorf("TLS to the proxy %s: %w", s.Proxy, transport.Explain(err))
	}
	return secure, nil
}
