package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
)

// Enrollment is what an administrator says to introduce the system.
type Enrollment struct {
	Token   api.Token
	Address string // of the relay, instead of the one in the token
	Replace bool   // take the place of another vendor's record
	Route   route.Route
}

// Enroll introduces the system to a relay and pins what it learns about the
// vendor. It is recorded before anything is pinned.
func (a *Agent) Enroll(ctx context.Context, by control.Caller, e Enrollment) (identity.Vendor, error) {
	if old, err := a.system.Vendor(); err == nil && !e.Replace && old.RSS != e.Address && old.RSS != e.Token.RSS {
		return identity.Vendor{}, fmt.Errorf("this system is enrolled with %s at %s; use --replace to leave that vendor", old.Name, old.RSS)
	} else if err != nil && !errors.Is(err, identity.ErrNotEnrolled) {
		return identity.Vendor{}, err
	}
	way, err := e.Route.To(cmp.Or(e.Address, e.Token.RSS), sealed.Open(a.root))
	if err != nil {
		return identity.Vendor{}, err
	}
	t, err := a.host.Transport(way.Transport, way.Use(""))
	if err != nil {
		return identity.Vendor{}, err
	}
	defer t.Close()
	name, err := os.Hostname()
	if err != nil {
		return identity.Vendor{}, fmt.Errorf("find the name of this machine: %w", err)
	}
	resp, err := client.Enroll(ctx, a.system, e.Token, e.Address, name, t.DialContext)
	if err != nil {
		return identity.Vendor{}, err
	}
	v := resp.Vendor
	if _, err := a.Append(audit.Event{Type: audit.SystemEnrolled, Actor: by.Actor(), Subject: v.System, Detail: map[string]string{
		"vendor": v.Name, "rss": v.RSS, "pin": e.Token.Pin.String(), "route": way.String(),
	}}); err != nil {
		return identity.Vendor{}, err
	}
	if err := a.system.Pin(v, e.Replace); err != nil {
		return identity.Vendor{}, err
	}
	return v, nil
}
