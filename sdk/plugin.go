package sdk

import (
	"fmt"
	"maps"
	"slices"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/internal/server"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Version is the version of this SDK.
const Version = "1.0.0"

// Plugin is what a program serves. Each map goes from the name of a role to a
// function that makes its implementation: cheap, without side effects, a new
// one each time. Names are lower-case letters, digits, dashes and underscores.
type Plugin struct {
	Name    string
	Version string

	Transports map[string]func() transport.Transport
	Collectors map[string]func() collect.Collector
	Auths      map[string]func() auth.Method
	EventSinks map[string]func() eventsink.Sink
}

// Helper is an implementation of any role that says in one line what it is
// for. `describe` shows it.
type Helper interface {
	Help() string
}

// Healther is an implementation of any role that can say whether it is able to
// work: that a server it needs is there, a credential still valid. The host
// asks now and then.
type Healther = server.Healther

// makers returns a maker of the implementation for each ROLE/NAME.
func (p Plugin) makers() map[string]func() any {
	out := make(map[string]func() any)
	add(out, wire.RoleTransport, p.Transports)
	add(out, wire.RoleCollect, p.Collectors)
	add(out, wire.RoleAuth, p.Auths)
	add(out, wire.RoleEventSink, p.EventSinks)
	return out
}

func add[T any](out map[string]func() any, role string, makers map[string]func() T) {
	for name, mk := range makers {
		out[role+"/"+name] = func() any { return mk() }
	}
}

// names lists ROLE/NAME in order.
func (p Plugin) names() []string { return slices.Sorted(maps.Keys(p.makers())) }

// check finds the mistakes of an author before a host does.
func (p Plugin) check() error {
	if !wire.ValidName(p.Name) {
		return fmt.Errorf("sdk.Plugin.Name is %q: want 1 to 40 lower-case letters, digits, dashes and underscores, first a letter", p.Name)
	}
	if p.Version == "" {
		return fmt.Errorf("sdk.Plugin.Version of %s is empty", p.Name)
	}
	names := p.names()
	if len(names) == 0 {
		return fmt.Errorf("plugin %s has no role: fill in Transports, Collectors, Auths or EventSinks of sdk.Plugin", p.Name)
	}
	for _, name := range names {
		if _, _, err := wire.ParseName(name); err != nil {
			return err
		}
	}
	return nil
}

// describe makes the description of the whole program.
func (p Plugin) describe() (d wire.Description, err error) {
	if err := p.check(); err != nil {
		return d, err
	}
	d = wire.Description{Name: p.Name, Version: p.Version, SDK: Version, Protocols: wire.Versions}
	makers := p.makers()
	for _, full := range p.names() {
		role, name, _ := wire.ParseName(full)
		r, err := server.Describe(role, name, makers[full]())
		if err != nil {
			return d, err
		}
		d.Roles = append(d.Roles, r)
	}
	return d, nil
}
