package web

import (
	"context"
	"sync"
	"time"
)

// How often logins may be begun: each starts a plugin and is in the audit log,
// which nobody who reaches the port should be able to fill.
const (
	paceOne  = 500 * time.Millisecond // of one address, in the long run
	burstOne = 6                      // and at once
	paceAll  = 200 * time.Millisecond // of all addresses
	burstAll = 30
	paceWait = 3 * time.Second // for so long a request waits for its turn
)

// pace spreads what comes too fast.
type pace struct {
	now func() time.Time

	mu  sync.Mutex
	all time.Time            // when the bucket of all is full again
	one map[string]time.Time // and that of an address
}

func newPace(now func() time.Time) *pace { return &pace{now: now, one: map[string]time.Time{}} }

// take waits for the turn of an address. It reports false when that would take
// too long.
func (p *pace) take(ctx context.Context, from string) bool {
	wait, ok := p.reserve(from)
	if !ok {
		return false
	}
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *pace) reserve(from string) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if len(p.one) > 10_000 {
		for k, full := range p.one {
			if full.Before(now) {
				delete(p.one, k)
			}
		}
	}
	one, waitOne := next(p.one[from], now, paceOne, burstOne)
	all, waitAll := next(p.all, now, paceAll, burstAll)
	wait := max(waitOne, waitAll)
	if wait > paceWait || len(p.one) > 20_000 {
		return 0, false
	}
	p.one[from], p.all = one, all
	return wait, true
}

// next takes one out of a bucket that is full again at full: the generic cell
// rate algorithm.
func next(full, now time.Time, every time.Duration, burst int) (time.Time, time.Duration) {
	if full.Before(now) {
		full = now
	}
	full = full.Add(every)
	return full, full.Sub(now) - time.Duration(burst)*every
}
