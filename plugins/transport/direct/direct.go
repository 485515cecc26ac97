package direct

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
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
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// Dial connects.
func (t *Transport) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	if _, _, err := tcp.CheckTarget(target); err != nil {
		return nil, err
	}
	conn, err := tcp.Dial(ctx, target.Address, target.Bind, t.settings.Timeout)
	if err != nil {
		return nil, err
	}
	return transport.WithNote(conn, "directly from "+conn.LocalAddr().String()), nil
}

// Probe shows the steps of a dial (REQ B7).
func (t *Transport) Probe(ctx context.Context, target transport.Target, report func(transport.Step)) error {
	if _, _, err := tcp.CheckTarget(target); err != nil {
		return err
	}
	step := tcp.Stepper(report)
	if err := step.Find(ctx, "name of the relay", target.Address); err != nil {
		return err
	}
	return step.Do("connection to the relay", func() (string, error) {
		conn, err := t.Dial(ctx, target)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		return fmt.Sprintf("%s from %s", conn.RemoteAddr(), conn.LocalAddr()), nil
	})
}
