package direct

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Name is the transport's name.
const Name = "direct"

type settings struct {
	Timeout time.Duration `config:"timeout" default:"20s" help:"how long one dial may take"`
}

// Transport dials.
type Transport struct{ settings settings }

// New makes the transport.
func New() *Transport { return &Transport{} }

// Config is where the host's settings go.
func (t *Transport) Config() any { return &t.settings }

// Needs declares that any port may be the target's, and what the resolver
// reads. The host checks where each connection has led.
func (t *Transport) Needs() needs.List {
	return needs.List{
		Ports: []string{"*"},
		Paths: []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/gai.conf", "/etc/host.conf", "/run/systemd/resolve/*"},
	}
}

// Dial connects.
func (t *Transport) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	if target.Network != "tcp" {
		return nil, transport.Errorf(transport.Config, "only tcp can be dialled", "network %q", target.Network)
	}
	if _, _, err := net.SplitHostPort(target.Address); err != nil {
		return nil, transport.Errorf(transport.Config, "write it as host:port", "address %q: %w", target.Address, err)
	}
	// No multipath TCP: the sandbox's rules on ports do not see it.
	d := net.Dialer{Timeout: t.settings.Timeout}
	d.SetMultipathTCP(false)
	if err := bind(&d, target.Bind); err != nil {
		return nil, err
	}
	conn, err := d.DialContext(ctx, target.Network, target.Address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, transport.Explain(err)
	}
	return transport.WithNote(conn, "directly from "+conn.LocalAddr().String()), nil
}

// bind makes the dialer leave from an address or an interface.
func bind(d *net.Dialer, from string) error {
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
