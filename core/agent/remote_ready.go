package agent

import (
	"context"
	"time"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/login"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/session"
)

const (
	// readyEvery is how often it is looked after whether a session or the policy
	// is another one, and checkEvery whether what is ready still fits.
	readyEvery = 250 * time.Millisecond
	checkEvery = 10 * time.Second
)

// keepReady keeps the transport ready by which a session would go if one were
// opened now: the start of a plugin is most of what `on` would have to wait for.
// Nothing waits where nothing can be opened: before enrolment, where policy does
// not allow a session, on a sealed system, and while a session is open. What waits
// has made no connection.
func (r *remote) keepReady(ctx context.Context) {
	if r.a.opts.link != nil || r.a.opts.transport != nil {
		return
	}
	defer r.standby.Drop()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	var checked time.Time
	var under *inForce
	was, settled := session.Off, false
	for {
		p, state := r.a.policy.Load(), r.machine.State()
		if !settled || p != under || state != was || time.Since(checked) >= checkEvery {
			checked, under, was = time.Now(), p, state
			settled = r.makeReady(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.closed:
			settled = false
		case <-tick.C:
		}
	}
}

// makeReady reports whether there is nothing more to do until something changes.
func (r *remote) makeReady(ctx context.Context) bool {
	if r.current() != nil {
		return r.machine.State() != session.Off // it has taken what was ready
	}
	way, ok := r.nextWay()
	if !ok {
		r.standby.Drop()
		return true
	}
	if err := r.standby.Keep(ctx, way.Transport, way.Use("session"), r.a.policy.Load().Hash()); err != nil && ctx.Err() == nil {
		r.log.Warn("no transport is kept ready", "transport", way.Transport, "error", firstLine(err.Error()))
	}
	return true
}

// nextWay is the way of the session that is likely to be opened next.
func (r *remote) nextWay() (route.Route, bool) {
	if r.machine.State() != session.Off || r.a.sealed() {
		return route.Route{}, false
	}
	root := login.Ticket{User: "root", Roles: []string{"root"}, Method: "root"}
	o := opening{record: session.Record{Opener: opener(control.Self(), root)}}
	if err := r.way(&o, root, control.OnRequest{}); err != nil {
		return route.Route{}, false
	}
	if o.route.Secret() { // a password is not left lying in a process
		return route.Route{}, false
	}
	return o.route, r.a.Decide(policy.SessionOpen, openFacts(o.record.Opener, o.vendor.RSS, o.route, time.Minute)).Allowed
}
