package https

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
)

// The schemes http and https, for a proxy that is reached in clear and over
// TLS, become known to proxy.FromURL of golang.org/x/net/proxy.
func init() {
	for _, scheme := range []string{"http", "https"} {
		proxy.RegisterDialerType(scheme, fromURL)
	}
}

func fromURL(u *url.URL, forward proxy.Dialer) (proxy.Dialer, error) {
	s := map[string]any{"proxy": u.Host, "tls": u.Scheme == "https"}
	if u.User != nil {
		s["user"] = u.User.Username()
		if p, has := u.User.Password(); has {
			s["password"] = p
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
	}
	t := New()
	if err := config.Decode(t.Config(), data); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
	}
	t.forward = forward
	return &dialer{t}, nil
}

// dialer is the transport as a proxy.Dialer and proxy.ContextDialer.
type dialer struct{ t *Transport }

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil, errors.New("an HTTP proxy connects over TCP only")
	}
	return d.t.Dial(ctx, transport.Target{Network: "tcp", Address: address})
}
