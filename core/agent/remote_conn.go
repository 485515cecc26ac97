package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect/side"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/session"
)

// conn is one engineer's connection, from the moment that he is proved to be
// who he says.
type conn struct {
	l     *live
	id    string
	peer  handshake.Peer
	from  string
	since time.Time
	ctx   context.Context
	stop  context.CancelCauseFunc
	done  chan struct{}
	asked asked // what was allowed to it
	hub   hub   // who looks on
	warns chan string
	tally tally
	rec   *recorder // nil until it is open
	ssh   string    // the version of SSH with which his program will begin, or ""

	// Under live.mu.
	state     string
	approvals approvals
	reason    string // why it was cut; the first counts
	warned    bool   // that the certificate ends soon
	stream    *resume.Stream
	streamID  string
}

// tally counts what a connection does.
type tally struct {
	bytes           atomic.Int64
	commands, files atomic.Int64
}

// errUnwanted is why a connection is not served that nobody here asked for.
var errUnwanted = errors.New("the relay names the connection in no way that it could be known by")

// maxUsed bounds the ids of connections that are remembered.
const maxUsed = 10_000

// serve serves one connection that the relay has spliced. It owns raw.
func (l *live) serve(ctx context.Context, raw net.Conn, s startConn) {
	l.mu.Lock()
	closing := l.ctx.Err() != nil
	if !closing {
		l.work.Add(1) // not after Wait: under the lock that close takes first
	}
	l.mu.Unlock()
	if closing {
		raw.Close()
		return
	}
	defer l.work.Done()
	defer context.AfterFunc(l.ctx, func() { raw.Close() })()
	if err := l.admit(ctx, raw, s); err != nil && l.ctx.Err() == nil && !leftOver(err) {
		l.event(audit.ConnectionRefused, "agent", s.Connection, append(l.about(s), "reason", firstLine(err.Error()), "code", codeOf(err))...)
	}
}

// leftOver reports whether an engineer hung up by himself, because what he had
// kept was of an older session: his next try is with the secret.
func leftOver(err error) bool {
	var e *handshake.Error
	return errors.As(err, &e) && e.Remote && e.Code == handshake.CodeSystem
}

// about is what the relay says of a connection: nobody believes it.
func (l *live) about(s startConn) []string {
	return []string{"session", l.id, "relay says engineer", clip(s.Engineer), "relay says from", clip(s.From)}
}

func clip(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most]
	}
	if printable("", s) != nil {
		return strconv.QuoteToASCII(s)
	}
	return s
}

func codeOf(err error) string {
	var e *handshake.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return ""
}

// admit makes sure of the engineer, and then serves him or gives the connection
// to a stream of his that lost its own. An error means that he was not let in.
func (l *live) admit(ctx context.Context, raw net.Conn, s startConn) error {
	if !api.ValidConnectionID(s.Connection) {
		raw.Close()
		return errUnwanted
	}
	if l.remote.checkClocks() {
		raw.Close()
		return errors.New("the time of the session is up")
	}
	hs, err := l.gate.Accept(ctx, raw, handshake.ServerOptions{Offer: l.offer(), SupportCA: l.ca, SystemNames: []string{l.vendor.System}, Now: l.clock.Now, Revoked: l.revoked.check})
	if err != nil {
		return err
	}
	defer hs.Forget()
	req, err := hs.Requested(ctx)
	if err != nil {
		raw.Close()
		return err
	}
	if hs.Replaced() && (req.Enrol || req.Open) {
		err := &handshake.Error{Code: handshake.CodeEnrolment, Text: "the secret of this session was replaced by a new one, which is needed"}
		_ = hs.Deny(ctx, err.Code, err.Text)
		return err
	}
	if req.Enrol { // he gave the secret for connections to come, and wants none now
		defer hs.Close()
		p := hs.Peer()
		return errors.Join(l.append(audit.ConnectionEnrolled, "engineer:"+p.Engineer, s.Connection, "session", l.id, "case", p.Case, "mode", p.Mode), hs.Grant(ctx, "", 0))
	}
	if !req.Open {
		return l.attach(ctx, hs, req)
	}
	l.a.refreshPolicy() // an edit counts from this moment on
	c, err := l.enrol(hs, s)
	if err != nil {
		return errors.Join(err, hs.Deny(ctx, handshake.CodeInternal, err.Error()))
	}
	defer l.forget(c)
	if err := c.approve(ctx, hs); err != nil {
		_ = hs.Deny(ctx, handshake.CodeDenied, firstLine(err.Error()))
		return err
	}
	over := c.expired() // while people thought about it
	if err := l.revoked.check(c.peer.Certificate); err != nil {
		over = err.Error()
	}
	if over != "" {
		_ = hs.Deny(ctx, handshake.CodeCertificate, over)
		return errors.New(over)
	}
	c.ssh = req.SSH
	return c.run(ctx, hs)
}

