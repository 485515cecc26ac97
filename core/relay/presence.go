package relay

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	// shards is in how many rows a node keeps its word about its systems. A
	// heartbeat writes the rows, not the systems: 64 writes for 5,000.
	shards = 64
	// heartbeat is how often rows are repeated that did not change.
	heartbeat = store.PresenceTTL / 3
	// settle gathers changes before they are written.
	settle = 250 * time.Millisecond
)

func shardOf(system string) int {
	h := fnv.New32a()
	h.Write([]byte(system))
	return int(h.Sum32() % shards)
}

// changed marks what is to be written about a system; mu is held.
func (h *hub) changed(system string) { h.dirty[shardOf(system)] = true }

// announce writes presence until ctx ends, and then takes it back.
func (h *hub) announce(ctx context.Context) {
	tick := time.NewTicker(settle)
	defer tick.Stop()
	full := time.Now()
	for {
		select {
		case <-ctx.Done():
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
			defer cancel()
			if err := h.srv.reg.ForgetPresent(after, h.node); err != nil {
				h.srv.log.Warn("take back presence", "error", err)
			}
			return
		case <-tick.C:
		}
		everything := time.Since(full) >= heartbeat
		if everything {
			full = time.Now()
		}
		if err := h.beat(ctx, everything); err != nil && ctx.Err() == nil {
			h.srv.log.Warn("write presence", "error", err)
		}
	}
}

// beat writes the rows that changed, or all that hold anything.
func (h *hub) beat(ctx context.Context, everything bool) error {
	h.mu.Lock()
	var due [shards]bool
	any := false
	for i := range due {
		if due[i] = h.dirty[i] || everything && h.held[i]; due[i] {
			any = true
		}
		h.dirty[i] = false
	}
	h.mu.Unlock()
	if !any {
		return nil
	}
	var rows [shards]map[string]api.Session
	for id, s := range h.sessions() {
		if i := shardOf(id); due[i] {
			if rows[i] == nil {
				rows[i] = map[string]api.Session{}
			}
			rows[i][id] = s
		}
	}
	var failed error
	for i := range rows {
		if !due[i] {
			continue
		}
		err := h.srv.reg.PutPresent(ctx, i, store.Present{Node: h.node, Sessions: rows[i]})
		h.mu.Lock()
		h.held[i] = len(rows[i]) > 0
		if err != nil {
			h.dirty[i], failed = true, err
		}
		h.mu.Unlock()
	}
	return failed
}
