package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	// sweepEvery is how often whoever is connected is looked up again, should
	// the store have failed to report a change.
	sweepEvery = 10 * time.Second
	watchRetry = time.Second
)

// watch cuts what is no longer allowed, whichever node or command changed it.
func (h *hub) watch(ctx context.Context) {
	var followers sync.WaitGroup
	defer followers.Wait()
	followers.Go(func() {
		h.follow(ctx, "systems", func() error {
			for sys, err := range h.srv.reg.SystemChanges(ctx) {
				if err != nil {
					return err
				}
				h.systemChanged(sys)
			}
			return nil
		})
	})
	followers.Go(func() {
		h.follow(ctx, "engineers", func() error {
			for e, err := range h.srv.reg.EngineerChanges(ctx) {
				if err != nil {
					return err
				}
				h.engineerChanged(e)
			}
			return nil
		})
	})
	h.readRevoked(ctx)
	followers.Go(func() {
		h.follow(ctx, "settings", func() error {
			h.readRevoked(ctx)
			for err := range h.srv.reg.RevocationsChange(ctx) {
				if err != nil {
					return err
				}
				h.readRevoked(ctx)
			}
			return nil
		})
	})
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.sweep(ctx, false)
			h.forgetLost(ctx, lostGrace)
		}
	}
}

// follow restarts f when the store ends it, and looks at everything then.
func (h *hub) follow(ctx context.Context, what string, f func() error) {
	for ctx.Err() == nil {
		err := f()
		if ctx.Err() != nil {
			return
		}
		h.srv.log.Warn("watch", "table", what, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchRetry):
		}
		h.sweep(ctx, true)
	}
}

// systemChanged ends what a system's record no longer allows.
func (h *hub) systemChanged(sys store.System) {
	var why error
	switch {
	case sys.Sealed != nil:
		why = sealedError(sys)
	case sys.Retired:
		why = removed("system", sys.ID)
	}
	h.mu.Lock()
	var cut []*carried
	for _, c := range h.conns {
		if c.systemID != sys.ID {
			continue
		}
		if c.system = sys; why != nil || !c.engineer.Reaches(sys) {
			cut = append(cut, c)
		}
	}
	link := h.links[sys.ID]
	if why == nil {
		link = nil
	}
	h.mu.Unlock()
	for _, c := range cut {
		if why != nil {
			c.cut(why)
		} else {
			c.cut(notReached(store.Engineer{Name: c.who}, sys))
		}
	}
	if link != nil {
		link.dismiss(why)
	}
}

// engineerChanged ends what an engineer's record no longer allows.
func (h *hub) engineerChanged(e store.Engineer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		if c.who != e.Name {
			continue
		}
		switch {
		case !e.May(store.RoleAccess), e.Key != c.key:
			c.cut(removed("engineer", e.Name))
		case !e.Reaches(c.system):
			c.cut(notReached(e, c.system))
		default:
			c.engineer = e
		}
	}
}

// sweep looks up again who is connected, and with links every open session.
func (h *hub) sweep(ctx context.Context, links bool) {
	systems, engineers := map[string]bool{}, map[string]bool{}
	h.mu.Lock()
	for _, c := range h.conns {
		systems[c.systemID], engineers[c.who] = true, true
	}
	if links {
		for id := range h.links {
			systems[id] = true
		}
	}
	h.mu.Unlock()
	for id := range systems {
		sys, err := h.srv.reg.System(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			sys, err = store.System{Retired: true}, nil
			sys.ID = id
		}
		if err == nil {
			h.systemChanged(sys)
		}
	}
	for name := range engineers {
		e, err := h.srv.reg.Engineer(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			e, err = store.Engineer{Name: name, Revoked: time.Unix(0, 0)}, nil
		}
		if err == nil {
			h.engineerChanged(e)
		}
	}
}

func notReached(e store.Engineer, sys store.System) error {
	return api.Errorf(403, api.CodeForbidden, "engineer %s is in none of the groups of system %s; the operator of the relay gives them", e.Name, sys.Name)
}
