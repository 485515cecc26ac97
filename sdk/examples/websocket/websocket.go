// Package websocket is an example of a transport: it reaches its target
// through a reverse proxy that only lets web traffic pass, in binary WebSocket
// frames, over TLS if the URL begins with wss.
package websocket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"

	"golang.org/x/net/websocket"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Tunnel is the transport. Its other end connects URL/HOST:PORT to HOST:PORT.
type Tunnel struct{ settings settings }

type settings struct {
	URL   string         `config:"url" required:"true" help:"ws:// or wss:// and the path of the tunnel"`
	CA    string         `config:"ca" help:"certificates of the proxy's authority, PEM; the system's by default"`
	Token config.Secret  `config:"token" help:"bearer token for the proxy"`
	url   *url.URL       // of URL
	roots *x509.CertPool // of CA
}

// Validate checks what tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	s.url, _ = url.Parse(s.URL)
	if s.url == nil || s.url.Hostname() == "" || s.url.Scheme != "ws" && s.url.Scheme != "wss" {
		p.Add("url", "want ws://host/path or wss://host/path")
	}
	if s.roots = x509.NewCertPool(); s.CA == "" {
		s.roots = nil
	} else if !s.roots.AppendCertsFromPEM([]byte(s.CA)) {
		p.Add("ca", "want certificates in PEM")
	}
	return p.Err()
}

// New makes the transport.
func New() transport.Transport { return new(Tunnel) }

func (t *Tunnel) Config() any         { return &t.settings }
func (t *Tunnel) Help() string        { return "goes through a reverse proxy in WebSocket frames" }
func (t *Tunnel) Needs() needs.List   { return needs.List{Ports: []string{"80", "443"}} }
func (t *Tunnel) ResolvesNames() bool { return true }

// Dial connects to the reverse proxy and asks it for the target.
func (t *Tunnel) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	if _, _, err := net.SplitHostPort(target.Address); err != nil || len(target.Address) > 300 {
		return nil, transport.Errorf(transport.Config, "", "the target is no host:port")
	}
	port := t.settings.url.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[t.settings.url.Scheme]
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(t.settings.url.Hostname(), port))
	if err != nil {
		return nil, err
	}
	var ws *websocket.Conn
	err = transport.Converse(ctx, raw, func() error { ws, err = t.upgrade(ctx, raw, target.Address); return err })
	if err != nil {
		raw.Close()
		return nil, err
	}
	return transport.WithNote(ws, "through "+t.settings.url.Host), nil
}

// upgrade speaks TLS, if need be, and then HTTP until the tunnel is open.
func (t *Tunnel) upgrade(ctx context.Context, conn net.Conn, target string) (*websocket.Conn, error) {
	if t.settings.url.Scheme == "wss" {
		secure := tls.Client(conn, &tls.Config{ServerName: t.settings.url.Hostname(), RootCAs: t.settings.roots, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secure
	}
	conf, err := websocket.NewConfig(t.settings.url.JoinPath(target).String(), "http://localhost/")
	if err != nil {
		return nil, transport.Errorf(transport.Config, "", "the target does not fit into a URL")
	}
	if token := t.settings.Token; !token.IsZero() {
		conf.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	head := &headLimit{Conn: conn, left: 64 << 10}
	ws, err := websocket.NewClient(conf, head)
	switch netErr := net.Error(nil); {
	case errors.As(err, &netErr):
		return nil, err
	case errors.Is(err, websocket.ErrBadStatus):
		return nil, transport.Errorf(transport.ProxyRefused, "check the path and the token", "%s does not open the tunnel", t.settings.url.Host)
	case err != nil:
		return nil, transport.Errorf(transport.ProxyBroken, "is this the address of the tunnel?", "%s does not answer as a WebSocket: %w", t.settings.url.Host, err)
	}
	head.left = 1 << 62
	ws.PayloadType = websocket.BinaryFrame
	return ws, nil
}

// headLimit ends an answer that does not end.
type headLimit struct {
	net.Conn
	left int64
}

func (h *headLimit) Read(p []byte) (n int, err error) {
	n, err = io.LimitReader(h.Conn, h.left).Read(p)
	h.left -= int64(n)
	return n, err
}
