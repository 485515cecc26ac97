package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// maxHeads is how many heads back a counter-signature may be.
const maxHeads = 64

// run seals what comes, several segments at once when they come fast.
func (r *Recording) run(c *chain) {
	defer close(r.done)
	for p := range r.queue {
		batch := []*pending{p}
	more:
		for len(batch) < cap(r.queue) {
			select {
			case p, ok := <-r.queue:
				if !ok {
					break more
				}
				batch = append(batch, p)
			default:
				break more
			}
		}
		r.seal(c, batch)
	}
}

// seal seals a batch. What cannot be sealed stays in plain files, for
// [Recover]; nothing may be sealed behind it.
func (r *Recording) seal(c *chain, batch []*pending) {
	if batch[0].n != c.next {
		return // one before it could not be sealed
	}
	done, err := c.seal(batch, r.takeCounter())
	if isFull(err) {
		// The reserve is for this: what was recorded until the disk was full
		// gets its end.
		freeReserve(r.dir)
		done, err = nil, nil
		for _, p := range batch {
			var one []Segment
			if one, err = c.seal([]*pending{p}, nil); err != nil {
				break
			}
			done = append(done, one...)
		}
	}
	if err != nil {
		r.fail.because(r.explain(err))
	}
	for i, s := range done {
		r.headMu.Lock()
		r.heads = append(r.heads, s.Head)
		if len(r.heads) > maxHeads {
			r.heads = r.heads[1:]
		}
		r.headMu.Unlock()
		batch[i].free()
		if r.o.Ship != nil {
			r.o.Ship(s)
		}
	}
}

func (r *Recording) takeCounter() *Counter {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	c := r.counter
	r.counter = nil
	return c
}

// Head is the newest head of the chain; its Hash is empty before the first
// segment is sealed.
func (r *Recording) Head() Head {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	if len(r.heads) == 0 {
		return Head{Recording: r.o.ID, Segment: -1}
	}
	return r.heads[len(r.heads)-1]
}

// Witness takes a counter-signature of the engineer's client over a head. It
// is checked, and stands in the next segment.
func (r *Recording) Witness(h Head, armored []byte) error {
	if r.o.Witness == nil {
		return fmt.Errorf("recording %s has no witness", r.o.ID)
	}
	r.headMu.Lock()
	defer r.headMu.Unlock()
	known := false
	for _, k := range r.heads {
		known = known || k == h
	}
	if !known {
		return fmt.Errorf("recording %s: head %d was never given out, or long ago", r.o.ID, h.Segment)
	}
	if err := verify(r.o.Witness, NamespaceWitness, h.Message(), armored); err != nil {
		return fmt.Errorf("recording %s: counter-signature of head %d: %w", r.o.ID, h.Segment, err)
	}
	if r.counter == nil || r.counter.Segment < h.Segment {
		r.counter = &Counter{Segment: h.Segment, Signature: string(armored)}
	}
	return nil
}

// Close ends the recording and waits until all of it is durable. The error is
// that of the recording, whenever it happened; the summary says what is there
// in any case. Closing twice gives the same.
func (r *Recording) Close(reason string) (Summary, error) {
	r.mu.Lock()
	if !r.closed {
		r.finish(reason)
	}
	r.mu.Unlock()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Head = r.Head()
	r.sum.Segments = r.sum.Head.Segment + 1
	if r.lock != nil {
		r.lock.Close()
		r.lock = nil
		freeReserve(r.dir)
	}
	err := r.fail.is()
	if err != nil {
		r.sum.Failed = err.Error()
	}
	return r.sum, err
}

// finish writes the closing record. After a failure, when no file can be
// written, it goes to the sealer from memory.
func (r *Recording) finish(reason string) {
	failed := ""
	if err := r.fail.is(); err != nil {
		failed = err.Error()
	} else if err := r.note(Note{Kind: Closed, Text: reason}); err != nil {
		failed = err.Error()
	}
	r.closed = true
	if failed != "" {
		r.now()
	}
	now := r.micros // of the closing record
	if r.cur == nil {
		r.cur = &pending{n: r.sum.Segments, tally: tally{first: now, last: now}}
		r.sum.Segments++
	}
	r.sum.Reason, r.sum.Ended = reason, time.UnixMicro(now).UTC()
	r.cur.end = &End{Reason: reason, Ended: r.sum.Ended, Output: r.sum.Output, Notes: r.sum.notes, Failed: failed}
	if r.file != nil {
		r.rotate()
	} else {
		r.queue <- r.cur
	}
	close(r.queue)
}

const reserveSize = 1 << 20

func reservePath(dir string) string { return filepath.Join(dir, "reserve") }

// makeReserve sets a little space aside, so that a recording can still be
// sealed when the disk is full. Without it a recording is no worse than
// without space.
func makeReserve(dir string) {
	f, err := os.OpenFile(reservePath(dir), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, reserveSize); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		os.Remove(f.Name())
	}
}

func freeReserve(dir string) { os.Remove(reservePath(dir)) }
