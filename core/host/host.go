package host

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/internal/wire"
)

// Host runs plugins. It is safe for concurrent use.
type Host struct {
	opt   Options
	run   *runDir
	crash *supervisor

	describing sync.Mutex // one at a time asks, the others take the answer

	mu     sync.Mutex
	closed bool
	units  map[*unit]struct{}
	images map[string]*launch.Image // by SHA-256
	descs  map[string]described     // of the built-in plugins, by SHA-256
}

// described is what a built-in program said of itself.
type described struct {
	roles   []catalog.Role
	version string
}

// New makes a host, which holds a private directory below the run directory
// until Close. It starts no plugin.
func New(opt Options) (*Host, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	run, err := newRunDir(opt.Root.Run("plugins"))
	if err != nil {
		return nil, err
	}
	return &Host{
		opt: opt, run: run, crash: newSupervisor(opt.clock),
		units:  make(map[*unit]struct{}),
		images: make(map[string]*launch.Image),
		descs:  make(map[string]described),
	}, nil
}

// Close ends every plugin and removes what the host has in the run directory.
// Connections that were handed over stay, those that a plugin pumps end.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	units := make([]*unit, 0, len(h.units))
	for u := range h.units {
		units = append(units, u)
	}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, u := range units {
		wg.Go(u.close)
	}
	wg.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for sum, img := range h.images {
		img.Close()
		delete(h.images, sum)
	}
	h.run.remove()
	return nil
}

// Sandbox is the level that a plugin of the role reaches on this machine.
func (h *Host) Sandbox(role string) sandbox.Level {
	uid, _ := h.opt.user(role)
	return sandbox.Probe(uid)
}

// Catalog lists the plugins that are installed, each with its state, policy's
// word included. It executes the built-in plugins' `describe` the first time,
// and nothing else.
func (h *Host) Catalog(ctx context.Context) ([]catalog.Plugin, error) {
	plugins, err := h.catalog(ctx)
	if err != nil {
		return nil, err
	}
	for i := range plugins {
		h.judge(&plugins[i])
	}
	return plugins, nil
}

// catalog is Catalog without the word of policy.
func (h *Host) catalog(ctx context.Context) ([]catalog.Plugin, error) {
	plugins, err := catalog.Load(h.opt.Root, h.opt.Plugins)
	if err != nil {
		return nil, err
	}
	for i := range plugins {
		p := &plugins[i]
		if p.State != catalog.Builtin {
			continue
		}
		if p.Roles, p.Version, err = h.builtinRoles(ctx, *p); err != nil {
			return nil, err
		}
	}
	catalog.ResolveConflicts(plugins)
	return plugins, nil
}

// judge puts policy's word on a plugin that could run otherwise: denied when
// none of its roles is allowed.
func (h *Host) judge(p *catalog.Plugin) {
	if p.State != catalog.Builtin && p.State != catalog.Trusted || len(p.Roles) == 0 {
		return
	}
	var first policy.Decision
	for i, r := range p.Roles {
		d := h.decide(*p, r, "")
		if d.Allowed {
			return
		}
		if i == 0 {
			first = d
		}
	}
	p.State, p.Reason = catalog.Denied, first.Err().Error()
	p.Fix = fmt.Sprintf("ask whoever writes %s", first.Rule.Source)
	if strings.HasSuffix(first.Rule.Key, "revoked") {
		p.State, p.Fix = catalog.Revoked, "remove it; its publisher or your security team withdrew it"
	}
}

// find is the plugin that has a role, with the role. Its state was not judged
// by policy yet.
func (h *Host) find(ctx context.Context, id string) (catalog.Plugin, catalog.Role, error) {
	plugins, err := h.catalog(ctx)
	if err != nil {
		return catalog.Plugin{}, catalog.Role{}, err
	}
	role, name, _ := strings.Cut(id, "/")
	var known []string
	var broken *catalog.Plugin
	for i, p := range plugins {
		for _, r := range p.Roles {
			known = append(known, r.ID())
		}
		r, ok := p.Role(role, name)
		switch {
		case ok && p.State.Whole():
			return p, r, nil
		case ok || p.Name == catalog.BuiltinProgram:
			if !p.State.Whole() {
				broken = &plugins[i]
			}
		}
	}
	if broken != nil {
		return catalog.Plugin{}, catalog.Role{}, &StateError{*broken}
	}
	slices.Sort(known)
	return catalog.Plugin{}, catalog.Role{}, &NotFoundError{id, slices.Compact(known)}
}

