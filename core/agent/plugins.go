package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host/catalog"
)

// Plugins lists what is installed, one row a role, with policy's word on it.
func (a *Agent) Plugins(ctx context.Context, _ control.Caller) ([]control.Plugin, error) {
	installed, err := a.host.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the plugin catalog: %w", err)
	}
	rows := []control.Plugin{}
	for _, p := range installed {
		row := control.Plugin{
			Plugin: p.Name, Version: p.Version, Publisher: p.Publisher, SHA256: p.SHA256, Path: p.Path,
			State: string(p.State), Allowed: p.State == catalog.Builtin || p.State == catalog.Trusted,
			Development: p.Development, Reason: p.Reason, Fix: p.Fix,
		}
		if len(p.Roles) == 0 {
			rows = append(rows, row)
		}
		for _, r := range p.Roles {
			row.Role, row.Name = r.Role, r.Name
			row.Sandbox = a.host.Sandbox(r.Role).String()
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// DescribePlugin returns all that the catalog knows of a plugin.
func (a *Agent) DescribePlugin(ctx context.Context, _ control.Caller, name string) (json.RawMessage, error) {
	installed, err := a.host.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the plugin catalog: %w", err)
	}
	for _, p := range installed {
		if p.Name == name {
			return json.Marshal(p)
		}
	}
	return nil, control.NotFound("no plugin %q is installed; see: remote-support plugin list", name)
}
