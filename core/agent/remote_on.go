package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/login"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/sealed"
	"github.com/latchstring/latchstring/core/session"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// opening is a session that somebody asked for, with everything decided.
type opening struct {
	record session.Record
	vendor identity.Vendor
	route  route.Route
	facts  policy.Facts
	answer policy.Decision
	secret []byte // as typed, or generated
	own    bool
	notes  []string

	announced bool // it goes on: its beginning is recorded already
}

// On turns remote access on.
func (a *Agent) On(ctx context.Context, by control.Caller, req control.OnRequest) (control.Opened, error) {
	if err := a.outsider(by, "turn remote access on"); err != nil {
		return control.Opened{}, err
	}
	r, err := a.serving()
	if err != nil {
		return control.Opened{}, err
	}
	r.turning.Lock()
	defer r.turning.Unlock()
	if r.over {
		return control.Opened{}, notRunning()
	}
	if now := r.machine.Now(); now.State != session.Off {
		return control.Opened{}, &stateError{"remote access is on already, since " + now.Since.Local().Format(time.DateTime) + ", by " + now.Opener.Actor, "see: remote-support status"}
	}
	a.refreshPolicy() // an edit counts from this moment on
	if err := a.sealedRefusal(); err != nil {
		r.refused(by.Actor(), "", err)
		return control.Opened{}, err
	}
	who, err := a.who(by)
	if err != nil {
		return control.Opened{}, err
	}
	o, err := r.prepare(by, who, req)
	if err != nil {
		r.refused(by.Actor(), "", err)
		return control.Opened{}, err
	}
	defer clear(o.secret)
	l, err := r.open(o)
	if err != nil {
		return control.Opened{}, err
	}
	select {
	case <-l.up:
	case <-l.done:
		return control.Opened{}, r.explain(ctx, l)
	case <-ctx.Done():
		l.end(session.TurnOff, "whoever turned it on went away before the relay was reached")
		return control.Opened{}, ctx.Err()
	}
	out := control.Opened{Session: r.describe(), Notes: o.notes}
	if !o.own {
		out.Secret = string(o.secret)
	}
	return out, nil
}

// prepare decides everything about a session before anything happens.
func (r *remote) prepare(by control.Caller, who login.Ticket, req control.OnRequest) (opening, error) {
	asked := time.Duration(0)
	if req.For != "" {
		var err error
		if asked, err = time.ParseDuration(req.For); err != nil || asked <= 0 {
			return opening{}, usage("the length %q is not written like 8h or 30m", req.For)
		}
	}
	if err := printable("the case", req.Case); err != nil {
		return opening{}, err
	}
	r.a.refreshPolicy() // an edit counts from this moment on
	if err := r.a.sealedRefusal(); err != nil {
		return opening{}, err
	}
	o := opening{record: session.Record{ID: session.NewID(), Case: req.Case, Opener: opener(by, who)}}
	if err := r.way(&o, who, req); err != nil {
		return o, err
	}
	if err := r.length(&o, who, asked); err != nil {
		return o, err
	}
	return o, r.newSecret(&o, req.Secret)
}

// way finds the relay and how to reach it.
func (r *remote) way(o *opening, who login.Ticket, req control.OnRequest) (err error) {
	if o.vendor, err = r.a.system.Vendor(); err != nil {
		return err
	}
	if o.vendor.SupportCA == "" {
		return &stateError{"the vendor has said nothing about who signs engineers' certificates, so nobody could be let in", "ask for a new token, and enrol again: remote-support enroll --replace --token-file FILE"}
	}
	local := r.a.local()
	address := req.RSS
	if who.Method == "sso" && address != "" { // REQ B4
		o.notes = append(o.notes, fmt.Sprintf("single sign-on uses the configured relay; %s was ignored", address))
		address = ""
	}
	if address == "" {
		address = local[localcfg.RSS]
	}
	if address == "" {
		address = o.vendor.RSS
	}
	address = api.WithPort(address)
	if err := api.CheckAddress(address); err != nil {
		return usage("the relay: %v", err)
	}
	if err := route.CheckRelay(address); err != nil {
		return err
	}
	o.vendor.RSS = address
	proxy := req.Proxy
	if proxy == "" {
		proxy = local[localcfg.Proxy]
	}
	if proxy == "none" {
		proxy = ""
	}
	if o.route, err = route.Parse(route.Options{Proxy: proxy, Password: req.ProxyPassword, Bind: req.Bind}); err != nil {
		return err
	}
	if o.route, err = o.route.To(address, sealed.Open(r.a.root)); err != nil {
		return err
	}
	if req.Transport != "" {
		o.route.Transport = req.Transport
	}
	o.record.Way = session.Way{RSS: address, Transport: o.route.Transport, Proxy: proxy, Bind: req.Bind, Password: len(req.ProxyPassword) > 0}
	return nil
}

// length asks policy, and bounds the session by everything that bounds it.
func (r *remote) length(o *opening, who login.Ticket, asked time.Duration) error {
	if who.MaxSession > 0 && asked > who.MaxSession {
		return &policyError{fmt.Sprintf("this login allows sessions of up to %s, not %s", who.MaxSession, asked)}
	}
	o.facts = openFacts(o.record.Opener, o.vendor.RSS, o.route, asked)
	o.answer = r.a.Decide(policy.SessionOpen, fresh(o.facts, who))
	if err := o.answer.Err(); err != nil {
		return err
	}
	length := asked
	shorter := func(d time.Duration, why string) {
		if d > 0 && (length == 0 || d < length) {
			if asked > 0 {
				o.notes = append(o.notes, fmt.Sprintf("it ends after %s already: %s", d.Round(time.Second), why))
			}
			length = d
		}
	}
	shorter(o.answer.Limits.MaxDuration, "policy allows no more")
	shorter(who.MaxSession, "the login allows no more")
	if until := o.answer.Limits.Until; !until.IsZero() {
		left := until.Sub(r.clock.Now())
		if left <= 0 {
			return &policyError{"the hours in which sessions may be open end now"}
		}
		shorter(left, "the hours in which sessions may be open end then")
	}
	o.record.Length = length
	return nil
}

