package agent

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/inspectors"
	"github.com/latchstring/latchstring/core/session"
	"github.com/latchstring/latchstring/core/testconn"
	"github.com/latchstring/latchstring/core/tunnel"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// linkUp is told each time that the relay is reached.
func (l *live) linkUp() {
	l.mu.Lock()
	first := !l.upOnce
	l.upOnce = true
	l.linked.Up, l.linked.Since, l.linked.Error = true, time.Now(), ""
	announced := l.announced
	l.mu.Unlock()
	// Two files, and nobody is let in before both are on disk.
	now := l.machine.Now()
	written := make(chan error, 1)
	go func() { written <- l.machine.Do(session.LinkUp) }()
	recorded := l.recordUp(first && !announced, now)
	if err := <-written; err != nil {
		go l.end(session.Cut, "its state could not be written down: "+err.Error())
		return
	}
	if recorded != nil {
		go l.end(session.Cut, "its beginning could not be recorded: "+recorded.Error())
		return
	}
	if first {
		close(l.up)
		l.deliverQueue()
	}
	l.ship()
	l.shipper.Load().Wake()
}

// recordUp records that the session is open, or that it can be reached again. An
// error means that it must not be.
func (l *live) recordUp(opened bool, now session.Record) error {
	if !opened {
		l.event(audit.LinkUp, "agent", l.id, "rss", l.vendor.RSS)
		return nil
	}
	expires := ""
	if !now.Expires.IsZero() {
		expires = now.Expires.Format(time.RFC3339)
	}
	if err := l.append(audit.SessionOpened, now.Opener.Actor, l.id, "name", l.id, "case", now.Case, "rss", now.Way.RSS, "expires", expires); err != nil {
		return err
	}
	l.mu.Lock()
	l.announced = true
	l.mu.Unlock()
	return nil
}

// linkDown is told each time that the relay is lost, or not reached. Before it
// was ever reached that ends a session that somebody waits for; one that nobody
// waits for goes on trying.
func (l *live) linkDown(err error) {
	l.mu.Lock()
	was, ever := l.linked.Up, l.upOnce
	l.linked = control.Link{InspectedBy: l.linked.InspectedBy}
	if err != nil {
		l.linked.Error = firstLine(err.Error())
	}
	l.mu.Unlock()
	if l.ctx.Err() != nil {
		return
	}
	now := l.machine.Now()
	if !ever && !now.Standing {
		l.fail(err)
		return
	}
	if was {
		l.event(audit.LinkDown, "agent", l.id, "reason", firstLine(errorText(err)))
		if err := l.machine.Do(session.LinkDown); err != nil {
			l.log.Error("write down the state of the session", "error", err)
		}
	}
}

// inspected is told who opens TLS on the way.
func (l *live) inspected(by string) {
	l.mu.Lock()
	known := l.linked.InspectedBy == by
	l.linked.InspectedBy = by
	l.mu.Unlock()
	if !known && by != "" {
		l.event(audit.LinkInspected, "agent", l.id, "by", by)
	}
}

// fail ends the session because of the link.
func (l *live) fail(err error) {
	l.mu.Lock()
	if l.failed == nil {
		l.failed = err
	}
	l.mu.Unlock()
	go l.end(session.LinkFailed, "no link to the relay: "+firstLine(errorText(err)))
}

func errorText(err error) string {
	if err == nil {
		return "it ended"
	}
	return err.Error()
}

// explain finds the step at which the relay could not be reached: the same as
// Test Connection would show.
func (r *remote) explain(ctx context.Context, l *live) error {
	l.mu.Lock()
	err := l.failed
	l.mu.Unlock()
	if err == nil { // it was ended by something else meanwhile
		return &stateError{"the session was ended before the relay was reached: " + r.machine.Now().Reason, "see: remote-support audit show --since 1h"}
	}
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) && coder.ExitCode() == 3 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out := &stepError{err: err}
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		out.hint = hinter.Hint()
	}
	key, failed := l.vendor.ReceiptPublicKey()
	if failed != nil {
		return out
	}
	client, t, failed := l.client()
	if failed != nil {
		return out
	}
	defer t.Close()
	defer client.Close()
	_ = testconn.Run(ctx, testconn.Options{Client: client, RelayKey: key, Way: t, Route: l.route, Policy: r.a, Inspectors: inspectors.Dir(r.a.root)}, func(s testconn.Step) {
		if s.Err != nil {
			out.step, out.err, out.hint = s.Name, s.Err, s.Hint
		}
	})
	return out
}

// transport is a way out that is in use.
type transport interface {
	testconn.Way
	Close() error
}

// client is a relay client by the way of the session. Close both.
func (l *live) client() (*client.Client, transport, error) {
	t, err := l.transport()
	if err != nil {
		return nil, nil, err
	}
	c, err := l.a.relay(l.vendor, t.DialContext)
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	return c, t, nil
}

// transport is the one that is ready, or one that starts with the first dial.
func (l *live) transport() (transport, error) {
	if l.a.opts.transport == nil {
		if t := l.standby.Take(l.route.Transport, l.route.Use("session")); t != nil {
			return t, nil
		}
	}
	return l.a.transport(l.route)
}

// tunnelLink is the link that counts.
func tunnelLink(ctx context.Context, o linkOptions) error {
	l := o.Live
	relay, t, err := l.client()
	if err != nil {
		return err
	}
	defer t.Close()
	defer relay.Close()
	key, err := l.vendor.ReceiptPublicKey()
	if err != nil {
		return err
	}
	return tunnel.Run(ctx, tunnel.Options{
		Relay: relay, RelayKey: key, Renew: l.renew,
		Begun: func(ctx context.Context) (msg.Hello, error) {
			if err := o.Begun(ctx); err != nil {
				return msg.Hello{}, err
			}
			return l.hello(), nil
		},
		Together: l.route.Use("").Proxy == "", // a proxy may count connections
		Revoked:  l.revoked.told,
		Serve: func(ctx context.Context, raw net.Conn, s tunnel.Start) {
			o.Serve(ctx, raw, startConn{s.Connection, s.Engineer, s.From, s.Node})
		},
		State: func(s tunnel.State) {
			switch s.Kind {
			case tunnel.Up:
				o.Up()
			case tunnel.Down:
				o.Down(s.Err)
			case tunnel.Inspected:
				o.Inspected(s.InspectedBy)
			case tunnel.Replaced:
				l.event(audit.LinkReplaced, "agent", l.id, "reason", firstLine(errorText(s.Err)))
				l.fail(s.Err)
			case tunnel.Refused:
				// Not only when Run returns: it waits for the engineers who are in.
				l.fail(s.Err)
			}
		},
	})
}

// hello is what the relay is told about the session.
func (l *live) hello() msg.Hello {
	now := l.machine.Now()
	return msg.Hello{V: msg.Version, Session: l.id, Since: now.Since, Expires: now.Expires, Name: l.vendor.System, Case: now.Case}
}

// tellRelay announces the session anew, after its end has changed.
func (l *live) tellRelay() {
	for {
		select {
		case l.renew <- l.hello():
			return
		default:
		}
		select { // the one that nobody took yet is old
		case <-l.renew:
		default:
		}
	}
}

// transport is the transport plugin of a route; it starts with the first dial.
func (a *Agent) transport(way route.Route) (transport, error) {
	if a.opts.transport != nil {
		return a.opts.transport, nil
	}
	return a.host.Transport(way.Transport, way.Use("session"))
}
