// Package tcp is what the built-in transports share: how to dial TCP from a
// given address or interface, and how to name what went wrong on the way to a
// proxy.
package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/sdk/transport"
)

// Dial connects to address (host:port) over TCP, from a local address or
// interface if bind names one. A host with several addresses is tried as RFC
// 8305 describes. Errors are explained.
func Dial(ctx context.Context, address, bind string, timeout time.Duration) (net.Conn, error) {
	// No multipath TCP: the sandbox's rules on ports do not see it.
	d := net.Dialer{Timeout: timeout}
	d.SetMultipathTCP(false)
	if err := leaveFrom(&d, bind); err != nil {
		return nil, err
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, transport.Explain(err)
	}
	return conn, nil
}

// leaveFrom makes the dialer leave from an address or an interface.
func leaveFrom(d *net.Dialer, from string) error {
	if from == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(from); err == nil {
		d.LocalAddr = &net.TCPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}
		return nil
	}
	if len(from) >= unix.IFNAMSIZ {
		return transport.Errorf(transport.Config, "name a local address or an interface", "%q is neither", from)
	}
	d.ControlContext = func(_ context.Context, _, _ string, c syscall.RawConn) error {
		var serr error
		if err := c.Control(func(fd uintptr) { serr = unix.BindToDevice(int(fd), from) }); err != nil {
			return err
		}
		if errors.Is(serr, unix.ENODEV) {
			return transport.Errorf(transport.Config, "name a local address or an interface; `ip link` lists them", "there is no interface %q", from)
		}
		if serr != nil {
			return fmt.Errorf("dial from interface %s: %w", from, serr)
		}
		return nil
	}
	return nil
}

// CheckTarget reports a target that no transport can dial.
func CheckTarget(target transport.Target) (host, port string, err error) {
	if target.Network != "tcp" {
		return "", "", transport.Errorf(transport.Config, "only tcp can be dialled", "network %q", target.Network)
	}
	host, port, err = net.SplitHostPort(target.Address)
	if err != nil {
		return "", "", transport.Errorf(transport.Config, "write it as host:port", "address %q: %w", target.Address, err)
	}
	return host, port, nil
}

// ResolverPaths are the files that looking up a name reads.
func ResolverPaths() []string {
	return []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/gai.conf", "/etc/host.conf", "/run/systemd/resolve/*"}
}
