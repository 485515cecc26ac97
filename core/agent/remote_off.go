package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/session"
)

// end ends the session and returns when nothing of it is left. Everybody who
// calls it waits; the first one's reason counts.
func (l *live) end(by session.Event, reason string) {
	l.endBy(by, "agent", reason)
}

func (l *live) endBy(by session.Event, actor, reason string) {
	l.ending.Do(func() { l.close(by, actor, reason) })
	<-l.done
}

// close makes it so that nobody can enter, cuts who is in, waits until what they
// started is dead, and says so.
func (l *live) close(by session.Event, actor, reason string) {
	defer close(l.done)
	if err := l.machine.End(by, reason); err != nil {
		l.log.Error("write down that the session ends", "error", err)
	}
	l.gate.Close()
	l.mu.Lock()
	clear(l.secret)
	l.secret = nil
	for _, c := range l.conns {
		if c.state != control.ConnectionWaiting {
			l.cut++
		}
		c.reason = "the session ended: " + reason
	}
	l.mu.Unlock()
	l.cutAll()
	l.stop(errors.New(reason))
	l.work.Wait()
	if n, left := family.Sweep(l.id); n > 0 || len(left) > 0 {
		l.log.Warn("processes of the session were left over", "ended", n, "still there", left)
	}
	now := l.machine.Now()
	l.mu.Lock()
	announced := l.announced
	l.mu.Unlock()
	if announced {
		passport := l.passport(reason)
		l.event(audit.SessionEnded, actor, l.id, "name", l.id, "reason", reason, "lasted", l.clock.Now().Sub(now.Since).Round(time.Second).String(), "passport", passport)
	} else {
		l.event(audit.SessionRefused, actor, l.id, "reason", reason)
	}
	if err := l.machine.Do(session.Closed); err != nil {
		l.log.Error("write down that the session has ended", "error", err)
	}
	l.remote.mu.Lock()
	if l.remote.live == l {
		l.remote.live = nil
	}
	l.remote.mu.Unlock()
	select {
	case l.closed <- struct{}{}:
	default:
	}
}

// farewell is how long after a cut the engineer's client keeps a connection on
// which nothing is done any more: for what ran to be ended, for its
// counter-signature of the end, and for the reason.
const farewell = 5 * time.Second

// cutAll cuts every connection, and gives the engineers' programs a moment to
// counter-sign the end of their recordings and to hear why.
func (l *live) cutAll() {
	l.mu.Lock()
	var streams []*resume.Stream
	for _, c := range l.conns {
		c.stop(errors.New(c.reason))
		if c.stream != nil {
			s, reason := c.stream, c.reason
			streams = append(streams, s)
			defer time.AfterFunc(farewell, func() { s.Abort(reason) }).Stop()
		}
	}
	l.mu.Unlock()
	for _, s := range streams {
		<-s.Done() // Abort bounds it
	}
}

// suspend takes the session down so that the next start of the agent can go on
// with it.
func (l *live) suspend() {
	l.ending.Do(func() {
		defer close(l.done)
		l.gate.Close()
		l.mu.Lock()
		clear(l.secret)
		l.secret = nil
		l.suspended = true
		for _, c := range l.conns {
			c.reason = "the agent was stopped; the session goes on when it is started"
		}
		l.mu.Unlock()
		l.cutAll()
		l.stop(errors.New("the agent is restarted"))
		l.work.Wait()
		family.Sweep(l.id)
	})
	<-l.done
}

// Off ends the session.
func (a *Agent) Off(_ context.Context, by control.Caller) (control.Ended, error) {
	r, err := a.serving()
	if err != nil {
		// Without an agent nothing is open.
		return control.Ended{}, a.mayClose(control.Self())
	}
	a.refreshPolicy()
	if err := a.mayClose(by); err != nil {
		return control.Ended{}, err
	}
	l := r.current()
	if l == nil {
		return control.Ended{}, nil
	}
	l.endBy(session.TurnOff, by.Actor(), "turned off by "+by.Actor())
	l.mu.Lock()
	defer l.mu.Unlock()
	return control.Ended{WasOpen: l.announced, Session: l.id, Connections: l.cut}, nil
}

// mayClose asks policy. What locked_on refuses names the line of local.cfg or of
// the policy file (REQ G3, G11).
func (a *Agent) mayClose(by control.Caller) error {
	d := a.Decide(policy.SessionClose, policy.Facts{policy.User: by.User})
	return d.Err()
}

// Extend puts the end of the session off.
func (a *Agent) Extend(_ context.Context, by control.Caller, req control.ExtendRequest) (control.Session, error) {
	more, err := time.ParseDuration(req.By)
	if err != nil || more <= 0 {
		return control.Session{}, usage("say by how much, like: remote-support extend 2h")
	}
	if err := a.outsider(by, "extend the session"); err != nil {
		return control.Session{}, err
	}
	r, l, err := a.session()
	if err != nil {
		return control.Session{}, err
	}
	who, err := a.who(by)
	if err != nil {
		return control.Session{}, err
	}
	now := r.machine.Now()
	if now.Length == 0 {
		return control.Session{}, &stateError{"this session has no automatic expiry, so there is nothing to extend", ""}
	}
	total := now.Length + more
	if who.MaxSession > 0 && total > who.MaxSession {
		return control.Session{}, &policyError{fmt.Sprintf("this login allows sessions of up to %s, and with the extension it would be %s", who.MaxSession, total)}
	}
	a.refreshPolicy()
	o := opener(by, who)
	facts := whoFacts(o)
	facts[policy.Duration] = total.String()
	d := a.Decide(policy.SessionExtend, fresh(facts, who))
	if err := d.Err(); err != nil {
		r.refused(by.Actor(), l.id, err)
		return control.Session{}, err
	}
	if until := d.Limits.Until; !until.IsZero() {
		if most := until.Sub(now.Since); most < total {
			return control.Session{}, &policyError{fmt.Sprintf("the hours in which sessions may be open end at %s; it can be extended until then", until.Local().Format("15:04 MST"))}
		}
	}
	if err := r.append(audit.SessionExtended, by.Actor(), l.id, "user", o.User, "by", more.String(), "length", total.String(), "rule", d.Rule.Source.String()); err != nil {
		return control.Session{}, err
	}
	if err := r.machine.SetLength(total); err != nil {
		return control.Session{}, err
	}
	l.tellRelay()
	l.warn(fmt.Sprintf("This session was extended by %s.", more))
	return r.describe(), nil
}

// serving returns remote access while the agent runs.
func (a *Agent) serving() (*remote, error) {
	if r := a.remote.Load(); r != nil {
		return r, nil
	}
	return nil, notRunning()
}

// session returns the one that is on.
func (a *Agent) session() (*remote, *live, error) {
	r, err := a.serving()
	if err != nil {
		return nil, nil, err
	}
	if l := r.current(); l != nil {
		return r, l, nil
	}
	return r, nil, &stateError{"remote access is off", "turn it on with: remote-support on"}
}
