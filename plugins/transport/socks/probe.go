package socks

import (
	"context"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Probe shows the steps of a dial (REQ B7). The name of the target is the
// proxy's to look up, so there is no step for it.
func (t *Transport) Probe(ctx context.Context, target transport.Target, report func(transport.Step)) error {
	if _, _, err := tcp.CheckTarget(target); err != nil {
		return err
	}
	step, proxy := tcp.Stepper(report), t.settings.Proxy
	if err := step.Find(ctx, "name of the proxy", proxy); err != nil {
		return err
	}
	err := step.Do("connection to the proxy", func() (string, error) {
		conn, err := tcp.Dial(ctx, proxy, target.Bind, t.settings.Timeout)
		if err != nil {
			return "", err
		}
		return proxy, conn.Close()
	})
	if err != nil {
		return err
	}
	return step.Do("login and connection through the proxy", func() (string, error) {
		conn, err := t.Dial(ctx, target)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		note := ""
		if n, ok := conn.(transport.Noter); ok {
			note = n.Note()
		}
		return target.Address + " " + note, nil
	})
}
