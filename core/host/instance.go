package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// instance is one running, configured plugin process.
type instance struct {
	id      string // ROLE/NAME
	client  *plugin.Client
	run     *processRunner // set by start, under mu; read freely once it runs
	channel *handoff.Channel
	broker  *broker // of a collector
	base    pluginv1.RoleClient
	role    any // the client of the role
	desc    wire.RoleDescription

	starting context.Context // during the start
	dir      string

	mu        sync.Mutex
	dying     bool // we end it, so its end is no crash
	condemned bool // we end it for what it did
	lastUse   time.Time
	once      sync.Once
}

// start starts a process for the role and takes it through handshake,
// description and configuration. started is called in between, as soon as the
// process is a plugin. On error nothing is left.
func (h *Host) start(ctx context.Context, l launchSpec, started func(*instance) error) (inst *instance, err error) {
	channel, child, err := handoff.Pair()
	if err != nil {
		return nil, err
	}
	defer child.Close()
	inst = &instance{id: l.role.ID(), channel: channel, broker: l.broker}
	if l.broker != nil {
		channel.Serve(handoff.Serving(l.broker)) // before the plugin can ask
	}
	uid, gid := h.opt.user(l.role.Role)
	cmd := launch.Command{
		Image:   l.image,
		Argv:    []string{l.plugin.Name, "serve", l.role.ID()},
		Env:     []string{wire.EnvLogLevel + "=" + h.logLevel()},
		Handoff: child,
		Sandbox: grant(l.role, uid, gid, l.level),
	}
	log := h.opt.Log.With("plugin", inst.id)
	inst.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ClientPlugins(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		Logger:           quiet(),
		StartTimeout:     2 * h.opt.Timeouts.Start, // ours ends first, and knows more
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: h.run.path},
		GRPCDialOptions: append(wire.DialOptions(), grpc.WithContextDialer(
			func(ctx context.Context, _ string) (net.Conn, error) {
				return inst.run.dial(ctx)
			})),
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, dir string) (runner.Runner, error) {
			run, err := newRunner(inst.starting, cmd, spec, dir, func(line string) { logLine(log, line) })
			inst.mu.Lock()
			inst.dir, inst.run = dir, run
			inst.mu.Unlock()
			return run, err
		},
	})
	defer func() {
		if err != nil {
			inst.close()
			inst = nil
		}
	}()
	if err := inst.connect(ctx, h.opt.Timeouts.Start); err != nil {
		return inst, err
	}
	if err := started(inst); err != nil {
		return inst, err
	}
	return inst, inst.introduce(ctx, h.opt.Timeouts.Call, l)
}

// connect starts the process and dispenses its clients. go-plugin takes no
// context, so it is ended by killing the process.
func (i *instance) connect(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	i.starting = ctx
	done := make(chan error, 1)
	go func() {
		proto, err := i.client.Client()
		if err == nil {
			var raw any
			if raw, err = proto.Dispense(wire.Base); err == nil {
				i.base = raw.(pluginv1.RoleClient)
				role, _, _ := wire.ParseName(i.id)
				i.role, err = proto.Dispense(role)
			}
		}
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		i.kill()
		<-done
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &StuckError{ID: i.id, What: "the handshake", After: timeout, Ended: true}
		}
		return fmt.Errorf("plugin %s: %w", i.id, context.Cause(ctx))
	}
	if err != nil {
		return i.explainStart(err)
	}
	go i.guard()
	return nil
}

// guard ends a process that lost its handoff channel: it broke the rules there,
// or closed the lifeline.
func (i *instance) guard() {
	<-i.channel.Done()
	i.condemn() // or it is ended already
}

// explainStart turns go-plugin's error into one that says what happened.
func (i *instance) explainStart(err error) error {
	if i.run == nil || i.run.proc == nil { // it did not get as far as a process
		return fmt.Errorf("plugin %s: %w", i.id, err)
	}
	i.kill()
	<-i.run.proc.Done()
	<-i.run.logged
	problem, last := i.run.handshakeProblem()
	if problem != "" {
		err = errors.New(problem)
		if last != "" {
			err = fmt.Errorf("%s; the last line of its log: %q", problem, last)
		}
	}
	return fmt.Errorf("plugin %s did not start: %w", i.id, err)
}

// introduce asks the plugin what it is, holds it to its role and configures it.
func (i *instance) introduce(ctx context.Context, timeout time.Duration, l launchSpec) error {
	rep, err := call(ctx, i, "describe", timeout, func(ctx context.Context) (*pluginv1.DescribeResponse, error) {
		return i.base.Describe(ctx, &pluginv1.DescribeRequest{})
	})
	if err != nil {
		return err
	}
	desc, err := wire.ParseDescription(rep.GetJson())
	if err != nil {
		return fmt.Errorf("plugin %s: %w", i.id, err)
	}
	var ok bool
	if i.desc, ok = desc.Find(l.role.Role, l.role.Name); !ok {
		return fmt.Errorf("plugin %s: the program %s does not describe this role", i.id, l.plugin.Path)
	}
	if len(l.config) == 0 {
		l.config = []byte("{}")
	}
	conf, err := call(ctx, i, "configure", timeout, func(ctx context.Context) (*pluginv1.ConfigureResponse, error) {
		return i.base.Configure(ctx, &pluginv1.ConfigureRequest{Json: l.config})
	})
	if err != nil {
		return err
	}
	if len(conf.GetProblems()) > 0 {
		return configError(i.id, conf.GetProblems())
	}
	return nil
}

