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
	for {
		batch := r.queue.take()
		if len(batch) == 0 {
			return
		}
		bytes := 0
		for _, p := range batch {
			bytes += len(p.plain)
		}
		r.seal(c, batch)
		r.queue.done(bytes)
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
// in any case. Closing twice gives the same. A disk that does not answer is not
// waited for for ever: what it has not taken by then is sealed when it comes
// back, or by [Recover].
func (r *Recording) Close(reason string) (Summary, error) {
	if err := r.enter(); err != nil {
		return Summary{Recording: r.o.ID, Session: r.o.Session, Engineer: r.o.Engineer, Case: r.o.Case, From: r.o.From,
			Started: r.start.UTC(), Reason: reason, Failed: err.Error()}, err
	}
	if !r.closed {
		r.finish(reason)
	}
	r.mu.Unlock()
	timer := time.NewTimer(r.o.patience)
	defer timer.Stop()
	hung := false
	for sealed := false; !sealed && !hung; {
		r.queue.mu.Lock()
		moved := r.queue.moved
		r.queue.mu.Unlock()
		select {
		case <-r.done:
			sealed = true
		case <-moved:
			timer.Reset(r.o.patience)
		case <-timer.C:
			r.fail.because(r.hung())
			hung = true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Head = r.Head()
	r.sum.Segments = r.sum.Head.Segment + 1
	if r.lock != nil {
		go r.letGo(r.lock)
		r.lock = nil
	}
	if !hung {
		<-r.let
	}
	err := r.fail.is()
	if err != nil {
		r.sum.Failed = err.Error()
	}
	return r.sum, err
}

// letGo ends this process' hold on the directory once nothing is written there
// any more.
func (r *Recording) letGo(lock *os.File) {
	<-r.done
	lock.Close()
	freeReserve(r.dir)
	close(r.let)
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
		r.queue.put(r.cur)
	}
	r.queue.end()
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
