package agent

import (
	"time"

	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/session"
)

// passport writes what is left of the session on one page, signed, and returns
// where. A passport that cannot be written is logged: the audit log and the
// recordings have everything that it says.
func (l *live) passport(reason string) string {
	l.mu.Lock()
	visits := append([]record.Visit(nil), l.visits...)
	l.mu.Unlock()
	return l.remote.signPassport(l.machine.Now(), reason, visits)
}

// oldPassport is that of a session which a crash ended: what its recordings say.
func (r *remote) oldPassport(left session.Record, reason string) string {
	infos, err := record.List(r.a.root.Recordings())
	if err != nil {
		r.log.Error("list recordings for the passport", "error", err)
	}
	var visits []record.Visit
	for _, i := range infos {
		if i.Session == left.ID {
			report, err := record.Verify(i.Dir, record.Check{Key: r.a.system.PublicKey()})
			if err != nil {
				r.log.Error("a recording of the session that ended in a crash", "error", err)
			}
			visits = append(visits, record.Visit{Summary: record.Summary{Recording: i.ID, Session: i.Session, Engineer: i.Engineer, Case: i.Case, From: i.From,
				Started: i.Started, Ended: i.Last, Reason: i.Reason, Segments: i.Segments, Head: i.Head, Failed: i.Failed, Witnessing: report.Witnessing}})
		}
	}
	return r.signPassport(left, reason, visits)
}

func (r *remote) signPassport(now session.Record, reason string, visits []record.Visit) string {
	p := record.Passport{
		Session: now.ID, System: r.a.system.ID(), Host: hostname(), Case: now.Case, Opener: now.Opener.Actor, Method: now.Opener.Method,
		Opened: now.Since, Expires: now.Expires, Ended: r.clock.Now().UTC().Truncate(time.Second), Reason: reason, Relay: now.Way.RSS,
		Policy: r.a.policy.Load().Hash(), Connections: visits, Versions: map[string]string{"remote-support": r.a.opts.Version},
	}
	if head, err := r.a.log.Head(); err == nil {
		p.Audit = head.Hash
	}
	path, err := record.SignPassport(r.a.root.Passports(), p, r.a.system.Signer())
	if err != nil {
		r.log.Error("write the passport of the session", "error", err)
	}
	return path
}
