package agent

import (
	"context"
	"net"

	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/relay/client"
)

// Direct returns options with which the agent reaches relays by dial, in this
// process, instead of through a transport plugin. It is for package hostile,
// which runs a whole system on loopback: what is on trial there lies above the
// transport, which sees ciphertext only.
func (o Options) Direct(dial client.DialFunc) Options {
	o.transport = &direct{dial}
	return o
}

// direct is a transport without a plugin.
type direct struct{ dial client.DialFunc }

func (d *direct) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address)
}

// Probe goes the one step that there is.
func (d *direct) Probe(ctx context.Context, network, address string, _ func(host.Step)) error {
	c, err := d.dial(ctx, network, address)
	if err != nil {
		return err
	}
	return c.Close()
}

func (d *direct) Close() error { return nil }
