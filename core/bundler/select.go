package bundler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/policy"
)

// roleCollect is the role of collectors.
const roleCollect = "collect"

// Includes is the collector that takes what the user includes. It does nothing
// without, and is asked whatever --only says.
const Includes = "files"

// choice is the collectors that will run and those that will not.
type choice struct {
	names   []string
	missing []bundle.Missing
}

// choose decides which collectors run: those that are installed and whole,
// that the user wants and policy allows.
func (b *Bundler) choose(ctx context.Context, req *Request) (*choice, error) {
	plugins, err := b.p.Host.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	c := &choice{missing: slices.Clone(req.gone)}
	states := map[string]catalog.Plugin{}
	var known []string
	for _, p := range plugins {
		for _, r := range p.Roles {
			if r.Role != roleCollect {
				continue
			}
			if _, ok := states[r.Name]; ok && !p.State.Whole() {
				continue // a broken rival of one that works
			}
			states[r.Name] = p
			known = append(known, r.Name)
		}
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("no collectors are installed: %s belongs beside this program", catalog.BuiltinProgram)
	}
	known = append(known, Own)
	states[Own] = catalog.Plugin{State: catalog.Builtin} // even where a plugin claims the name
	if len(b.p.Policy.BundleCommands()) > 0 {
		known = append(known, Commands)
		states[Commands] = catalog.Plugin{State: catalog.Builtin}
	}
	if len(req.Asked.commands()) > 0 {
		known = append(known, Requested)
		states[Requested] = catalog.Plugin{State: catalog.Builtin}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range slices.Concat(req.Only, req.Skip) {
		if !slices.Contains(known, name) {
			return nil, usagef("collector %q is not installed; there are %s", name, strings.Join(known, ", "))
		}
	}
	for _, name := range known {
		included := name == Includes && len(req.Include) > 0
		switch {
		case name == Includes && !included:
			continue
		case len(req.Only) > 0 && !slices.Contains(req.Only, name) && !included, slices.Contains(req.Skip, name):
			c.missing = append(c.missing, bundle.Missing{Collector: name, State: bundle.Skipped, Reason: "left out by the user"})
			continue
		}
		if p := states[name]; !p.State.Whole() {
			c.missing = append(c.missing, bundle.Missing{Collector: name, State: bundle.Refused, Reason: fmt.Sprintf("its plugin %s is %s: %s", p.Name, p.State, p.Reason)})
			continue
		}
		if _, err := b.ask(policy.BundleCollect, policy.Facts{policy.Collector: name}); err != nil {
			// Named by the user, it is an error; else only left out.
			if slices.Contains(req.Only, name) || included {
				return nil, err
			}
			c.missing = append(c.missing, bundle.Missing{Collector: name, State: bundle.Refused, Reason: firstLine(err.Error())})
			continue
		}
		c.names = append(c.names, name)
	}
	if len(c.names) == 0 {
		return nil, usagef("no collector is left: %s", reasons(c.missing))
	}
	return c, nil
}

func reasons(missing []bundle.Missing) string {
	var out []string
	for _, m := range missing {
		out = append(out, fmt.Sprintf("%s %s (%s)", m.Collector, m.State, m.Reason))
	}
	return strings.Join(out, ", ")
}