// offer is what this system says of itself to an engineer.
func (l *live) offer() handshake.Offer {
	expires := l.machine.Now().Expires
	if expires.IsZero() {
		expires = noEnd
	}
	return handshake.Offer{System: l.a.system.ID(), Session: l.id, HostKey: identity.FormatKey(l.key.PublicKey()), Expires: expires, Policy: l.a.policy.Load().Hash()}
}

// noEnd stands for no automatic expiry, where a time must be given.
var noEnd = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// attach gives a new carrier to a stream that lost its own.
func (l *live) attach(ctx context.Context, hs *handshake.Conn, req handshake.Request) error {
	err := l.resume.Attach(resume.Attachment{Stream: req.Stream, Received: req.Received, Proof: req.Proof, Binding: hs.Binding()},
		func(received uint64) (net.Conn, error) {
			if err := hs.Grant(ctx, req.Stream, received); err != nil {
				return nil, errors.Join(err, hs.Close())
			}
			return hs.Raw(), nil
		})
	if errors.Is(err, resume.ErrNoStream) {
		_ = hs.Deny(ctx, handshake.CodeStream, "there is no such stream any more")
	}
	if err != nil {
		return err
	}
	// The connection is the stream's now; it is closed when this returns.
	l.mu.Lock()
	var carried *resume.Stream
	for _, c := range l.conns {
		if c.streamID == req.Stream {
			carried = c.stream
		}
	}
	l.mu.Unlock()
	if carried != nil {
		select {
		case <-carried.Lost():
		case <-carried.Done():
		case <-ctx.Done():
		}
	}
	return nil
}