// opener is who asks, as it is kept with the session.
func opener(by control.Caller, who login.Ticket) session.Opener {
	return session.Opener{Actor: by.Actor(), User: who.User, Method: who.Method, Roles: who.Roles, MFA: who.Evidence["mfa"] == "true"}
}

func openFacts(o session.Opener, rss string, way route.Route, length time.Duration) policy.Facts {
	f := whoFacts(o)
	f[policy.RSS], f[policy.Transport], f[policy.Duration] = rss, way.Transport, length.String()
	f[policy.Proxy] = way.Use("session").Proxy
	if f[policy.Proxy] == "" {
		f[policy.Proxy] = "none"
	}
	return f
}

// fresh adds how old the login is, which counts when somebody opens, extends or
// approves, and not while what he opened goes on.
func fresh(f policy.Facts, who login.Ticket) policy.Facts {
	if who.Expires.IsZero() {
		return f // root on the machine itself
	}
	f = maps.Clone(f)
	f[policy.LoginAge] = who.Age.String()
	return f
}

func whoFacts(o session.Opener) policy.Facts {
	f := policy.Facts{policy.User: o.User, policy.Method: o.Method, policy.Roles: strings.Join(o.Roles, ",")}
	if o.MFA {
		f[policy.MFA] = "true"
	}
	return f
}

// open begins the session. When it returns without an error the link is being
// made.
func (r *remote) open(o opening) (*live, error) {
	ca, err := identity.ParseKey(o.vendor.SupportCA)
	if err != nil {
		return nil, fmt.Errorf("the vendor's key for engineers: %w", err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the host key of the session: %w", err)
	}
	l := &live{remote: r, id: o.record.ID, vendor: o.vendor, route: o.route, facts: o.facts, opened: o.answer, ca: ca, own: o.own, announced: o.announced,
		renew: make(chan msg.Hello, 1), up: make(chan struct{}), done: make(chan struct{}), conns: map[string]*conn{}, used: map[string]bool{}}
	if l.key, err = ssh.NewSignerFromKey(private); err != nil {
		return nil, fmt.Errorf("make the host key of the session: %w", err)
	}
	if l.gate, err = handshake.New(o.secret, l.gateOptions()); err != nil {
		return nil, usage("%v", err)
	}
	if !o.own {
		l.secret = slices.Clone(o.secret)
	}
	l.revoked = newRevocations(l)
	l.ctx, l.stop = context.WithCancelCause(context.WithoutCancel(r.ctx))
	begun := make(chan struct{})
	l.work.Go(func() { l.hang(begun) })
	if err := l.begin(o); err != nil {
		l.stop(err)
		l.work.Wait()
		l.gate.Close()
		clear(l.secret)
		return nil, err
	}
	r.mu.Lock()
	r.live = l
	r.mu.Unlock()
	close(begun)
	// Policy may have changed between the decision and this moment.
	r.recheck()
	return l, nil
}

// hang hangs the session on the relay. Connections are made while its beginning
// is written down; nothing is said on them, and nothing of them told, before.
func (l *live) hang(begun <-chan struct{}) {
	await := func(ctx context.Context) error {
		select {
		case <-begun:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	then := func(f func()) {
		if await(l.ctx) == nil {
			f()
		}
	}
	err := l.link(l.ctx, linkOptions{Live: l, Begun: await, Serve: l.serve,
		Up:        func() { then(l.linkUp) },
		Down:      func(err error) { then(func() { l.linkDown(err) }) },
		Inspected: func(by string) { then(func() { l.inspected(by) }) },
	})
	if await(l.ctx) == nil && l.ctx.Err() == nil {
		if err == nil {
			err = errors.New("the link to the relay ended")
		}
		l.fail(err)
	}
}

// begin writes the session down, on disk and in the audit log.
func (l *live) begin(o opening) error {
	if _, left := l.machine.Leftover(); left {
		if err := l.machine.GoOn(); err != nil {
			return err
		}
	} else if err := l.machine.Begin(o.record); err != nil {
		return err
	}
	now := l.machine.Now()
	expires := "no automatic expiry"
	if !now.Expires.IsZero() {
		expires = now.Expires.Format(time.RFC3339)
	}
	err := l.append(audit.SessionOpening, now.Opener.Actor, l.id, "user", now.Opener.User, "method", now.Opener.Method, "roles", strings.Join(now.Opener.Roles, ","),
		"case", now.Case, "rss", now.Way.RSS, "way", l.route.String(), "expires", expires, "policy", l.a.policy.Load().Hash(), "rule", l.opened.Rule.Source.String())
	if err != nil {
		err = errors.Join(err, l.machine.End(session.Cut, "it could not be recorded"), l.machine.Do(session.Closed))
	}
	return err
}

// refused records that somebody was not let to turn it on.
func (r *remote) refused(actor, id string, err error) {
	rule := ""
	var refusal *policy.Refusal
	if errors.As(err, &refusal) {
		rule = refusal.Decision.Rule.Source.String()
	}
	r.event(audit.SessionRefused, actor, id, "reason", firstLine(err.Error()), "rule", rule)
}
