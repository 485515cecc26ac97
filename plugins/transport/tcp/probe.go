package tcp

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/transport"
)

// Stepper times the steps of a probe and reports them as they end.
type Stepper func(transport.Step)

// Do runs one step.
func (s Stepper) Do(name string, f func() (detail string, err error)) error {
	start := time.Now()
	detail, err := f()
	s(transport.Step{Name: name, Detail: detail, Took: time.Since(start), Err: err})
	return err
}

// Find is the step that looks a host up, where it is a name.
func (s Stepper) Find(ctx context.Context, name, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	return s.Do(name, func() (string, error) {
		ips, err := net.DefaultResolver.LookupHost(ctx, host)
		if err != nil {
			return "", transport.Explain(err)
		}
		return host + " is " + strings.Join(ips, ", "), nil
	})
}

// ProbeProxy shows the steps of a dial through a proxy (REQ B7): its name, the
// connection to it, and all that dial does. The name of the target is the
// proxy's to look up, so there is no step for it.
func ProbeProxy(ctx context.Context, proxy string, timeout time.Duration, target transport.Target, dial func(context.Context, transport.Target) (net.Conn, error), step Stepper) error {
	if _, _, err := CheckTarget(target); err != nil {
		return err
	}
	if err := step.Find(ctx, "name of the proxy", proxy); err != nil {
		return err
	}
	err := step.Do("connection to the proxy", func() (string, error) {
		conn, err := Dial(ctx, proxy, target.Bind, timeout)
		if err != nil {
			return "", err
		}
		return proxy, conn.Close()
	})
	if err != nil {
		return err
	}
	return step.Do("login and connection through the proxy", func() (string, error) {
		conn, err := dial(ctx, target)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		note := ""
		if n, ok := conn.(transport.Noter); ok {
			note = n.Note()
		}
		return strings.TrimSpace(target.Address + " " + note), nil
	})
}
