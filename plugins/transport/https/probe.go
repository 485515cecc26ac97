package https

import (
	"context"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Probe shows the steps of a dial.
func (t *Transport) Probe(ctx context.Context, target transport.Target, report func(transport.Step)) error {
	return tcp.ProbeProxy(ctx, t.settings.Proxy, t.settings.Timeout, target, t.Dial, report)
}
