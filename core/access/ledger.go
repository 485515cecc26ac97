package access

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// A ledger writes down what happens: into the recording and into the audit log.
type ledger struct {
	server   *server
	required atomic.Bool // policy demands a recording
	broken   atomic.Bool // recording failed, and an event said so
}

// facts adds what is always known.
func (s *server) facts(facts policy.Facts) policy.Facts {
	facts[policy.Engineer] = s.Peer.Engineer
	facts[policy.RunAs] = s.account.Name
	if s.Peer.Case != "" {
		facts[policy.Case] = s.Peer.Case
	}
	return facts
}

// decide asks policy, with what is always known.
func (s *server) decide(action policy.Action, facts policy.Facts) policy.Decision {
	d := s.Policy.Decide(action, s.facts(facts))
	if d.Duties.Record {
		s.ledger.required.Store(true)
	}
	return d
}

// output records what is about to be shown. An error means that it must not be.
func (l *ledger) output(channel uint32, p []byte) error {
	return l.recorded(l.server.Record.Output(channel, p))
}

func (l *ledger) resize(channel uint32, cols, rows int) error {
	return l.recorded(l.server.Record.Resize(channel, cols, rows))
}

func (l *ledger) note(n record.Note) error {
	return l.recorded(l.server.Record.Note(n))
}

// recorded acts on a recording that fails: what must be recorded is cut, what
// need not be goes on, with one event.
func (l *ledger) recorded(err error) error {
	if err == nil {
		return nil
	}
	if l.server.ctx.Err() != nil {
		return err // it ends already, and the recording with it
	}
	required := l.required.Load()
	if !l.broken.Swap(true) || required {
		then := "the connection goes on unrecorded"
		if required {
			then = "the connection is cut, as policy demands"
		}
		_, _ = l.server.Audit.Append(l.event(audit.RecordingFailed, map[string]string{"error": err.Error(), "consequence": then}))
	}
	if required {
		err = fmt.Errorf("recording failed: %w", err)
		l.server.fail(err)
		return err
	}
	return nil
}

// audit appends an event. An error means that what it is about must not happen.
func (l *ledger) audit(t audit.Type, detail map[string]string) error {
	if _, err := l.server.Audit.Append(l.event(t, detail)); err != nil {
		return fmt.Errorf("the audit log cannot be written: %w", err)
	}
	return nil
}

func (l *ledger) event(t audit.Type, detail map[string]string) audit.Event {
	p := &l.server.Peer
	all := map[string]string{"session": p.Session, "run_as": l.server.account.Name}
	if p.Case != "" {
		all["case"] = p.Case
	}
	for k, v := range detail {
		all[k] = v
	}
	return audit.Event{Type: t, Actor: "engineer:" + p.Engineer, Subject: p.Connection, Detail: all}
}

// file enters one file that was moved.
func (l *ledger) file(n record.Note) error {
	n.Kind = record.File
	err := l.note(n)
	detail := map[string]string{"path": n.Path, "direction": n.Direction, "bytes": fmt.Sprint(n.Size), "sha256": n.SHA256}
	if n.Text != "" {
		detail["note"] = n.Text
	}
	err = errors.Join(err, l.audit(audit.AccessFile, detail))
	if err != nil {
		l.server.fail(err)
	}
	return err
}

// A recorder is the way of output to the engineer: recorded first.
type recorder struct {
	server  *server
	channel uint32
	to      io.Writer
}

func (r recorder) Write(p []byte) (int, error) {
	if err := r.server.ledger.output(r.channel, p); err != nil {
		return 0, err
	}
	if v := r.server.View; v != nil {
		v(r.channel, p)
	}
	return r.to.Write(p)
}
