package tunnel

import (
	"sync"
	"time"

	"math/rand/v2"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	minInterval = 2 * time.Second  // between pings, whatever is cut
	minSilence  = time.Second      // a cut after less is not for silence
	firstHold   = 15 * time.Minute // without a cut, before pings get rarer
	maxHold     = 12 * time.Hour
)

// idle learns how much silence the way to the relay bears. Proxies, firewalls
// and address translators cut or forget what is silent for some time, and do
// not say for how long.
type idle struct {
	mu       sync.Mutex
	interval time.Duration
	suspect  time.Duration // silence before a cut that is not confirmed yet
	changed  time.Time
	hold     time.Duration
}

func newIdle() *idle { return &idle{interval: msg.Interval, hold: firstHold} }

// next is how long to wait until the next ping, with jitter, never more than
// what was learnt.
func (i *idle) next() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.interval - rand.N(i.interval/5)
}

// keepalive is what the relay is asked for on a spare connection.
func (i *idle) keepalive() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.interval * 4 / 5
}

// cut is told that a stream ended without a word after some silence.
func (i *idle) cut(silence time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if silence >= minSilence {
		i.suspect = silence
	}
}

// connected is told whether the first attempt after a cut succeeded. If so the
// relay was there all the time, and the cut was for silence; else the relay or
// the network was away, which says nothing.
func (i *idle) connected(first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if half := max(i.suspect/2, minInterval); first && i.suspect > 0 && half < i.interval {
		if !i.changed.IsZero() {
			i.hold = min(2*i.hold, maxHold)
		}
		i.interval, i.changed = half, time.Now()
	}
	i.suspect = 0
}

// alive is told of each answer.
func (i *idle) alive() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.interval < msg.Interval && time.Since(i.changed) >= i.hold {
		i.interval, i.changed = min(i.interval*3/2, msg.Interval), time.Now()
	}
}
