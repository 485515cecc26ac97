package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/policy"
)

// approvals are what people said about a connection that waits.
type approvals struct {
	needs  int
	until  time.Time
	people []string      // who said yes, each once
	denied string        // who said no
	change chan struct{} // one more has spoken
}

// approve asks policy, and people where policy wants that. nil lets the engineer
// in.
func (c *conn) approve(ctx context.Context, hs *handshake.Conn) error {
	d := c.accept(nil)
	if d.Allowed {
		return nil
	}
	if d.Duties.Approvals == 0 {
		return d.Err()
	}
	// What would be refused whoever approves is told with the reason that counts.
	if err := c.accept(placeholders(d.Duties.Approvals)).Err(); err != nil {
		return err
	}
	limit := d.Duties.ApprovalTimeout
	l := c.l
	until := time.Now().Add(limit)
	l.mu.Lock()
	c.approvals = approvals{needs: d.Duties.Approvals, until: until, change: make(chan struct{}, 1)}
	l.mu.Unlock()
	if err := l.append(audit.ConnectionRequested, c.actor(), c.id, "session", l.id, "case", c.peer.Case, "from", c.from,
		"needs", fmt.Sprint(d.Duties.Approvals), "until", until.UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	err := c.wait(ctx, hs, limit)
	if err == nil {
		// Policy has the last word, with what people said.
		err = c.accept(c.said()).Err()
	}
	if err != nil {
		l.event(audit.ConnectionDenied, "agent", c.id, "session", l.id, "engineer", c.peer.Engineer, "reason", firstLine(err.Error()))
	}
	return err
}

// accept asks policy about the connection.
func (c *conn) accept(approvers []string) policy.Decision {
	f := policy.Facts{policy.Engineer: c.peer.Engineer, policy.Case: c.peer.Case, policy.From: c.from, policy.Certificate: certificateFact(c.peer.Certificate), policy.Approvers: strings.Join(approvers, ",")}
	return c.asked.Decide(policy.ConnectAccept, f)
}

// placeholders are as many people as are needed, to find out whether there is
// another reason to refuse.
func placeholders(n int) []string {
	people := make([]string, n)
	for i := range people {
		people[i] = fmt.Sprintf("somebody %d", i)
	}
	return people
}

// denied is a refusal by a person, or by nobody.
type deniedError struct{ msg string }

func (e *deniedError) Error() string { return e.msg }
func (e *deniedError) ExitCode() int { return 3 }

// wait waits for people, and tells the engineer that he waits. nil means that
// enough said yes.
func (c *conn) wait(ctx context.Context, hs *handshake.Conn, limit time.Duration) error {
	l := c.l
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	until, needs, change := c.approvals.until, c.approvals.needs, c.approvals.change
	l.mu.Unlock()
	why := "the customer's approval"
	if needs > 1 {
		why = fmt.Sprintf("the approval of %d people at the customer", needs)
	}
	holding := make(chan error, 1)
	go func() { holding <- hs.Hold(ctx, why, until) }()
	stopHolding := func() error { cancel(); return <-holding }
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case <-change:
			l.mu.Lock()
			enough, denied := len(c.approvals.people) >= needs, c.approvals.denied
			l.mu.Unlock()
			if denied != "" {
				return errors.Join(&deniedError{"the customer said no"}, stopHolding())
			}
			if enough {
				return stopHolding()
			}
		case <-timer.C:
			return errors.Join(&deniedError{"nobody at the customer answered in time, which is a no"}, stopHolding())
		case err := <-holding:
			if err == nil {
				err = context.Cause(ctx)
			}
			return err
		case <-c.ctx.Done():
			cause := context.Cause(c.ctx)
			stopHolding()
			return cause
		}
	}
}

// said are the people who approved.
func (c *conn) said() []string {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	return append([]string(nil), c.approvals.people...)
}

func (c *conn) approvers() string { return strings.Join(c.said(), ",") }

func (c *conn) approversLocked() string { return strings.Join(c.approvals.people, ",") }

// Approve says yes to a connection that waits. Whoever may open a session may.
func (a *Agent) Approve(_ context.Context, by control.Caller, id string) (control.Connection, error) {
	l, c, person, err := a.approver(by, id)
	if err != nil {
		return control.Connection{}, err
	}
	l.mu.Lock()
	for _, p := range c.approvals.people {
		if strings.EqualFold(p, person) {
			l.mu.Unlock()
			return control.Connection{}, &stateError{person + " has approved this connection already; somebody else must", ""}
		}
	}
	l.mu.Unlock()
	if err := l.append(audit.ConnectionApproved, by.Actor(), c.id, "session", l.id, "engineer", c.peer.Engineer, "person", person); err != nil {
		return control.Connection{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.approvals.people = append(c.approvals.people, person)
	c.approvals.poke()
	return c.describeLocked(), nil
}

// Deny says no to a connection that waits. One is enough.
func (a *Agent) Deny(_ context.Context, by control.Caller, id string) error {
	l, c, err := a.connection(id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	if c.approvals.change == nil || c.state != control.ConnectionWaiting {
		l.mu.Unlock()
		return &stateError{"connection " + id + " does not wait for approval", "to end it use: remote-support connections cut " + id}
	}
	c.approvals.denied = by.Actor()
	c.approvals.poke()
	l.mu.Unlock()
	l.gate.ForgetEngineer(c.peer.Engineer)
	l.event(audit.ConnectionDenied, by.Actor(), c.id, "session", l.id, "engineer", c.peer.Engineer, "reason", "denied by "+by.Actor())
	<-c.done
	return nil
}

func (p *approvals) poke() {
	select {
	case p.change <- struct{}{}:
	default:
	}
}

// approver finds the connection, and the name of the person who speaks: as he
// has proved it, so that two people are two people.
func (a *Agent) approver(by control.Caller, id string) (*live, *conn, string, error) {
	if err := a.outsider(by, "approve connections"); err != nil {
		return nil, nil, "", err
	}
	l, c, err := a.connection(id)
	if err != nil {
		return nil, nil, "", err
	}
	who, err := a.who(by)
	if err != nil {
		return nil, nil, "", err
	}
	o := opener(by, who)
	if err := a.Decide(policy.SessionOpen, fresh(openFacts(o, l.vendor.RSS, l.route, 0), who)).Err(); err != nil {
		return nil, nil, "", fmt.Errorf("whoever approves a connection must be one who may open a session: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.approvals.change == nil || c.state != control.ConnectionWaiting {
		return nil, nil, "", &stateError{"connection " + id + " does not wait for approval", "see: remote-support connections"}
	}
	return l, c, strings.ReplaceAll(o.User, ",", " "), nil
}
