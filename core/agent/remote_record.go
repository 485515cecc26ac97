package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/resume"
)

// recorder is the recording of one connection. Where policy does not insist, a
// connection goes on when recording becomes impossible, and one event says so.
type recorder struct {
	c    *conn
	must atomic.Bool
	rec  *record.Recording // nil when it could not even be begun
	// heads has the engineer's client counter-sign it; nil where rec is.
	heads *side.Heads

	once sync.Once
}

// record begins the recording of a connection. An error means that it must not
// take place.
func (c *conn) record(must bool) (*recorder, error) {
	l := c.l
	r := &recorder{c: c}
	r.must.Store(must)
	to, err := l.a.readers()
	if err == nil {
		r.rec, err = record.Start(record.Options{
			Dir: l.a.root.Recordings(), ID: c.id, Session: l.id, Engineer: c.peer.Engineer, Case: c.peer.Case, From: c.from, System: l.a.system.ID(),
			Signer: l.a.system.Signer(), Recipients: to, Witness: c.peer.Witness,
			Ship: func(record.Segment) {
				if s := l.shipper.Load(); s != nil {
					s.Wake()
				}
			},
			Failed: r.failed,
		})
	}
	if err != nil {
		r.failed(err)
		if must {
			return nil, fmt.Errorf("the connection cannot be recorded: %w", err)
		}
		return r, nil
	}
	r.heads = side.NewHeads(r.rec, l.log.With("connection", c.id))
	return r, nil
}

// insist is told when policy begins to insist. An error means that the
// connection is not recorded, and so must end.
func (r *recorder) insist() error {
	r.must.Store(true)
	if r.rec == nil || r.rec.Err() != nil {
		return errUnrecorded
	}
	return nil
}

var errUnrecorded = &policyError{"policy insists on a recording now (engineer.recording), and this connection could not be recorded"}

// failed says, once, that the connection is not recorded any more. Where policy
// insists, package access cuts it.
func (r *recorder) failed(err error) {
	r.once.Do(func() {
		what := "the connection goes on"
		if r.must.Load() {
			what = "the connection is cut"
		}
		r.c.l.event(audit.RecordingFailed, "agent", r.c.id, "session", r.c.l.id, "engineer", r.c.peer.Engineer, "reason", firstLine(err.Error()), "so", what)
		if r.must.Load() && r.rec != nil {
			go r.c.end("agent", "it could not be recorded any more, and policy insists")
		}
	})
}

// pass lets an error through where it must stop what is going on.
func (r *recorder) pass(err error) error {
	if err == nil {
		return nil
	}
	r.failed(err)
	if r.must.Load() {
		return err
	}
	return nil
}

// Resize implements access.Recorder.
func (r *recorder) Resize(channel uint32, cols, rows int) error {
	if r.rec == nil {
		return nil
	}
	return r.pass(r.rec.Resize(channel, cols, rows))
}

// Output implements access.Recorder.
func (r *recorder) Output(channel uint32, p []byte) error {
	if r.rec == nil {
		return nil
	}
	return r.pass(r.rec.Output(channel, p))
}

// Note implements access.Recorder.
func (r *recorder) Note(n record.Note) error {
	switch n.Kind {
	case record.Shell, record.Command:
		r.c.tally.commands.Add(1)
	case record.File:
		r.c.tally.files.Add(1)
	}
	if r.rec == nil {
		return nil
	}
	return r.pass(r.rec.Note(n))
}

// close ends the recording; over stream, unless there is none, the engineer's
// client counter-signs its end.
func (r *recorder) close(reason string, stream *resume.Stream) record.Summary {
	c := r.c
	summary := record.Summary{Recording: c.id, Session: c.l.id, Engineer: c.peer.Engineer, Case: c.peer.Case, From: c.from, Started: c.since, Ended: time.Now(), Reason: reason, Failed: "it could not be begun"}
	if r.rec == nil {
		return summary
	}
	var err error
	if stream != nil {
		summary, err = r.heads.Close(stream, reason)
	} else {
		r.rec.Unwitnessed("the engineer's client never came in")
		summary, err = r.rec.Close(reason)
	}
	if err != nil {
		r.failed(err)
	}
	return summary
}

// readers are whom recordings are encrypted to: the customer, and the vendor
// only where the configuration wants it and policy does not forbid it (REQ K3).
func (a *Agent) readers() ([]age.Recipient, error) {
	key, err := record.LoadKey(a.root.RecordingKey())
	if err != nil {
		return nil, err
	}
	to := []age.Recipient{key.Recipient()}
	if share, _ := (localcfg.Entry{Value: a.local()[localcfg.ShareRecordings]}).Bool(); !share || !a.Decide(policy.RecordingShare, policy.Facts{}).Allowed {
		return to, nil
	}
	vendor, err := a.system.Vendor()
	if err != nil {
		return nil, err
	}
	for _, line := range vendor.Recipients {
		r, err := age.ParseX25519Recipient(line)
		if err != nil {
			return nil, fmt.Errorf("a recipient of the vendor: %w", err)
		}
		to = append(to, r)
	}
	return to, nil
}

// uploads sends segments to the relay by the way of the session: one after the
// other over the same connection, until there are none for the moment.
type uploads struct {
	l *live
	c *client.Client // nil while there is no connection
	t transport
}

func (u *uploads) send(ctx context.Context, s record.Segment) (err error) {
	if u.c == nil {
		if u.c, u.t, err = u.l.client(); err != nil {
			u.c = nil
			return err
		}
	}
	b, err := os.ReadFile(s.Path)
	if err != nil {
		return err
	}
	if err = u.c.SendSegment(ctx, s.Recording, s.Segment, b); err != nil {
		u.rest()
	}
	return err
}

func (u *uploads) rest() {
	if u.c != nil {
		u.c.Close()
		u.t.Close()
		u.c = nil
	}
}

// ship sends recordings while the session lasts.
func (l *live) ship() {
	if l.shipper.Load() != nil {
		return
	}
	u := &uploads{l: l}
	s := record.NewShipper(l.a.root.Recordings(), u.send, l.log)
	s.Rest = u.rest
	l.shipper.Store(s)
	ctx, stop := context.WithCancel(l.remote.ctx)
	l.after.Go(func() {
		ended := make(chan struct{})
		go func() { defer close(ended); _ = s.Run(ctx) }()
		<-l.done
		stop()
		<-ended
		// What the end of the session added. The rest waits for the next one:
		// nothing leaves a machine that is off (REQ H6).
		ctx, cancel := context.WithTimeout(l.remote.ctx, shipAfter)
		defer cancel()
		if err := s.Pass(ctx); err != nil {
			l.log.Info("recordings wait for the next session", "error", err)
		}
	})
}

// shipAfter bounds how long after its end a session's recordings are sent.
const shipAfter = 30 * time.Second
