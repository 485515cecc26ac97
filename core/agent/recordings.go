package agent

import (
	"context"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
)

// FetchRecording brings the copy of a recording that the relay holds into a
// directory below dir, and returns that.
func (a *Agent) FetchRecording(ctx context.Context, way route.Route, id, dir string) (string, api.Recording, error) {
	vendor, err := a.system.Vendor()
	if err != nil {
		return "", api.Recording{}, err
	}
	if way, err = way.To(vendor.RSS, sealed.Open(a.root)); err != nil {
		return "", api.Recording{}, err
	}
	t, err := a.host.Transport(way.Transport, way.Use(""))
	if err != nil {
		return "", api.Recording{}, err
	}
	defer t.Close()
	c, err := a.relay(vendor, t.DialContext)
	if err != nil {
		return "", api.Recording{}, err
	}
	defer c.Close()
	return c.FetchRecording(ctx, "", id, dir)
}
