package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/disable"
	"github.com/latchstring/latchstring/core/disable/goodbye"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
	"github.com/latchstring/latchstring/core/session"
)

// sealIfAsked seals the system when a policy file says permanently_disabled,
// and returns the policy that is in force then. What follows from a seal is for
// [Agent.afterSeal]. If not even a seal could be written, the policy file still
// denies, and the next load tries again.
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
	a.toTell.Store(true)
	if _, err := a.Append(audit.Event{Type: audit.SystemSealed, Actor: "policy", Subject: r.System, Detail: map[string]string{"cause": r.Cause, "policy": r.Policy}}); err != nil {
		a.opts.Log.Error("record the seal", "error", err)
	}
	return policy.Open(a.root)
}

// sealed reports whether the policy in force knows of a seal.
func (a *Agent) sealed() bool {
	_, sealed := a.policy.Load().Sealed()
	return sealed
}

// finishSeal destroys what is left on a sealed system. It is done each time
// that one is opened, so that a crash or a restored backup leaves nothing.
func (a *Agent) finishSeal() {
	if !a.sealed() {
		return
	}
	if _, err := disable.Finish(disable.Options{Root: a.root, System: a.system, Audit: a, Actor: "agent"}); err != nil {
		a.opts.Log.Error("destroy what remote access rests on", "error", err)
	}
}

// tellWithin bounds how long the relay is waited for.
const tellWithin = 30 * time.Second

// afterSeal ends the session of a sealed system, destroys, and tells the relay
// if this agent is the one that sealed.
func (a *Agent) afterSeal(ctx context.Context, r *remote) {
	cut := func() {
		if l := r.current(); l != nil {
			l.end(session.Cut, "remote access was disabled for good")
		}
	}
	cut()
	// Whoever was turning it on when the seal came has been heard now, and what he
	// left is destroyed, too.
	r.rushing.Do(func() { close(r.rush) })
	r.turning.Lock()
	cut()
	r.remembering.Wait()
	a.finishSeal() // one at a time: a policy may be loaded again meanwhile
	r.turning.Unlock()
	if !a.toTell.CompareAndSwap(true, false) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if _, err := a.TellSealed(ctx); err != nil {
		a.opts.Log.Warn("the next send-bundle tries again", "error", err)
	}
}

// TellSealed tells the relay that the system is disabled for good, if that is so
// and the relay does not know.
func (a *Agent) TellSealed(ctx context.Context) (told bool, err error) {
	vendor, err := a.system.Vendor()
	if errors.Is(err, identity.ErrNotEnrolled) || err == nil && !goodbye.Pending(a.root, vendor) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t, done, err := a.plainWay(vendor.RSS)
	if err != nil {
		return false, fmt.Errorf("tell the relay that the system is disabled for good: %w", err)
	}
	defer done()
	if told, err = goodbye.Tell(ctx, a.root, a.system, vendor, t.DialContext); told {
		_, rerr := a.Append(audit.Event{Type: audit.SealTold, Actor: "agent", Subject: a.system.ID(), Detail: map[string]string{"rss": vendor.RSS}})
		err = errors.Join(err, rerr)
	}
	return told, err
}

// plainWay is the way to a relay that local.cfg names, for what is no session.
func (a *Agent) plainWay(relay string) (t transport, done func(), err error) {
	if a.opts.transport != nil {
		return a.opts.transport, func() {}, nil
	}
	proxy := a.local()[localcfg.Proxy]
	if proxy == "none" {
		proxy = ""
	}
	way, err := route.Parse(route.Options{Proxy: proxy})
	if err == nil {
		way, err = way.To(relay, sealed.Open(a.root))
	}
	if err != nil {
		return nil, nil, err
	}
	h, err := a.host.Transport(way.Transport, way.Use(""))
	if err != nil {
		return nil, nil, err
	}
	return h, func() { h.Close() }, nil
}

// Bury ends what an agent that died has left of a session, without serving. It
// is for a command that disables remote access while no agent runs.
func (a *Agent) Bury(ctx context.Context) error {
	r, err := newRemote(a)
	if err != nil {
		return err
	}
	r.ctx = ctx
	return r.recover()
}

// sealedRefusal is policy's word on a sealed system: nothing else needs to be
// said to who wants a session there.
func (a *Agent) sealedRefusal() error {
	if word, _ := a.policy.Load().RemoteAccess(); word != "permanently_disabled" {
		return nil
	}
	return a.Decide(policy.SessionResume, policy.Facts{}).Err()
}

// sealProblems is what status says about a seal that is not all that it should
// be.
func (a *Agent) sealProblems() (problems []string) {
	s := seal.Check(a.root)
	switch {
	case s.Trouble != nil:
		problems = append(problems, "it cannot be known whether remote access was disabled for good, so it is off: "+firstLine(s.Trouble.Error()))
	case !s.Sealed:
		return nil
	}
	again := "; it is tried again by: remote-support disable --permanently"
	if len(s.Missing) > 0 {
		problems = append(problems, fmt.Sprintf("remote access is disabled for good, but the seal is missing in %s%s", strings.Join(s.Missing, ", "), again))
	}
	if left := disable.Left(a.root, a.system); len(left) > 0 {
		problems = append(problems, fmt.Sprintf("remote access is disabled for good, but this is still there: %s%s", strings.Join(left, "; "), again))
	}
	if vendor, err := a.system.Vendor(); err == nil && goodbye.Pending(a.root, vendor) {
		p := seal.ProofOf(a.root)
		problems = append(problems, fmt.Sprintf("the relay %s does not know yet that remote access is disabled for good; the next send-bundle tells it, or give %s and %s to support (rss systems seal)", vendor.RSS, p.Statement, p.Signature))
	}
	return problems
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
