package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
)

// unit is one use of a plugin role: at most one process, started when it is
// needed and again after a crash.
type unit struct {
	host *Host
	id   string
	use  Use

	starting chan struct{} // holds one token: whoever has it may start

	mu     sync.Mutex
	cur    *instance
	plugin catalog.Plugin // of cur, for Info
	level  sandbox.Level
	closed bool
}

// launchSpec is what a start was decided on.
type launchSpec struct {
	plugin catalog.Plugin
	role   catalog.Role
	image  *launch.Image
	level  sandbox.Level
	config json.RawMessage
	broker *broker // nil for roles without one
}

// idleCheck is after how long without a call a plugin is asked whether it is
// well, before it is used again.
const idleCheck = 30 * time.Second

func (h *Host) newUnit(role, name string, use Use) (*unit, error) {
	id := role + "/" + name
	if _, _, err := wire.ParseName(id); err != nil {
		return nil, &NotFoundError{ID: id}
	}
	u := &unit{host: h, id: id, use: use, starting: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	h.units[u] = struct{}{}
	return u, nil
}

// get returns the running process, which it starts if need be.
func (u *unit) get(ctx context.Context) (*instance, error) {
	select {
	case u.starting <- struct{}{}:
		defer func() { <-u.starting }()
	case <-ctx.Done():
		return nil, fmt.Errorf("plugin %s: %w", u.id, context.Cause(ctx))
	}
	u.mu.Lock()
	cur, closed := u.cur, u.closed
	u.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("plugin %s: %w", u.id, ErrClosed)
	}
	if cur != nil && cur.usable() && u.stillWell(ctx, cur) {
		return cur, nil
	}
	if cur != nil {
		cur.close()
	}
	return u.start(ctx)
}

// stillWell asks a process that had nothing to do for a while.
func (u *unit) stillWell(ctx context.Context, cur *instance) bool {
	cur.mu.Lock()
	idle := time.Since(cur.lastUse)
	cur.mu.Unlock()
	// When only the caller is in a hurry, nothing is known against the plugin.
	return idle < idleCheck || cur.healthy(ctx, u.host.opt.Timeouts.Call) == nil || ctx.Err() != nil && cur.usable()
}

// start decides, starts and watches a new process.
func (u *unit) start(ctx context.Context) (*instance, error) {
	h := u.host
	l, err := u.prepare(ctx)
	if err != nil {
		if refused(err) {
			h.record(pluginRefused, u.id, l.plugin, "reason", err.Error())
		}
		return nil, err
	}
	if err := h.crash.admit(ctx, u.id); err != nil {
		return nil, err
	}
	unrecorded := false
	inst, err := h.start(ctx, l, func(inst *instance) error {
		err := h.record(pluginStarted, u.id, l.plugin, "sandbox", inst.run.proc.Level().String(), "pid", inst.run.ID())
		unrecorded = err != nil
		return err
	})
	if err != nil {
		switch {
		case unrecorded:
			err = fmt.Errorf("plugin %s was not started: %w", u.id, err)
		case errors.As(err, new(*ConfigError)): // whose text may quote the configuration
			h.record(pluginExited, u.id, l.plugin, "reason", "its configuration does not work")
		case ctx.Err() != nil:
			h.record(pluginExited, u.id, l.plugin, "reason", err.Error())
		default:
			h.crash.crashed(u.id, err)
			h.record(pluginCrashed, u.id, l.plugin, "reason", err.Error())
		}
		return nil, err
	}
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		inst.close()
		return nil, fmt.Errorf("plugin %s: %w", u.id, ErrClosed)
	}
	u.cur, u.plugin, u.level = inst, l.plugin, inst.run.proc.Level()
	u.mu.Unlock()
	go u.watch(inst, l.plugin)
	return inst, nil
}

// prepare finds the plugin and asks policy. What it found so far is returned
// beside an error.
func (u *unit) prepare(ctx context.Context) (l launchSpec, err error) {
	h := u.host
	if l.plugin, l.role, err = h.find(ctx, u.id); err != nil {
		var state *StateError
		if errors.As(err, &state) {
			l.plugin = state.Plugin
		}
		return l, err
	}
	if d := h.decide(l.plugin, l.role, u.use.Purpose); !d.Allowed {
		if l.plugin.State != catalog.Builtin && l.plugin.State != catalog.Trusted {
			return l, errors.Join(&StateError{l.plugin}, d.Err())
		}
		return l, fmt.Errorf("plugin %s: %w", u.id, d.Err())
	}
	if l.image, err = h.image(l.plugin); err != nil {
		return l, err
	}
	l.level, l.config = h.Sandbox(l.role.Role), u.use.Config
	if l.role.Role == wire.RoleCollect {
		l.broker = newBroker(h, u.id, l.role.Needs)
	}
	return l, nil
}

