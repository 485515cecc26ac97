package agent

import (
	"context"
	"strconv"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy"
)

func (a *Agent) loadPolicy() *inForce {
	p, err := a.sealIfAsked(policy.Open(a.root))
	return &inForce{p, err}
}

// Reload reads the policy files anew. Files that do not load are in force all
// the same: they refuse what they may have been about, until they are mended.
func (a *Agent) Reload(_ context.Context, by control.Caller) (control.Reloaded, error) {
	old, fresh := a.policy.Load(), a.loadPolicy()
	e := audit.Event{Type: audit.PolicyLoaded, Actor: by.Actor(), Subject: fresh.Hash(), Detail: map[string]string{
		"before": old.Hash(), "files": strconv.Itoa(len(fresh.Files())),
	}}
	if notes := noted(fresh.Policy); notes != "" {
		e.Detail["noticed"] = notes
	}
	if fresh.broken != nil {
		e.Type = audit.PolicyBroken
		e.Detail["error"] = firstLine(fresh.broken.Error())
	}
	// The new policy counts even if it cannot be recorded: it may be stricter.
	a.policy.Store(fresh)
	if _, err := a.Append(e); err != nil {
		return control.Reloaded{}, err
	}
	return control.Reloaded{PolicyHash: fresh.Hash(), Changed: fresh.Hash() != old.Hash()}, fresh.broken
}
