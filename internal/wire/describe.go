package wire

import (
	"encoding/json"
	"fmt"

	"github.com/latchstring/latchstring/sdk/needs"
)

// Description is what `BINARY describe` prints and Role.Describe returns, as
// JSON.
type Description struct {
	Name      string            `json:"name"`      // of the plugin
	Version   string            `json:"version"`   // of the plugin
	SDK       string            `json:"sdk"`       // version of the SDK it was built with
	Protocols []int             `json:"protocols"` // protocol versions it speaks
	Roles     []RoleDescription `json:"roles"`
}

// RoleDescription describes one role of a plugin.
type RoleDescription struct {
	Role   string          `json:"role"`
	Name   string          `json:"name"`
	Help   string          `json:"help,omitempty"`
	Config json.RawMessage `json:"config,omitempty"` // JSON Schema of its configuration
	Needs  needs.List      `json:"needs"`
	Traits []string        `json:"traits,omitempty"` // see the Trait constants
}

// Traits of a role: what it can do beyond what it must.
const (
	TraitRemoteNames = "remote-names" // a transport that resolves names at its far end
	TraitProbe       = "probe"        // a transport or a login method that can test itself step by step
	TraitPlan        = "plan"         // a collector that tells in advance what it would collect
)

// ParseDescription reads a description that comes from a plugin and holds it
// to what a host relies on.
func ParseDescription(data []byte) (Description, error) {
	var d Description
	if len(data) > MessageLimit {
		return d, fmt.Errorf("plugin description of %d bytes is too long", len(data))
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("plugin description: %w", err)
	}
	if !ValidName(d.Name) {
		return d, fmt.Errorf("plugin description: name %q: want lower-case letters, digits, dashes and underscores", d.Name)
	}
	seen := make(map[string]bool)
	for _, r := range d.Roles {
		id := r.Role + "/" + r.Name
		if !KnownRole(r.Role) || !ValidName(r.Name) {
			return d, fmt.Errorf("plugin description: %q is no role of a plugin", id)
		}
		if seen[id] {
			return d, fmt.Errorf("plugin description: %s is there twice", id)
		}
		seen[id] = true
	}
	return d, nil
}

// Find returns the description of ROLE/NAME.
func (d Description) Find(role, name string) (RoleDescription, bool) {
	for _, r := range d.Roles {
		if r.Role == role && r.Name == name {
			return r, true
		}
	}
	return RoleDescription{}, false
}
