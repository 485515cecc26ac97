package tunnel

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = time.Second
	maxDelay   = 5 * time.Minute
	healthy    = 60 * time.Second // of a link, after which the delays start anew
)

// backoff decides how long to wait before another attempt: a random time below
// a limit that doubles, so that thousands of systems that lost their relay in
// one moment do not come back in one.
type backoff struct{ failures int }

// after is told how long the link was up, 0 for not at all, whether somebody has
// used it of late or is using it, and what spread the relay last named. It takes
// milliseconds of a processor to welcome a system, so thousands within a second
// would only hinder each other; but a few, or one that somebody waits for, come
// back at once.
func (b *backoff) after(up time.Duration, used bool, spread time.Duration) time.Duration {
	if up >= healthy {
		b.failures = 0
	}
	limit := maxDelay
	if b.failures < 16 {
		limit = min(maxDelay, firstDelay<<b.failures)
	}
	if !used {
		limit = max(limit, min(spread, maxDelay))
	}
	b.failures++
	return upTo(limit)
}

// spread is added to what the relay asked for.
func spread(d time.Duration) time.Duration { return d + upTo(max(d/2, firstDelay)) }

func upTo(d time.Duration) time.Duration { return rand.N(d + 1) }