// decide asks policy whether a plugin may be started for a role.
func (h *Host) decide(p catalog.Plugin, r catalog.Role, purpose string) policy.Decision {
	facts := policy.Facts{
		policy.Plugin: p.Name, policy.Role: r.Role, policy.Name: r.Name,
		policy.State: string(p.State), policy.SHA256: p.SHA256,
		policy.Publisher: p.Publisher, policy.Sandbox: h.Sandbox(r.Role).String(),
	}
	if purpose != "" {
		facts[policy.Purpose] = purpose
	}
	return h.opt.Policy.Decide(policy.PluginLaunch, facts)
}

// TransportAllowed asks policy whether the plugin of a transport could be started
// now. That its files are gone or were changed since it was started is no matter
// of policy: what runs is what was verified.
func (h *Host) TransportAllowed(ctx context.Context, name, purpose string) error {
	p, r, err := h.find(ctx, wire.RoleTransport+"/"+name)
	if err != nil {
		return nil
	}
	return h.decide(p, r, purpose).Err()
}

// image is the verified program of a plugin. It is copied once and kept.
func (h *Host) image(p catalog.Plugin) (*launch.Image, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if img := h.images[p.SHA256]; img != nil {
		return img, nil
	}
	f, err := p.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := launch.Load(f, p.SHA256, h.opt.Root.Var("plugins"))
	if err != nil {
		return nil, err
	}
	h.images[p.SHA256] = img
	return img, nil
}

// builtinRoles asks the program of the built-in plugins what is in it, in a
// sandbox that grants nothing.
func (h *Host) builtinRoles(ctx context.Context, p catalog.Plugin) ([]catalog.Role, string, error) {
	h.describing.Lock()
	defer h.describing.Unlock()
	h.mu.Lock()
	known, ok := h.descs[p.SHA256]
	h.mu.Unlock()
	if ok {
		return slices.Clone(known.roles), known.version, nil
	}
	img, err := h.image(p)
	if err != nil {
		return nil, "", err
	}
	uid, gid := h.opt.user("describe")
	log := h.opt.Log.With("plugin", p.Name)
	out, err := launch.Output(ctx, launch.Command{
		Image:   img,
		Argv:    []string{p.Name, "describe"},
		Sandbox: sandbox.Spec{UID: uid, GID: gid, Require: sandbox.Probe(uid)},
	}, h.opt.Timeouts.Call, wire.MessageLimit, func(line string) { logLine(log, line) })
	if err != nil {
		return nil, "", fmt.Errorf("ask %s what is in it: %w", p.Path, err)
	}
	d, err := wire.ParseDescription(out)
	if err != nil {
		return nil, "", fmt.Errorf("ask %s what is in it: %w", p.Path, err)
	}
	var roles []catalog.Role
	for _, r := range d.Roles {
		roles = append(roles, catalog.Role{Role: r.Role, Name: r.Name, Help: launch.Clean(r.Help), Needs: r.Needs})
	}
	h.mu.Lock()
	h.descs[p.SHA256] = described{roles, launch.Clean(d.Version)}
	h.mu.Unlock()
	return slices.Clone(roles), launch.Clean(d.Version), nil
}

// logLevel is the level of the plugins' logs.
func (h *Host) logLevel() string {
	switch ctx := context.Background(); {
	case h.opt.Log.Enabled(ctx, slog.LevelDebug):
		return "debug"
	case h.opt.Log.Enabled(ctx, slog.LevelInfo):
		return "info"
	}
	return "warn"
}
