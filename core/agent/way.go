package agent

import (
	"errors"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/inspectors"
	"github.com/latchstring/latchstring/core/route/sealed"
)

// MachineWay is the way to the enrolled relay that the proxy settings of the
// machine name, as this process sees them; before enrolment, that to anywhere.
func (a *Agent) MachineWay() (route.Route, error) {
	vendor, err := a.system.Vendor()
	if errors.Is(err, identity.ErrNotEnrolled) {
		vendor.RSS, err = "relay.invalid:443", nil
	}
	if err != nil {
		return route.Route{}, err
	}
	way, err := route.Parse(route.Options{Proxy: route.Machine})
	if err != nil {
		return route.Route{}, err
	}
	return way.To(vendor.RSS, sealed.Open(a.root))
}

// relay is the client of a relay, by a way out. The customer's own inspecting
// proxies are let in where he has said so.
func (a *Agent) relay(vendor identity.Vendor, dial client.DialFunc) (*client.Client, error) {
	c, err := client.ForSystem(a.system, vendor, dial)
	if err != nil {
		return nil, err
	}
	return inspectors.Client(a.root, c)
}
