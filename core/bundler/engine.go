package bundler

import (
	"fmt"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/discover"
)

// EngineOptions say how text is sanitized.
type EngineOptions struct {
	NoPseudonyms bool // names and addresses stay, only secrets go
	Forget       bool // every file stands alone
	Redactions   []policy.Redaction
}

// KeyPath is where the customer's pseudonym key lies.
func KeyPath(root paths.Root) string { return root.Var("sanitize", "key") }

// NewEngine makes the sanitizer of this machine: its key, the names that are
// found on it, and what policy adds.
func NewEngine(root paths.Root, o EngineOptions) (*sanitize.Sanitizer, error) {
	so := sanitize.Options{Forget: o.Forget}
	if !o.NoPseudonyms {
		key, err := sanitize.LoadKey(KeyPath(root))
		if err != nil {
			return nil, err
		}
		names := discover.Find(discover.Options{})
		so.Key = key
		so.Names = sanitize.Names{Hosts: names.Hosts, Domains: names.Domains, Users: names.Users}
	}
	for _, r := range o.Redactions {
		so.Rules = append(so.Rules, sanitize.Rule{ID: r.Name, Literal: r.Literal, Regexp: r.Regexp, Anchors: r.Anchors, Key: r.Key})
	}
	s, err := sanitize.New(so)
	if err != nil {
		return nil, fmt.Errorf("make sanitizer: %w", err)
	}
	return s, nil
}
