package agent

import (
	"context"
	"errors"
	"sync"

	"github.com/latchstring/latchstring/core/control"
)

// errSlow ends a watcher that does not keep up. It may ask again; the audit
// log has everything.
var errSlow = errors.New("the watcher does not keep up with the events")

// watchers are the callers of Watch. A slow one never holds up the agent.
type watchers struct {
	mu   sync.Mutex
	next int
	all  map[int]chan control.Event
}

func (w *watchers) tell(e control.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, c := range w.all {
		select {
		case c <- e:
		default:
			close(c)
			delete(w.all, id)
		}
	}
}

func (w *watchers) join() (<-chan control.Event, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int]chan control.Event{}
	}
	id, c := w.next, make(chan control.Event, 64)
	w.next++
	w.all[id] = c
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, id)
	}
}

// Watch calls fn for every event that this agent records from now on.
func (a *Agent) Watch(ctx context.Context, _ control.Caller, fn func(control.Event) error) error {
	events, leave := a.crowd.join()
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-events:
			if !open {
				return errSlow
			}
			if err := fn(e); err != nil {
				return err
			}
		}
	}
}
