package socks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Name is the transport's name.
const Name = "socks"

type settings struct {
	Proxy        string        `config:"proxy" required:"true" help:"host:port of the proxy"`
	Version      string        `config:"version" default:"5" oneof:"4,4a,5" help:"version of the protocol"`
	User         string        `config:"user" help:"user name, or the user id of version 4"`
	Password     config.Secret `config:"password" help:"password; version 5 only"`
	LocalResolve bool          `config:"local_resolve" help:"look the target's name up here; only for version 4 proxies that do not know 4a"`
	Timeout      time.Duration `config:"timeout" default:"20s" help:"how long one dial may take"`
}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if _, _, err := net.SplitHostPort(s.Proxy); err != nil {
		p = append(p, config.Problem{Field: "proxy", Message: "write it as host:port"})
	}
	if s.Version != "5" && !s.Password.IsZero() {
		p = append(p, config.Problem{Field: "password", Message: "version " + s.Version + " carries only a user id; use version 5, or leave the password out"})
	}
	if s.Version == "5" && (len(s.User) > 255 || len(s.Password.Reveal()) > 255) {
		p = append(p, config.Problem{Field: "user", Message: "user name and password may have 255 bytes each"})
	}
	if s.Version == "5" && s.User == "" && !s.Password.IsZero() {
		p = append(p, config.Problem{Field: "user", Message: "a password needs a user name"})
	}
	if s.LocalResolve && s.Version != "4" {
		p = append(p, config.Problem{Field: "local_resolve", Message: "only version 4 needs it"})
	}
	if len(p) > 0 {
		return p
	}
	return nil
}

// Transport dials through the proxy.
type Transport struct{ settings settings }

// New makes the transport.
func New() *Transport { return &Transport{} }

// Config is where the host's settings go.
func (t *Transport) Config() any { return &t.settings }

// Needs declares the proxy's port, which only the settings know, and what the
// resolver reads to find the proxy.
func (t *Transport) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// ResolvesNames says that the target's name is left to the proxy (REQ A17).
func (t *Transport) ResolvesNames() bool { return !t.settings.LocalResolve }

// Dial connects to the proxy and has it connect to the target.
func (t *Transport) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	s := &t.settings
	if _, _, err := tcp.CheckTarget(target); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	address, err := s.resolve(ctx, target.Address)
	if err != nil {
		return nil, err
	}
	conn, err := tcp.Dial(ctx, s.Proxy, target.Bind, s.Timeout)
	if err != nil {
		return nil, fmt.Errorf("reach the proxy %s: %w", s.Proxy, err)
	}
	err = transport.Converse(ctx, conn, func() error { return s.dialogue(ctx, conn, address) })
	if err != nil {
		conn.Close()
		// The deadline of the connection and that of the context are the same
		// moment; either may be noticed first.
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, transport.Errorf(transport.Timeout, "is it a SOCKS"+s.Version+" proxy?", "the proxy %s does not answer", s.Proxy)
		}
		return nil, err
	}
	return transport.WithNote(conn, fmt.Sprintf("through %s, SOCKS%s", s.Proxy, s.Version)), nil
}

// resolve gives the address to ask the proxy for.
func (s *settings) resolve(ctx context.Context, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !s.LocalResolve {
		return address, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return "", transport.Explain(err)
	}
	return net.JoinHostPort(ips[0].Unmap().String(), port), nil
}