// watch records the end of a process.
func (u *unit) watch(inst *instance, p catalog.Plugin) {
	<-inst.run.proc.Done()
	<-inst.run.logged
	inst.channel.Close()
	if inst.broker != nil {
		inst.broker.close()
	}
	inst.mu.Lock()
	dying := inst.dying
	inst.mu.Unlock()
	end := inst.run.proc.End()
	if dying {
		u.host.record(pluginExited, u.id, p, "end", end)
		return
	}
	_, last := inst.run.handshakeProblem()
	u.host.crash.crashed(u.id, &CrashedError{ID: u.id, End: end, Last: last})
	u.host.record(pluginCrashed, u.id, p, "end", end, "last", last)
	inst.close()
}

// close ends the process and takes the unit off its host.
func (u *unit) close() {
	u.mu.Lock()
	u.closed = true
	cur := u.cur
	u.cur = nil
	u.mu.Unlock()
	if cur != nil {
		cur.close()
	}
	u.host.mu.Lock()
	delete(u.host.units, u)
	u.host.mu.Unlock()
}

// Info says which plugin is in use.
type Info struct {
	ID          string // ROLE/NAME
	Plugin      string
	Version     string
	SHA256      string
	State       catalog.State
	Sandbox     sandbox.Level
	Development bool
	PID         int // of the running process, for status pages
}

// info starts the plugin if need be.
func (u *unit) info(ctx context.Context) (Info, error) {
	inst, err := u.get(ctx)
	if err != nil {
		return Info{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return Info{
		ID: u.id, Plugin: u.plugin.Name, Version: u.plugin.Version, SHA256: u.plugin.SHA256, State: u.plugin.State,
		Sandbox: u.level, Development: u.plugin.Development, PID: inst.run.proc.PID(),
	}, nil
}

// ConfigError lists what is wrong with a plugin's configuration.
type ConfigError struct {
	ID       string
	Problems []ConfigProblem
}

// ConfigProblem is one mistake.
type ConfigProblem struct{ Field, Message string }

func (e *ConfigError) Error() string {
	var parts []string
	for _, p := range e.Problems {
		if p.Field == "" {
			parts = append(parts, p.Message)
		} else {
			parts = append(parts, p.Field+": "+p.Message)
		}
	}
	return fmt.Sprintf("configuration of plugin %s: %s", e.ID, strings.Join(parts, "; "))
}

// ExitCode is that of wrong usage.
func (e *ConfigError) ExitCode() int { return 2 }

func configError(id string, problems []*pluginv1.Problem) *ConfigError {
	e := &ConfigError{ID: id}
	for _, p := range problems[:min(len(problems), 50)] {
		e.Problems = append(e.Problems, ConfigProblem{clip(p.GetField()), clip(p.GetMessage())})
	}
	return e
}

// clip cleans and cuts a text of a plugin.
func clip(s string) string {
	return launch.Clean(s[:min(len(s), 500)])
}

// Failure is what a plugin says went wrong, cleaned. errors.Is and As find the
// *failure.Error (package sdk/failure) with its code in it.
type Failure struct {
	ID  string // ROLE/NAME
	Err *failure.Error
}

// Error names the plugin and what happened; what to do about it is Hint.
func (f *Failure) Error() string { return f.ID + ": " + f.Err.Error() }

// Hint is what the plugin says can be done about it.
func (f *Failure) Hint() string { return f.Err.Hint }

// Unwrap returns the failure itself.
func (f *Failure) Unwrap() error { return f.Err }

// during says what was going on when err happened. A plugin's own words are
// left alone: they name the plugin, and what it was doing.
func during(what string, err error) error {
	if _, own := err.(*Failure); own {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Denied reports whether permission was missing: policy's or the system's.
func (f *Failure) Denied() bool { return f.Err.Code == failure.Denied }

// Unsupported reports whether it is something that the plugin does not do.
func (f *Failure) Unsupported() bool { return f.Err.Code == failure.Unsupported }

// failureOf is the plugin's own error, cleaned; nil for none.
func failureOf(id string, f *pluginv1.Failure) error {
	err := wire.ErrorOf(f)
	var fe *failure.Error
	if errors.As(err, &fe) {
		return &Failure{id, fe}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
}
