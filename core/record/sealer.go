package record

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

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
	counter := r.takeCounter()
	done, err := c.seal(batch, counter)
	if isFull(err) {
		// The reserve is for this: what was recorded until the disk was full
		// gets its end.
		freeReserve(r.dir)
		done, err = nil, nil
		for i, p := range batch {
			var one []Segment
			if i > 0 {
				counter = nil // it stands in the one before
			}
			if one, err = c.seal([]*pending{p}, counter); err != nil {
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
		if i == 0 && counter != nil {
			r.witnessed.Witnessed, r.witnessed.WitnessedEnd = counter.Segment+1, counter.End
		}
		r.headMu.Unlock()
		batch[i].free()
		if r.o.Ship != nil {
			r.o.Ship(s)
		}
	}
}

// Close ends the recording and waits until all of it is durable. The error is
// that of the recording, whenever it happened; the summary says what is there
// in any case. Closing twice gives the same. A disk that does not answer is not
// waited for for ever: what it has not taken by then is sealed when it comes
// back, or by [Recover].
func (r *Recording) Close(reason string) (Summary, error) {
	if err := r.within(func() {
		if !r.closed {
			r.finish(reason)
		}
		if r.lock != nil {
			go r.letGo(r.lock)
			r.lock = nil
		}
	}); err != nil {
		return r.unknown(reason, err), err
	}
	hung := r.settle(r.done) != nil
	if !hung {
		<-r.let
	}
	if !r.mu.lockWithin(r.o.patience) {
		err := r.fail.because(r.hung())
		return r.unknown(reason, err), err
	}
	defer r.mu.Unlock()
	r.sum.Head = r.Head()
	r.sum.Segments = r.sum.Head.Segment + 1
	r.sum.Witnessing = r.witnessing()
	err := r.fail.is()
	if err != nil {
		r.sum.Failed = err.Error()
	}
	return r.sum, err
}

// unknown is the summary of a recording that the disk says nothing about.
func (r *Recording) unknown(reason string, err error) Summary {
	return Summary{Recording: r.o.ID, Session: r.o.Session, Engineer: r.o.Engineer, Case: r.o.Case, From: r.o.From,
		Started: r.start.UTC(), Reason: reason, Failed: err.Error(), Witnessing: r.witnessing()}
}

// within does something to the open segment under the lock. It does not wait
// longer than a disk may take: then f goes on, or begins, when that answers.
func (r *Recording) within(f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.mu.Lock()
		defer r.mu.Unlock()
		f()
	}()
	timer := time.NewTimer(r.o.patience)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return r.fail.because(r.hung())
	}
}

// settle waits until ready is closed, as long as something is sealed at all.
func (r *Recording) settle(ready <-chan struct{}) error {
	timer := time.NewTimer(r.o.patience)
	defer timer.Stop()
	for {
		r.queue.mu.Lock()
		moved := r.queue.moved
		r.queue.mu.Unlock()
		select {
		case <-ready:
			return nil
		case <-moved:
			timer.Reset(r.o.patience)
		case <-timer.C:
			return r.fail.because(r.hung())
		}
	}
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
	} else if err := r.lastNote(reason); err != nil {
		failed = err.Error()
	} else if err := r.fail.is(); err != nil {
		failed = err.Error() // somebody has not waited for it
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
	if !r.finished {
		r.sum.Reason = reason
	}
	r.sum.Ended = time.UnixMicro(now).UTC()
	r.cur.end = &End{Reason: r.sum.Reason, Ended: r.sum.Ended, Output: r.sum.Output, Notes: r.sum.notes, Failed: failed, Unwitnessed: r.notWitnessed()}
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
