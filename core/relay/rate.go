package relay

import (
	"sync"
	"time"
)

// buckets limits how often something happens, by key. A key that was not heard
// of for long is forgotten, so that strangers cannot fill the memory.
type buckets struct {
	rate  float64 // a second
	burst float64
	now   func() time.Time

	mu    sync.Mutex
	m     map[string]bucket
	swept time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

func newBuckets(rate, burst float64, now func() time.Time) *buckets {
	return &buckets{rate: rate, burst: max(burst, 1), now: now, m: map[string]bucket{}, swept: now()}
}

// take returns 0, or how long to wait.
func (b *buckets) take(key string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.sweep(now)
	k, ok := b.m[key]
	if !ok {
		k = bucket{left: b.burst, at: now}
	}
	k.left = min(b.burst, k.left+max(now.Sub(k.at).Seconds(), 0)*b.rate)
	k.at = now
	var wait time.Duration
	if k.left >= 1 {
		k.left--
	} else {
		wait = time.Duration((1 - k.left) / b.rate * float64(time.Second))
	}
	b.m[key] = k
	return wait
}

// sweep forgets keys that are full again.
func (b *buckets) sweep(now time.Time) {
	full := time.Duration(b.burst / b.rate * float64(time.Second))
	if now.Sub(b.swept) < max(full, time.Minute) {
		return
	}
	b.swept = now
	for key, k := range b.m {
		if now.Sub(k.at) > full {
			delete(b.m, key)
		}
	}
}
