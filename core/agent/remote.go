package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/clock"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/session"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// remote is remote access while the agent serves: the machine of states, and at
// most one session.
type remote struct {
	a       *Agent
	log     *slog.Logger
	clock   clock.Clock
	machine *session.Machine
	standby *host.Standby  // the transport of the next session
	link    linkFunc       // how the relay is reached; tests bring their own
	after   sync.WaitGroup // what goes on for a moment after a session

	remembering sync.WaitGroup // secrets that are being written down
	rush        chan struct{}  // closed when that need not be waited for: the system is sealed
	rushing     sync.Once
	ctx         context.Context // of the agent
	closed      chan struct{}   // a session has ended; one that was open for a moment is not seen otherwise

	turning sync.Mutex // one is turning it on
	over    bool       // the agent ends; under turning

	mu       sync.Mutex
	live     *live // nil while off
	problem  string
	standing standing
}

// live is one session from its opening to its end.
type live struct {
	*remote
	id      string
	vendor  identity.Vendor
	route   route.Route
	facts   policy.Facts // with which it was opened
	opened  policy.Decision
	key     ssh.Signer // host key of the SSH server inside, for this session only
	gate    *handshake.Gate
	ca      ssh.PublicKey
	resume  resume.Table
	revoked *revocations
	ctx     context.Context
	stop    context.CancelCauseFunc
	work    sync.WaitGroup // connections, and the link
	renew   chan msg.Hello // what the relay is told
	shipper atomic.Pointer[record.Shipper]
	up      chan struct{} // closed when the relay is reached first
	done    chan struct{} // closed when everything is ended

	ending sync.Once

	mu        sync.Mutex
	secret    []byte // as shown; nil when the administrator chose it
	own       bool
	linked    control.Link
	upOnce    bool
	announced bool // session.opened is in the audit log
	failed    error
	conns     map[string]*conn
	used      map[string]bool // ids of connections, also of those that are gone
	visits    []record.Visit
	cut       int
	suspended bool
}

// startConn is what the relay says of a connection: for display only.
type startConn struct{ Connection, Engineer, From, Node string }

// linkOptions are what a link needs.
type linkOptions struct {
	Live *live
	// Begun waits until the session is written down; nothing is announced before.
	Begun func(context.Context) error
	Serve func(ctx context.Context, raw net.Conn, s startConn)
	Up    func()
	Down  func(error)
	// Inspected tells who opens TLS on the way.
	Inspected func(by string)
}

// linkFunc holds the tunnel until ctx ends. An error is final.
type linkFunc func(ctx context.Context, o linkOptions) error

// newRemote reads what is left of the last session.
func newRemote(a *Agent) (*remote, error) {
	r := &remote{a: a, standby: a.host.Standby(), rush: make(chan struct{}), closed: make(chan struct{}, 1), log: a.opts.Log, clock: a.opts.Clock, link: a.opts.link}
	if r.clock == nil {
		r.clock = clock.System
	}
	if r.link == nil {
		r.link = tunnelLink
	}
	var err error
	r.machine, err = session.Load(a.root.Session(), r.clock)
	var damaged *session.DamagedError
	if errors.As(err, &damaged) {
		r.problem, err = damaged.Error(), nil
	}
	return r, err
}

// run deals with what is left over, watches clocks and policy, and ends the
// session when the agent ends.
func (r *remote) run(ctx context.Context, ready chan<- struct{}) error {
	r.ctx = ctx
	if err := r.recover(); err != nil {
		return err
	}
	close(ready)
	if r.a.sealed() {
		r.after.Go(func() { r.a.afterSeal(ctx, r) })
	}
	defer r.after.Wait()
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(func() { r.a.watchPolicy(ctx) })
	background.Go(func() { r.keepReady(ctx) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		r.keepStanding()
		select {
		case <-ctx.Done():
			r.agentEnds()
			return nil
		case <-tick.C:
			r.checkClocks()
		}
	}
}

// current is the session that is not over.
func (r *remote) current() *live {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// agentEnds ends the session in order, or leaves it to be gone on with after a
// restart where that is wanted.
func (r *remote) agentEnds() {
	r.turning.Lock() // whoever is turning it on has heard, too, that the agent ends
	defer r.turning.Unlock()
	r.over = true
	l := r.current()
	if l == nil {
		return
	}
	if r.mayResume() == nil && !r.machine.Now().Way.Password {
		l.suspend()
		return
	}
	l.end(session.Cut, "the agent was stopped")
}

// checkClocks warns, and ends a session whose time is up (REQ B5). It does not
// wait for that.
func (r *remote) checkClocks() (expired bool) {
	l := r.current()
	if l == nil {
		return false
	}
	n, err := r.machine.Check()
	if err != nil {
		r.log.Error("watch the end of the session", "error", err)
	}
	switch {
	case n.Expired:
		go l.end(session.Expire, "its time is up")
	default:
		l.checkCertificates()
		l.revoked.reload()
		l.checkRevoked()
	}
	if n.Warn && !n.Expired {
		left := n.Left.Round(time.Second)
		r.event(audit.SessionExpiring, "agent", l.id, "left", left.String())
		l.warn(fmt.Sprintf("This session ends in %s. What is under way is cut then.", left))
	}
	return n.Expired
}

// event records something that has happened already. That it cannot be recorded
// is logged; it does not undo what has happened.
func (r *remote) event(t audit.Type, actor, subject string, detail ...string) {
	if err := r.append(t, actor, subject, detail...); err != nil {
		r.log.Error("record an event", "error", err)
	}
}

// append records something that must not happen unrecorded.
func (r *remote) append(t audit.Type, actor, subject string, detail ...string) error {
	_, err := r.a.Append(audit.Event{Type: t, Actor: actor, Subject: subject, Detail: details(detail...)})
	return err
}

// details pairs keys and values, without those that are empty.
func details(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
