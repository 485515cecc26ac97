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
	// readyEvery is how often it is looked after whether a transport is ready,
	// and checkEvery whether the one that is still fits.
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
	for {
		if p := r.a.policy.Load(); p != under || !r.standby.Ready() || time.Since(checked) >= checkEvery {
			checked, under = time.Now(), p
			r.makeReady(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *remote) makeReady(ctx context.Context) {
	if r.current() != nil {
		return // it has taken what was ready
	}
	way, ok := r.nextWay()
	if !ok {
		r.standby.Drop()
		return
	}
	if err := r.standby.Keep(ctx, way.Transport, way.Use("session"), r.a.policy.Load().Hash()); err != nil && ctx.Err() == nil {
		r.log.Warn("no transport is kept ready", "transport", way.Transport, "error", firstLine(err.Error()))
	}
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
