package socks

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/latchstring/latchstring/sdk/transport"
)

func init() {
	for _, scheme := range []string{"socks4", "socks4a"} {
		proxy.RegisterDialerType(scheme, func(u *url.URL, forward proxy.Dialer) (proxy.Dialer, error) {
			if u.User != nil {
				if _, has := u.User.Password(); has {
					return nil, errors.New("SOCKS4 carries only a user id, no password")
				}
			}
			return &dialer4{proxy: u.Host, user: u.User.Username(), forward: forward}, nil
		})
	}
}

// dialer4 is a proxy.Dialer and proxy.ContextDialer for SOCKS4 and 4a.
type dialer4 struct {
	proxy, user string
	forward     proxy.Dialer
}

func (d *dialer4) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *dialer4) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil, fmt.Errorf("SOCKS4 has no %s", network)
	}
	var conn net.Conn
	var err error
	if f, ok := d.forward.(proxy.ContextDialer); ok {
		conn, err = f.DialContext(ctx, "tcp", d.proxy)
	} else {
		conn, err = d.forward.Dial("tcp", d.proxy)
	}
	if err != nil {
		return nil, err
	}
	if err := transport.Converse(ctx, conn, func() error { return connect4(conn, address, d.user) }); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// The codes of a SOCKS4 reply.
const (
	granted4       = 90
	rejected4      = 91
	noIdentd4      = 92
	identMismatch4 = 93
)

// connect4 asks for a connection. An address with a name is asked for in the
// manner of SOCKS4a: an impossible IP, 0.0.0.1, and the name behind the user
// id.
func connect4(conn io.ReadWriter, address, user string) error {
	request, named, err := request4(address, user)
	if err != nil {
		return err
	}
	if _, err := conn.Write(request); err != nil {
		return transport.Explain(err)
	}
	// The reply has a fixed size, so nothing of the target's is read with it.
	var reply [8]byte
	if _, err := io.ReadFull(conn, reply[:]); err != nil {
		return hungUp(err)
	}
	if reply[0] != 0 {
		return transport.Errorf(transport.ProxyBroken, "is it a SOCKS4 proxy?", "the proxy's answer begins with %#02x instead of 0", reply[0])
	}
	switch reply[1] {
	case granted4:
		return nil
	case noIdentd4, identMismatch4:
		return transport.Errorf(transport.ProxyAuth, "the proxy asks this machine's identd; run one, or use SOCKS5", "the proxy does not accept the user id (code %d)", reply[1])
	case rejected4:
		hint := "ask whether the proxy lets this machine reach the target and its port"
		if named {
			hint += ", and whether it knows SOCKS4a; a proxy that does not needs local_resolve"
		}
		return transport.Errorf(transport.ProxyRefused, hint, "the proxy refused to connect to %s", address)
	}
	return transport.Errorf(transport.ProxyBroken, "is it a SOCKS4 proxy?", "the proxy answered with the unknown code %d", reply[1])
}

func request4(address, user string) (request []byte, named bool, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, transport.Errorf(transport.Config, "write it as host:port", "address %q: %w", address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, false, transport.Errorf(transport.Config, "give the port as a number", "port %q", portText)
	}
	if strings.ContainsRune(user, 0) || strings.ContainsRune(host, 0) {
		return nil, false, transport.Errorf(transport.Config, "remove it", "a zero byte in the user id or the name of the target")
	}
	request = binary.BigEndian.AppendUint16([]byte{4, 1}, uint16(port))
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		named = true
		request = append(request, 0, 0, 0, 1)
	case ip.Unmap().Is4():
		request = append(request, ip.Unmap().AsSlice()...)
	default:
		return nil, false, transport.Errorf(transport.Config, "use a SOCKS5 proxy", "SOCKS4 cannot reach the IPv6 address %s", host)
	}
	request = append(append(request, user...), 0)
	if named {
		request = append(append(request, host...), 0)
	}
	return request, named, nil
}

// hungUp explains a connection that ended in the middle of the dialogue.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return transport.Errorf(transport.ProxyBroken, "is it a SOCKS proxy of that version?", "the proxy hung up in the middle of its answer")
	}
	return transport.Explain(err)
}
