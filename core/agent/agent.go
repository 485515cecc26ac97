package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/clock"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/hardware"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/outbox"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

// Options are what the agent takes from the command line.
type Options struct {
	Version string
	Log     *slog.Logger
	Clock   clock.Clock // nil: that of the machine
	Web     Web

	// For tests: nil takes those that count.
	link      linkFunc
	transport transport
	hardware  hardware.Options
}

// Agent is the state below one root. It is safe for concurrent use.
type Agent struct {
	root    paths.Root
	opts    Options
	system  *identity.System
	log     *audit.Log
	host    *host.Host
	policy  atomic.Pointer[inForce]
	loading sync.Mutex             // of the policy
	loaded  uint64                 // what the files of the policy looked like
	remote  atomic.Pointer[remote] // nil when not serving
	crowd   watchers
	events  atomic.Pointer[outbox.Outbox] // nil when not serving
	machine atomic.Pointer[hardware.Watcher]
	started atomic.Pointer[time.Time] // nil when not serving
	webAt   atomic.Pointer[string]    // where the web pages are served
	keyOut  handout                   // of a request for their certificate
	again   restart
	toTell  atomic.Bool // this agent has sealed the system, and the relay is to be told
}

// inForce is a policy with what was wrong with its files.
type inForce struct {
	*policy.Policy
	broken error
}

var _ control.API = (*Agent)(nil)

// Open opens the state below root, and makes what is not there yet: the
// directories and the system key. Policy files that do not load are no error
// here; what they guard is refused, and Status says so.
func Open(root paths.Root, o Options) (*Agent, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := root.Make(); err != nil {
		return nil, err
	}
	system, err := identity.Open(root.Identity())
	if err != nil {
		return nil, fmt.Errorf("open the system's identity: %w", err)
	}
	log, err := audit.Open(root.Audit(), audit.WithSigner(system))
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	a := &Agent{root: root, opts: o, system: system, log: log}
	if origin := system.Origin(); origin != identity.Existing {
		if _, err := a.Append(audit.Event{Type: audit.KeyCreated, Actor: "agent", Subject: system.ID(), Detail: map[string]string{"origin": string(origin)}}); err != nil {
			return nil, errors.Join(err, log.Close())
		}
	}
	a.policy.Store(a.loadPolicy())
	if err := a.notice(a.policy.Load().Policy); err != nil {
		if !a.sealed() {
			return nil, errors.Join(err, log.Close())
		}
		// A full disk must not keep a sealed system from saying so.
		o.Log.Error("record what was noticed", "error", err)
	}
	a.host, err = host.New(host.Options{Root: root, Policy: a, Audit: a, Log: o.Log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the plugin host: %w", err), log.Close())
	}
	a.finishSeal()
	return a, nil
}

// Close ends all plugins and closes the state.
func (a *Agent) Close() error { return errors.Join(a.host.Close(), a.log.Close()) }

// Decide asks the policy that is in force now.
func (a *Agent) Decide(action policy.Action, facts policy.Facts) policy.Decision {
	return a.policy.Load().Decide(action, facts)
}

// Append records an event and then tells the watchers.
func (a *Agent) Append(e audit.Event) (audit.Record, error) {
	r, err := a.log.Append(e)
	if err != nil {
		return r, fmt.Errorf("record %s: %w", e.Type, err)
	}
	a.crowd.tell(control.Event{Time: r.Time, Type: string(r.Type), Actor: r.Actor, Subject: r.Subject, Detail: r.Detail})
	a.wakeEvents()
	return r, nil
}

// Run serves the local API until ctx ends.
func (a *Agent) Run(ctx context.Context) error {
	l, err := control.Listen(a.root.ControlSocket())
	if err != nil {
		return err
	}
	defer l.Close()
	if err := control.OpenToUsers(a.root.ControlSocket()); err != nil {
		return err
	}
	now := time.Now()
	a.started.Store(&now)
	defer a.started.Store(nil)
	detail := map[string]string{"version": a.opts.Version, "pid": strconv.Itoa(os.Getpid()), "policy": a.policy.Load().Hash()}
	if _, err := a.Append(audit.Event{Type: audit.AgentStarted, Actor: "agent", Detail: detail}); err != nil {
		return err
	}
	a.opts.Log.Info("agent serves the local API", "socket", a.root.ControlSocket())
	defer a.startEvents()()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.again.arm(cancel)
	defer a.again.arm(nil)
	srv := &control.Server{API: a, Log: a.opts.Log}
	unwatch := a.startHardware()
	err = a.serve(ctx, srv, l)
	unwatch()
	_, stopped := a.Append(audit.Event{Type: audit.AgentStopped, Actor: "agent"})
	return errors.Join(err, stopped)
}

// serve answers the local API, with remote access behind it, until ctx ends. A
// session that is open then is ended before it returns.
func (a *Agent) serve(ctx context.Context, srv *control.Server, l net.Listener) error {
	r, err := newRemote(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- r.run(ctx, ready); cancel() }()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	a.remote.Store(r)
	defer a.remote.Store(nil)
	pages := make(chan struct{})
	shown := make(chan error, 1)
	go func() { defer close(pages); a.keepWeb(ctx, shown) }()
	if err = <-shown; err == nil {
		err = srv.Serve(ctx, l)
	}
	cancel()
	<-pages
	return errors.Join(err, <-ended)
}
