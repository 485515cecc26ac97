package agent

import (
	"context"
	"strconv"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy"
)

func (a *Agent) loadPolicy() *inForce {
	a.loaded = a.policyPrint() // before: what changes meanwhile is loaded again
	p, err := a.sealIfAsked(policy.Open(a.root))
	return &inForce{p, err}
}

// Reload reads the policy files anew. Files that do not load are in force all
// the same: they refuse what they may have been about, until they are mended.
// What runs and is not allowed any more is cut.
func (a *Agent) Reload(_ context.Context, by control.Caller) (control.Reloaded, error) {
	return a.reload(by.Actor(), false)
}

// reload loads the policy. A quiet one records nothing when nothing is different.
func (a *Agent) reload(actor string, quiet bool) (control.Reloaded, error) {
	a.loading.Lock()
	defer a.loading.Unlock()
	old, fresh := a.policy.Load(), a.loadPolicy()
	// The new policy counts even if it cannot be recorded: it may be stricter.
	a.policy.Store(fresh)
	if r := a.remote.Load(); r != nil {
		r.recheck()
		if a.sealed() {
			r.after.Go(func() { a.afterSeal(r.ctx, r) })
		}
	} else {
		a.finishSeal()
	}
	out := control.Reloaded{PolicyHash: fresh.Hash(), Changed: fresh.Hash() != old.Hash()}
	e := audit.Event{Type: audit.PolicyLoaded, Actor: actor, Subject: fresh.Hash(), Detail: map[string]string{
		"before": old.Hash(), "files": strconv.Itoa(len(fresh.Files())),
	}}
	if notes := noted(fresh.Policy); notes != "" {
		e.Detail["noticed"] = notes
	}
	if fresh.broken != nil {
		e.Type = audit.PolicyBroken
		e.Detail["error"] = firstLine(fresh.broken.Error())
	}
	if quiet && !out.Changed && fresh.broken == nil && e.Detail["noticed"] == "" {
		return out, nil
	}
	if _, err := a.Append(e); err != nil {
		return control.Reloaded{}, err
	}
	return out, fresh.broken
}
