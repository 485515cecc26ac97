package catalog

import (
	"fmt"
	"time"

	"github.com/latchstring/latchstring/core/host/trust"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Plugin is one plugin program as it was found.
type Plugin struct {
	Name        string `json:"name"`
	Version     string `json:"version,omitempty"`
	Publisher   string `json:"publisher,omitempty"` // as the manifest says; believe it only when Trusted
	Fingerprint string `json:"fingerprint,omitempty"`
	Path        string `json:"path"`   // of the program, or of the directory when it has none
	SHA256      string `json:"sha256"` // of the program
	State       State  `json:"state"`
	Reason      string `json:"reason,omitempty"` // why it is in this state, when that is not a good one
	Fix         string `json:"fix,omitempty"`    // one sentence: what to do about it
	Roles       []Role `json:"roles,omitempty"`

	// Development says that the host was built without the checksum of the
	// built-in plugins, so that any program of the right owner is taken.
	Development bool `json:"development,omitempty"`

	dir, program string // where to open it: a directory that was checked, a name below it
}

// Role is one thing that a plugin does, and what it asks for to do it.
type Role struct {
	Role  string     `json:"role"` // transport, auth, collect or eventsink
	Name  string     `json:"name"`
	Help  string     `json:"help,omitempty"`
	Needs needs.List `json:"needs"`
}

// ID is ROLE/NAME.
func (r Role) ID() string { return r.Role + "/" + r.Name }

// Role returns the plugin's role of that name.
func (p Plugin) Role(role, name string) (Role, bool) {
	for _, r := range p.Roles {
		if r.Role == role && r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}

// set puts the plugin into a state with its reason and what to do about it.
func (p *Plugin) set(s State, reason string) {
	p.State, p.Reason, p.Fix = s, reason, ""
	switch s {
	case Unsigned:
		p.Fix = "get the signed plugin from its publisher (an author signs with: remote-support plugin sign); or let policy allow unsigned plugins (plugins.states)"
	case UnknownPublisher:
		p.Fix = "if you trust the publisher, get his public key in a way that you trust, and run: remote-support plugin trust " + p.Publisher + " KEYFILE"
	case Modified:
		p.Fix = "install the plugin again, owned by root and writable by nobody else"
	case Incompatible:
		p.Fix = "install a version of the plugin that is made for this one"
	}
}

// explainChange says more about files that are not those of the manifest. With
// a good signature the manifest is that of one version and the files are of
// another: an upgrade that was copied by halves, most of the time. Without one
// nothing can be told.
func (p *Plugin) explainChange(t *tree, manifest []byte, publishers *trust.Publishers, now time.Time) {
	signature, err := t.small(SignatureFile)
	if err != nil {
		return
	}
	if _, err := publishers.Verify(manifest, signature, p.Publisher, now); err != nil {
		return
	}
	p.Reason += fmt.Sprintf("; the manifest is the one that %s signed for version %s", p.Publisher, p.Version)
	p.Fix = "if it was upgraded by copying files, install the whole directory of the new version: remote-support plugin install DIR; " +
		"if nobody upgraded it, somebody changed it: keep a copy for your security team and install it again"
}
