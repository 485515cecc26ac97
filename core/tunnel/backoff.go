package tunnel

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = time.Second
	maxDelay   = 5 * time.Minute
	healthy    = 60 * time.Second // of a link, after which the delays start anew

	// unusedDelay is the first limit of a link that nobody has used of late. When
	// a relay dies most are such; it takes milliseconds of a processor to welcome
	// one, so thousands within a second would only hinder each other.
	unusedDelay = 20 * time.Second
)

// backoff decides how long to wait before another attempt: a random time below
// a limit that doubles, so that thousands of systems that lost their relay in
// one moment do not come back in one.
type backoff struct{ failures int }

// after is told how long the link was up, 0 for not at all, and whether somebody
// has used it of late or is using it.
func (b *backoff) after(up time.Duration, used bool) time.Duration {
	if up >= healthy {
		b.failures = 0
	}
	limit := maxDelay
	if b.failures < 16 {
		limit = min(maxDelay, firstDelay<<b.failures)
	}
	if !used {
		limit = max(limit, unusedDelay)
	}
	b.failures++
	return upTo(limit)
}

// spread is added to what the relay asked for.
func spread(d time.Duration) time.Duration { return d + upTo(max(d/2, firstDelay)) }

func upTo(d time.Duration) time.Duration { return rand.N(d + 1) }
