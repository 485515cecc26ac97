package agent

import (
	"errors"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/login"
	"github.com/latchstring/latchstring/core/session"
)

// standing is what is remembered about the session that the global switch wants.
type standing struct {
	policy *inForce  // under which it was tried last, as it was loaded: one that came back is another
	again  time.Time // when it is tried again
	why    string    // it could not be opened
}

// standingEvery is how often a standing session that cannot be opened is tried
// again, when policy does not change: a window may open.
const standingEvery = time.Minute

// keepStanding opens the session that the global switch wants, and ends it when
// the switch is off again (REQ G3).
func (r *remote) keepStanding() {
	sw, err := buildconfig.Current(r.a.root)
	wanted := err == nil && sw.Switch.On
	if l := r.current(); l != nil {
		if !wanted && err == nil && r.machine.Now().Standing {
			go l.end(session.TurnOff, "the global switch in local.cfg is off")
		}
		l.mu.Lock()
		up := l.linked.Up
		l.mu.Unlock()
		if up { // it was no vain attempt: when it ends and may be open again, no wait
			r.setStanding(standing{})
		}
		return
	}
	r.mu.Lock()
	s := r.standing
	r.mu.Unlock()
	now := r.a.policy.Load()
	if !wanted {
		if s != (standing{}) {
			r.setStanding(standing{})
		}
		return
	}
	if s.policy == now && time.Now().Before(s.again) || !r.turning.TryLock() {
		return
	}
	defer r.turning.Unlock()
	if r.machine.State() != session.Off {
		return
	}
	s = standing{policy: now, again: time.Now().Add(standingEvery)}
	if err := r.openStanding(); err != nil {
		why := firstLine(err.Error())
		r.mu.Lock()
		known := r.standing.why == why
		r.mu.Unlock()
		s.why = why
		if !known { // said once, not every minute
			r.refused("agent", "", err)
		}
	}
	r.setStanding(s)
}

func (r *remote) setStanding(s standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.standing = s
}

// openStanding opens a session that nobody waits for: root said so in local.cfg.
func (r *remote) openStanding() error {
	root := login.Ticket{User: "root", Roles: []string{"root"}, Method: "root"}
	o, err := r.prepare(control.Self(), root, control.OnRequest{})
	if err != nil {
		return err
	}
	defer clear(o.secret)
	o.record.Standing = true
	o.record.Opener.Actor = localcfg.Enable + " in local.cfg"
	_, err = r.open(o)
	return err
}

// local is local.cfg as build-config put it in force.
func (a *Agent) local() map[string]string {
	current, err := buildconfig.Current(a.root)
	if err != nil {
		return map[string]string{}
	}
	out := map[string]string{}
	for k, v := range current.Local {
		out[k] = v.Value
	}
	return out
}

// runAs is the local user as whom engineers act, backend what serves them.
func (a *Agent) runAs() string   { return a.local()[localcfg.RunAs] }
func (a *Agent) backend() string { return a.local()[localcfg.Backend] }

// who is the caller as he has proved it.
func (a *Agent) who(by control.Caller) (login.Ticket, error) {
	s, err := a.Logins()
	if err != nil {
		return login.Ticket{}, err
	}
	t, err := s.Who(caller(by))
	if errors.Is(err, login.ErrNobody) {
		return t, &policyError{strings.TrimSpace(err.Error())}
	}
	return t, err
}
