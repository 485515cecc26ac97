package agent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/session"
)

// Session tells the state of remote access.
func (a *Agent) Session(context.Context, control.Caller) (control.Session, error) {
	if r := a.remote.Load(); r != nil {
		return r.describe(), nil
	}
	return control.Session{State: string(session.Off)}, nil
}

// Connections lists who is in, and who waits.
func (a *Agent) Connections(context.Context, control.Caller) ([]control.Connection, error) {
	all := []control.Connection{}
	if r := a.remote.Load(); r != nil {
		all = append(all, r.describe().Connections...)
	}
	return all, nil
}

// describe is the session for people and programs.
func (r *remote) describe() control.Session {
	now := r.machine.Now()
	s := control.Session{State: string(now.State)}
	l := r.current()
	if l == nil || now.State == session.Off {
		return s
	}
	s.ID, s.By, s.Method, s.Case, s.Since, s.Expires, s.Standing = now.ID, now.Opener.Actor, now.Opener.Method, now.Case, now.Since, now.Expires, now.Standing
	s.System, s.RSS, s.Way = l.vendor.System, l.vendor.RSS, l.route.String()
	if left, bounded := r.machine.Left(); bounded {
		s.SecondsLeft = int64(left / time.Second)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	link := l.linked
	s.Link = &link
	s.HostKey = ssh.FingerprintSHA256(l.key.PublicKey())
	s.SecretGood, s.TriesLeft = l.gate.State()
	for _, c := range l.conns {
		s.Connections = append(s.Connections, c.describeLocked())
	}
	slices.SortFunc(s.Connections, func(a, b control.Connection) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return s
}

// describeLocked needs the session's lock.
func (c *conn) describeLocked() control.Connection {
	return control.Connection{
		ID: c.id, State: c.state, Engineer: c.peer.Engineer, Case: c.peer.Case, From: c.from, Since: c.since,
		Needs: c.approvals.needs, Approvers: slices.Clone(c.approvals.people), Until: c.approvals.until,
		Bytes: c.tally.bytes.Load(), Commands: int(c.tally.commands.Load()), Files: int(c.tally.files.Load()),
		Recorded: c.state != control.ConnectionWaiting && c.rec != nil && c.rec.rec != nil && c.rec.rec.Err() == nil,
	}
}

// access is the part of Status about remote access, and what is wrong with it.
func (a *Agent) access() (s control.Session, problems []string) {
	if r := a.remote.Load(); r != nil {
		s := r.describe()
		if r.problem != "" {
			problems = append(problems, r.problem)
		}
		if s.ID != "" && !s.SecretGood && s.State != string(session.Closing) {
			problems = append(problems, "the secret was tried wrongly too often and is void, so nobody new can enter; make a new one: remote-support secret new")
		}
		return s, problems
	}
	s = control.Session{State: string(session.Off)}
	left, err := session.Peek(a.root.Session())
	switch {
	case err != nil:
		problems = append(problems, err.Error())
	case left.State != session.Off:
		problems = append(problems, fmt.Sprintf("the agent ended in the middle of session %s of %s; nothing of it is open now, and its end is recorded when the agent starts: remote-support serve",
			left.ID, left.Since.Local().Format(time.DateTime)))
	}
	return s, problems
}