// enrol lists a connection, so that it can be seen and cut.
func (l *live) enrol(hs *handshake.Conn, s startConn) (*conn, error) {
	c := &conn{l: l, id: s.Connection, peer: hs.Peer(), from: clip(s.From), since: l.clock.Now(), done: make(chan struct{}), warns: make(chan string, 4), state: control.ConnectionWaiting}
	c.asked.policy = present{l}
	c.ctx, c.stop = context.WithCancelCause(l.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used[c.id] {
		c.stop(nil)
		return nil, fmt.Errorf("a connection %s was there already", c.id)
	}
	if len(l.used) >= maxUsed {
		c.stop(nil)
		return nil, errors.New("this session had too many connections; it must be turned off and on")
	}
	l.used[c.id], l.conns[c.id] = true, c
	return c, nil
}

func (l *live) forget(c *conn) {
	c.stop(nil)
	l.mu.Lock()
	delete(l.conns, c.id)
	l.mu.Unlock()
	c.hub.close()
	close(c.done)
}

// run serves an engineer who was let in. An error means that he was not, after
// all.
func (c *conn) run(ctx context.Context, hs *handshake.Conn) error {
	l := c.l
	must := c.asked.duties(policy.ConnectAccept).Record
	rec, err := c.record(must)
	if err != nil {
		_ = hs.Deny(ctx, handshake.CodeInternal, "the connection cannot be recorded, and policy does not allow one that is not")
		return err
	}
	l.mu.Lock()
	c.rec = rec
	l.mu.Unlock()
	if err := l.append(audit.ConnectionOpened, c.actor(), c.id, "session", l.id, "case", c.peer.Case, "from", c.from, "mode", c.peer.Mode,
		"certificate", ssh.FingerprintSHA256(c.peer.Certificate.Key), "serial", strconv.FormatUint(c.peer.Certificate.Serial, 10), "approved by", c.approvers()); err != nil {
		rec.close("it could not be recorded", nil)
		_ = hs.Deny(ctx, handshake.CodeInternal, "the connection cannot be recorded")
		return err
	}
	why, summary := c.talk(ctx, hs)
	l.mu.Lock()
	l.visits = append(l.visits, record.Visit{Summary: summary, Certificate: ssh.FingerprintSHA256(c.peer.Certificate.Key), Approver: c.approversLocked()})
	l.mu.Unlock()
	l.event(audit.ConnectionClosed, c.actor(), c.id, "session", l.id, "reason", why, "lasted", l.clock.Now().Sub(c.since).Round(time.Second).String(),
		"bytes", strconv.FormatInt(c.tally.bytes.Load(), 10), "commands", strconv.FormatInt(c.tally.commands.Load(), 10), "files", strconv.FormatInt(c.tally.files.Load(), 10),
		"recording", summary.Head.Hash, "counter-signed", summary.Witnessing.Text())
	return nil
}

func (c *conn) actor() string { return "engineer:" + c.peer.Engineer }

// talk is the connection itself. It returns why it ended, and what of it was
// recorded.
func (c *conn) talk(ctx context.Context, hs *handshake.Conn) (string, record.Summary) {
	l := c.l
	not := func(why string) (string, record.Summary) { return why, c.rec.close(why, nil) }
	if err := l.machine.Do(session.Enter); err != nil {
		_ = hs.Deny(ctx, handshake.CodeEnded, "the session is not open: "+err.Error())
		return not(err.Error())
	}
	defer func() {
		if err := l.machine.Gone(); err != nil {
			l.log.Error("write down that an engineer is gone", "error", err)
		}
	}()
	o := resume.Options{State: c.carrier}
	if c.rec.heads != nil {
		o.Side = c.rec.heads.Side
	}
	id, stream, err := l.resume.Open(hs.StreamKey(), o)
	if err != nil {
		_ = hs.Deny(ctx, handshake.CodeInternal, err.Error())
		return not(err.Error())
	}
	defer stream.Abort("the connection was ended by the system")
	l.mu.Lock()
	c.state, c.stream, c.streamID = control.ConnectionOpen, stream, id
	l.mu.Unlock()
	if err := hs.Grant(ctx, id, 0); err != nil {
		return not("the engineer went away: " + err.Error())
	}
	hs.Forget()
	if err := stream.Attach(hs.Raw(), 0); err != nil {
		return not(err.Error())
	}
	var tellers sync.WaitGroup
	if c.rec.heads != nil {
		tellers.Go(func() { c.rec.heads.Tell(c.ctx, stream) })
	}
	err = access.Serve(c.ctx, foretell(&counted{side.Hold(stream), &c.tally}, c.ssh), access.Options{
		HostKey: l.key, Policy: &c.asked, Record: c.rec, Audit: l.a, Log: l.log, Warn: c.warns, View: c.hub.tell,
		RunAs: l.a.runAs(), Backend: l.a.backend(), Banner: l.banner(c),
		Peer: access.Peer{Engineer: c.peer.Engineer, Case: c.peer.Case, From: c.from, Connection: c.id, Session: l.id, Certificate: c.peer.Certificate},
	})
	c.stop(nil)
	tellers.Wait()
	side.Drain(stream)
	l.mu.Lock()
	why := c.reason
	l.mu.Unlock()
	cut := why != ""
	switch {
	case cut:
	case err != nil:
		why = firstLine(err.Error())
	case errors.Is(stream.Err(), resume.ErrLost):
		why = "the engineer was lost and did not come back"
	default:
		why = "the engineer left"
	}
	summary := c.rec.close(why, stream)
	if cut {
		stream.Abort(why) // so that he hears why
		<-stream.Done()   // it is bounded
	}
	stream.Close()
	return why, summary
}

// carrier is told when the connection gets or loses what carries it.
func (c *conn) carrier(err error) {
	l := c.l
	// Not from here: the stream waits.
	go func() {
		l.mu.Lock()
		was := c.state
		if c.ctx.Err() == nil {
			c.state = control.ConnectionOpen
			if err != nil {
				c.state = control.ConnectionLost
			}
		}
		now := c.state
		l.mu.Unlock()
		switch {
		case was == now:
		case now == control.ConnectionLost:
			l.event(audit.ConnectionLost, c.actor(), c.id, "session", l.id, "reason", firstLine(errorText(err)))
		case was == control.ConnectionLost:
			l.event(audit.ConnectionResumed, c.actor(), c.id, "session", l.id)
		}
	}()
}

// end cuts a connection and returns when its processes are dead.
func (c *conn) end(actor, reason string) {
	l := c.l
	l.mu.Lock()
	first := c.reason == ""
	if first {
		c.reason = reason
	}
	stream := c.stream
	l.mu.Unlock()
	c.stop(errors.New(reason))
	if first {
		l.event(audit.ConnectionCut, actor, c.id, "session", l.id, "reason", reason)
	}
	if stream != nil {
		defer time.AfterFunc(farewell, func() { stream.Abort(reason) }).Stop()
	}
	<-c.done
}

// banner is what the engineer reads first.
func (l *live) banner(c *conn) string {
	text := "You are connected to " + hostname() + ". Everything is recorded.\r\n"
	if left, bounded := l.machine.Left(); bounded {
		text += "The session ends in " + left.Round(time.Second).String() + ".\r\n"
	}
	return text
}

// warn puts a line on the terminals of everybody who is in.
func (l *live) warn(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		select {
		case c.warns <- text:
		default: // a terminal that does not read
		}
	}
}

// counted counts what goes over a connection.
type counted struct {
	net.Conn
	t *tally
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.t.bytes.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.t.bytes.Add(int64(n))
	return n, err
}

// Cut ends one connection.
func (a *Agent) Cut(_ context.Context, by control.Caller, id string) error {
	l, c, err := a.connection(id)
	if err != nil {
		return err
	}
	// Who was thrown out does not come back by what he kept.
	l.gate.ForgetEngineer(c.peer.Engineer)
	c.end(by.Actor(), "cut by "+by.Actor())
	return nil
}

// connection finds one by its id.
func (a *Agent) connection(id string) (*live, *conn, error) {
	_, l, err := a.session()
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.conns[id]; c != nil {
		return l, c, nil
	}
	return nil, nil, control.NotFound("there is no connection %q; see: remote-support connections", clip(id))
}
