package server

import (
	"encoding/json"
	"fmt"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Describe describes one role by what its implementation has. A panic in it,
// for instance about a settings struct that cannot work, becomes an error.
func Describe(role, name string, impl any) (d wire.RoleDescription, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("describe %s/%s: %v", role, name, r)
		}
	}()
	if !implements(role, impl) {
		return d, fmt.Errorf("describe %s/%s: %T does not implement this role", role, name, impl)
	}
	d = wire.RoleDescription{Role: role, Name: name}
	if h, ok := impl.(interface{ Help() string }); ok {
		d.Help = h.Help()
	}
	if n, ok := impl.(interface{ Needs() needs.List }); ok {
		d.Needs = n.Needs()
	}
	if c, ok := impl.(config.Configurer); ok {
		if d.Config, err = json.Marshal(config.SchemaOf(c.Config())); err != nil {
			return d, err
		}
	}
	if r, ok := impl.(transport.RemoteNames); ok && r.ResolvesNames() {
		d.Traits = append(d.Traits, wire.TraitRemoteNames)
	}
	if _, ok := impl.(transport.Prober); ok {
		d.Traits = append(d.Traits, wire.TraitProbe)
	}
	if _, ok := impl.(auth.Prober); ok {
		d.Traits = append(d.Traits, wire.TraitProbe)
	}
	if _, ok := impl.(collect.Planner); ok {
		d.Traits = append(d.Traits, wire.TraitPlan)
	}
	return d, nil
}
