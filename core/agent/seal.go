package agent

import (
	"strings"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// sealIfAsked seals the system when a policy file says permanently_disabled:
// the seal first, then the audit record and the proof. It returns the policy
// that is in force then. Whatever fails is logged and changes nothing about the
// seal; if not even that could be written, the policy file still denies, and
// the next load tries again.
func (a *Agent) sealIfAsked(p *policy.Policy, err error) (*policy.Policy, error) {
	r, asked := p.MustSeal()
	if !asked {
		return p, err
	}
	r.System = a.system.ID()
	if err := seal.Seal(a.root, r); err != nil {
		a.opts.Log.Error("seal the system", "error", err)
	}
	if !seal.Check(a.root).Sealed {
		return p, err
	}
	if _, err := a.Append(audit.Event{Type: audit.SystemSealed, Actor: "policy", Subject: r.System, Detail: map[string]string{"cause": r.Cause, "policy": r.Policy}}); err != nil {
		a.opts.Log.Error("record the seal", "error", err)
	}
	if _, err := seal.Prove(a.root, a.system); err != nil {
		a.opts.Log.Error("prove the seal", "error", err)
	}
	return policy.Open(a.root)
}

// notice records what changed about the policy files since somebody last
// loaded them.
func (a *Agent) notice(p *policy.Policy) error {
	notes := noted(p)
	if notes == "" {
		return nil
	}
	_, err := a.Append(audit.Event{Type: audit.PolicyNoticed, Actor: "agent", Subject: p.Hash(), Detail: map[string]string{"noticed": notes}})
	return err
}

func noted(p *policy.Policy) string {
	var lines []string
	for _, n := range p.Notes() {
		lines = append(lines, strings.TrimPrefix(n.File+": "+n.Text, ": "))
	}
	return strings.Join(lines, "; ")
}
