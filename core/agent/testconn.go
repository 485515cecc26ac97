package agent

import (
	"context"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/testconn"
)

// TestConnection goes the way to the relay step by step and opens nothing.
// address is that of another relay than the enrolled one, or empty.
func (a *Agent) TestConnection(ctx context.Context, _ control.Caller, address string, way route.Route, report func(testconn.Step)) error {
	vendor, err := a.system.Vendor()
	if err != nil {
		return err
	}
	if address != "" {
		vendor.RSS = address
	}
	t, err := a.host.Transport(way.Transport, way.Use(""))
	if err != nil {
		return err
	}
	defer t.Close()
	c, err := client.ForSystem(a.system, vendor, t.DialContext)
	if err != nil {
		return err
	}
	defer c.Close()
	return testconn.Run(ctx, testconn.Options{Client: c, Way: t, Route: way, Policy: a}, report)
}
