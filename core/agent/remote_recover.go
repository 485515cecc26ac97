package agent

import (
	"errors"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
	"github.com/latchstring/latchstring/core/session"
)

const crashed = "the agent was killed, or the machine went down"

// recover deals with what the last agent left: processes are ended, recordings
// closed, missing events recorded (REQ E5, K6). A session goes on only where
// configuration and policy want it.
func (r *remote) recover() error {
	left, open := r.machine.Leftover()
	if open {
		ended, stay := family.Sweep(left.ID)
		if ended > 0 || len(stay) > 0 {
			r.log.Warn("processes of an old session were ended", "session", left.ID, "ended", ended, "still there", stay)
		}
	}
	to, err := r.a.readers()
	if err != nil {
		r.log.Error("recover recordings", "error", err)
	} else if _, err := record.Recover(r.a.root.Recordings(), record.Recovery{Signer: r.a.system.Signer(), Recipients: to}); err != nil {
		r.log.Error("recover recordings", "error", err)
	}
	if !open {
		return nil
	}
	h, err := r.history(left)
	if err != nil {
		return err
	}
	for _, c := range h.connections {
		if err := r.append(audit.ConnectionClosed, c.Actor, c.Subject, "session", left.ID, "reason", crashed); err != nil {
			return err
		}
	}
	if h.opened && !h.ended && left.State != session.Closing && r.resume(left) == nil {
		return nil
	}
	return r.bury(left, h)
}

// bury ends a session that was left over.
func (r *remote) bury(left session.Record, h history) error {
	reason := crashed
	if left.Reason != "" {
		reason = left.Reason + "; then " + crashed
	}
	if err := r.machine.End(session.Restart, reason); err != nil {
		return err
	}
	var err error
	switch {
	case h.opened && !h.ended:
		passport := r.oldPassport(left, reason)
		err = r.append(audit.SessionEnded, "agent", left.ID, "name", left.ID, "reason", reason, "passport", passport)
	case !h.opened:
		err = r.append(audit.SessionRefused, "agent", left.ID, "reason", reason)
	}
	return errors.Join(err, r.machine.Do(session.Closed))
}

// history is what the audit log knows of a session.
type history struct {
	opened, ended bool
	connections   []audit.Event // that were opened and not closed
}

func (r *remote) history(left session.Record) (history, error) {
	var h history
	open := map[string]audit.Event{}
	var order []string
	for rec, err := range audit.Read(r.a.root.Audit()) {
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				break
			}
			return h, err
		}
		if rec.Time.Before(left.Since.Add(-time.Hour)) && rec.Detail["session"] != left.ID && rec.Subject != left.ID {
			continue
		}
		switch {
		case rec.Type == audit.SessionOpened && rec.Subject == left.ID:
			h.opened = true
		case rec.Type == audit.SessionEnded && rec.Subject == left.ID:
			h.ended = true
		case rec.Type == audit.ConnectionOpened && rec.Detail["session"] == left.ID:
			open[rec.Subject] = rec.Event
			order = append(order, rec.Subject)
		case rec.Type == audit.ConnectionClosed && rec.Detail["session"] == left.ID:
			delete(open, rec.Subject)
		}
	}
	for _, id := range order {
		if e, still := open[id]; still {
			h.connections = append(h.connections, e)
			delete(open, id)
		}
	}
	return h, nil
}

var errNoResume = errors.New("the configuration does not ask for it")

// mayResume reports whether a session may go on after a restart.
func (r *remote) mayResume() error {
	if yes, err := (localcfg.Entry{Value: r.a.local()[localcfg.Resume]}).Bool(); err != nil || !yes {
		return errNoResume
	}
	return r.a.Decide(policy.SessionResume, policy.Facts{}).Err()
}

// resume goes on with a session that was left over: with a new secret, and for no
// longer than was left of it.
func (r *remote) resume(left session.Record) error {
	if err := r.mayResume(); err != nil {
		return err
	}
	if left.Way.Password {
		return errors.New("its proxy wants a password, which is not kept: see remote-support proxy set")
	}
	vendor, err := r.a.system.Vendor()
	if err != nil {
		return err
	}
	vendor.RSS = left.Way.RSS
	way, err := route.Parse(route.Options{Proxy: left.Way.Proxy, Bind: left.Way.Bind})
	if err != nil {
		return err
	}
	if way, err = way.To(vendor.RSS, sealed.Open(r.a.root)); err != nil {
		return err
	}
	way.Transport = left.Way.Transport
	o := opening{announced: true, record: left, vendor: vendor, route: way, facts: openFacts(left.Opener, vendor.RSS, way, left.Length)}
	if o.answer = r.a.Decide(policy.SessionOpen, o.facts); !o.answer.Allowed {
		return o.answer.Err()
	}
	if n, err := r.machine.Check(); err != nil || n.Expired {
		return errors.New("its time is up")
	}
	if err := r.newSecret(&o, nil); err != nil {
		return err
	}
	defer clear(o.secret)
	_, err = r.open(o)
	return err
}
