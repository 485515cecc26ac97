package agent

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
)

// hub lets people of the customer look on while an engineer works. One who does
// not keep up is dropped; the engineer is never held up.
type hub struct {
	mu     sync.Mutex
	closed bool
	eyes   map[chan control.Frame]bool
}

// backlog is how many pieces one who looks on may be behind.
const backlog = 1024

// tell is access.Options.View.
func (h *hub) tell(channel uint32, p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.eyes) == 0 {
		return
	}
	f := control.Frame{Channel: channel, Data: slices.Clone(p)}
	for c := range h.eyes {
		select {
		case c <- f:
		default:
			close(c)
			delete(h.eyes, c)
		}
	}
}

func (h *hub) join() (frames <-chan control.Frame, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan control.Frame, backlog)
	if h.closed {
		close(c)
		return c, func() {}
	}
	if h.eyes == nil {
		h.eyes = map[chan control.Frame]bool{}
	}
	h.eyes[c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.eyes, c)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.eyes {
		close(c)
		delete(h.eyes, c)
	}
}

var errBehind = errors.New("what happens on the connection comes faster than it could be shown; watch again")

// Live shows what an engineer sees, from now on.
func (a *Agent) Live(ctx context.Context, by control.Caller, id string, fn func(control.Frame) error) error {
	l, c, err := a.connection(id)
	if err != nil {
		return err
	}
	if err := l.append(audit.ConnectionWatched, by.Actor(), c.id, "session", l.id, "engineer", c.peer.Engineer); err != nil {
		return err
	}
	frames, leave := c.hub.join()
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f, open := <-frames:
			if !open {
				select {
				case <-c.done:
					return nil
				case <-c.ctx.Done():
					return nil
				default:
					return errBehind
				}
			}
			if err := fn(f); err != nil {
				return err
			}
		}
	}
}
