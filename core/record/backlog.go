package record

import (
	"errors"
	"sync"
	"time"
)

const (
	// maxBehind is how many bytes may wait to be sealed before output has to
	// wait: what is recorded faster than it can be sealed slows the connection
	// down rather than fill the memory.
	maxBehind = 6 << 20
	maxBatch  = 4 << 20 // that are sealed at a time
	// patience is how long a disk may take to do anything at all.
	patience = 10 * time.Second
)

// errHung is why a recording fails whose disk does nothing any more.
var errHung = errors.New("the disk does not answer")

// backlog is what waits to be sealed, in plain files. Nobody holds its lock
// while a disk works.
type backlog struct {
	mu    sync.Mutex
	list  []*pending
	bytes int // of the list, and of what is being sealed
	over  bool
	came  chan struct{}
	moved chan struct{} // closed when some of it was sealed, and made anew
}

func newBacklog() *backlog {
	return &backlog{came: make(chan struct{}, 1), moved: make(chan struct{})}
}

// put never waits.
func (b *backlog) put(p *pending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, p)
	b.bytes += len(p.plain)
	b.wake()
}

// end says that nothing comes any more.
func (b *backlog) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.wake()
}

func (b *backlog) wake() {
	select {
	case b.came <- struct{}{}:
	default:
	}
}

// take waits for something to seal. It returns nothing after the end.
func (b *backlog) take() []*pending {
	for {
		b.mu.Lock()
		n, bytes := 0, 0
		for n < len(b.list) && (n == 0 || bytes+len(b.list[n].plain) <= maxBatch) {
			bytes += len(b.list[n].plain)
			n++
		}
		batch, over := b.list[:n:n], b.over
		b.list = b.list[n:]
		b.mu.Unlock()
		if n > 0 || over {
			return batch
		}
		<-b.came
	}
}

// done takes off what was sealed, or could not be.
func (b *backlog) done(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= bytes
	close(b.moved)
	b.moved = make(chan struct{})
}

// room waits until there is some, or something has failed. It reports whether
// the disk has done anything in the time.
func (b *backlog) room(limit time.Duration, failed <-chan struct{}) bool {
	var timer *time.Timer
	for {
		b.mu.Lock()
		full, moved := b.bytes > maxBehind, b.moved
		b.mu.Unlock()
		if !full {
			return true
		}
		if timer == nil {
			timer = time.NewTimer(limit)
			defer timer.Stop()
		}
		select {
		case <-moved:
			timer.Reset(limit)
		case <-failed:
			return true
		case <-timer.C:
			return false
		}
	}
}

// door is a lock that need not be waited for longer than a disk may take.
type door chan struct{}

func (d door) Lock()   { d <- struct{}{} }
func (d door) Unlock() { <-d }

func (d door) lockWithin(limit time.Duration) bool {
	select {
	case d <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case d <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}