// healthy asks a process that was idle for a while whether it still answers.
func (i *instance) healthy(ctx context.Context, timeout time.Duration) error {
	_, err := call(ctx, i, "a health check", timeout, func(ctx context.Context) (*pluginv1.HealthResponse, error) {
		return i.base.Health(ctx, &pluginv1.HealthRequest{})
	})
	return err
}

// call makes one gRPC call with a deadline. A plugin that does not answer in
// time, answers nonsense or has died is ended, and the error says which.
func call[T any](ctx context.Context, i *instance, what string, timeout time.Duration, do func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	rep, err := do(limited)
	i.mu.Lock()
	i.lastUse = time.Now()
	i.mu.Unlock()
	if err == nil {
		return rep, nil
	}
	var zero T
	return zero, i.explain(ctx, limited, what, timeout, err)
}

// explain says what the failure of a call means, and ends the plugin when it
// is to blame. ctx is the caller's, limited ends with our patience.
func (i *instance) explain(ctx, limited context.Context, what string, timeout time.Duration, err error) error {
	code := status.Code(err)
	if code == codes.DeadlineExceeded { // the plugin's clock may be a moment ahead of the caller's
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	switch {
	case ctx.Err() != nil: // the caller no longer waits
		return fmt.Errorf("plugin %s: %s: %w", i.id, what, context.Cause(ctx))
	case limited.Err() != nil || code == codes.DeadlineExceeded:
		stuck := &StuckError{ID: i.id, What: what, After: timeout, Ended: !i.answers()}
		if stuck.Ended {
			i.condemn()
		}
		return stuck
	case code == codes.ResourceExhausted:
		i.condemn()
		return &MisbehaviorError{i.id, fmt.Sprintf("its answer to %s is larger than the %d bytes that a message may have", what, wire.MessageLimit)}
	}
	if cerr := i.channel.Err(); errors.Is(cerr, handoff.ErrProtocol) {
		return i.misbehaved("it broke the rules of the handoff channel: %v", cerr)
	}
	// The connection breaks before the process is reaped.
	select {
	case <-i.run.proc.Done():
		<-i.run.logged
		_, last := i.run.handshakeProblem()
		return &CrashedError{i.id, i.run.proc.End(), last, err}
	case <-time.After(goneGrace):
	}
	i.condemn()
	return fmt.Errorf("plugin %s was ended: %s failed: %s", i.id, what, launch.Clean(status.Convert(err).Message()))
}

// answers reports whether a process that was too slow for one call answers
// another at once. It is kept then: the far end of a dial may be what is slow,
// and other connections may go through the same process.
func (i *instance) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	_, err := i.base.Health(ctx, &pluginv1.HealthRequest{})
	return err == nil
}

// goneGrace is how long a broken connection waits for the end of the process
// that would explain it.
const goneGrace = 500 * time.Millisecond

// alive reports whether the process runs.
func (i *instance) alive() bool {
	select {
	case <-i.run.proc.Done():
		return false
	default:
		return true
	}
}

// usable reports whether the process runs and nobody has ended it yet.
func (i *instance) usable() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.dying && !i.condemned && i.alive()
}

// kill ends the process at once.
func (i *instance) kill() {
	i.mu.Lock()
	run := i.run
	i.mu.Unlock()
	if run != nil {
		run.Kill(context.Background())
	}
}

// condemn ends a process for its own fault: its end counts as a crash.
func (i *instance) condemn() {
	i.mu.Lock()
	i.condemned = true
	i.mu.Unlock()
	i.kill()
}

// retire ends a process that did nothing wrong.
func (i *instance) retire() {
	i.mu.Lock()
	i.dying = i.dying || !i.condemned && i.alive()
	i.mu.Unlock()
	i.kill()
}

// misbehaved ends the process for what it did.
func (i *instance) misbehaved(format string, args ...any) *MisbehaviorError {
	i.condemn()
	return &MisbehaviorError{i.id, fmt.Sprintf(format, args...)}
}

// shutdownGrace is how long a plugin has to end by itself.
const shutdownGrace = 2 * time.Second

// close ends the process, politely first, and removes what is left of it.
func (i *instance) close() {
	i.once.Do(func() {
		i.mu.Lock()
		i.dying = true
		i.mu.Unlock()
		if i.run != nil && i.run.proc != nil {
			// go-plugin's own grace begins after an answer that may never come.
			timer := time.AfterFunc(shutdownGrace, i.kill)
			i.client.Kill()
			timer.Stop()
			i.kill()
			<-i.run.proc.Done()
		}
		if i.run != nil {
			i.run.dirFD.Close()
		}
		i.channel.Close()
		if i.dir != "" {
			os.RemoveAll(i.dir)
		}
	})
}
