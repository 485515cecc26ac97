package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
)

const (
	firstDelay = time.Second
	maxDelay   = 5 * time.Minute
	poll       = 15 * time.Second // for what other processes append
	idle       = time.Minute      // after which the plugin is ended
	dropEvery  = time.Minute      // at most so often a loss is recorded
	lag        = 1000             // records that nobody wants, after which the cursor moves over them
)

// waiting is an event with the number of its record.
type waiting struct {
	seq   uint64
	event host.Event
}

// lane brings events to one sink. One goroutine runs it.
type lane struct {
	o    *Outbox
	set  Settings
	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}

	cur      cursor
	saved    uint64 // Seq of the cursor on disk
	tail     *audit.Tail
	read     uint64 // last record that was looked at
	queue    []waiting
	lost     drops
	sink     Deliverer
	failures int
	wrote    error // of the last attempt to write the cursor
}

// drops are events that fell out of the queue and are not recorded yet.
type drops struct {
	n           uint64
	first, last uint64
	at          time.Time // of the last record of a loss
}

// begin finds where the lane goes on.
func (l *lane) begin() error {
	last, err := audit.Last(l.o.opt.Audit)
	if err != nil {
		return err
	}
	l.cur, err = l.o.readCursor(l.set.Name)
	switch {
	case errors.Is(err, errNew):
		l.cur.Seq = last
		l.save()
	case err == nil && l.cur.Seq <= last:
	default:
		why := "its cursor is ahead of the audit log, which is not the one it was"
		if err != nil {
			why = err.Error()
		}
		l.cur.Seq = last
		if err := l.record(audit.EventDropped, "reason", why+": it goes on with what happens from now on"); err != nil {
			return err
		}
		l.save()
	}
	l.saved, l.read = l.cur.Seq, l.cur.Seq
	l.tail = audit.Follow(l.o.opt.Audit, l.cur.Seq)
	return nil
}

// run delivers until ctx ends. A delivery that is under way then goes on, and
// what is left is tried once more, until hard ends.
func (l *lane) run(ctx, hard context.Context) {
	defer close(l.done)
	defer l.end()
	for l.tail == nil {
		if err := l.begin(); err != nil {
			l.trouble(err, l.backoff())
			if !l.wait(ctx, time.Until(l.cur.NextTry), false) {
				return
			}
		}
	}
	l.check(ctx)
	for ctx.Err() == nil {
		delay := l.step(hard)
		switch {
		case delay > 0:
			l.wait(ctx, delay, false)
		case len(l.queue) == 0:
			l.rest(ctx)
		}
	}
	l.flush(hard)
}

// flush delivers what is left, or as much as there is time for.
func (l *lane) flush(hard context.Context) {
	for tries := 0; hard.Err() == nil; {
		delay := l.step(hard)
		if delay == 0 && len(l.queue) == 0 {
			return
		}
		if delay > 0 {
			if tries++; tries > 3 || l.failures > 3 {
				return
			}
			l.wait(hard, 200*time.Millisecond, false)
		}
	}
}

// rest waits for something to do, and ends the plugin after a while.
func (l *lane) rest(ctx context.Context) {
	if l.cur.Seq >= l.saved+lag {
		l.save()
	}
	for range int(idle / poll) {
		if l.wait(ctx, poll, true) || ctx.Err() != nil {
			return
		}
		if l.pull(); len(l.queue) > 0 {
			return
		}
	}
	l.end()
}

// wait waits for d, or for news if they are wanted. It returns whether they came,
// or whether the time passed where they are not.
func (l *lane) wait(ctx context.Context, d time.Duration, news bool) bool {
	wake := l.wake
	if !news {
		wake = nil
	}
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-wake:
		return true
	case <-t.C:
		return !news
	case <-ctx.Done():
		return false
	}
}

// step takes what is new and delivers the oldest event. It returns how long to
// wait if that did not work.
func (l *lane) step(hard context.Context) time.Duration {
	if err := l.pull(); err != nil {
		return l.trouble(err, l.backoff())
	}
	if len(l.queue) == 0 {
		return 0
	}
	w := l.queue[0]
	err := l.deliver(hard, w.event)
	if hard.Err() != nil && err != nil {
		return maxDelay // nobody waits for it any more
	}
	switch {
	case err == nil:
		l.cur.Delivered++
		l.cur.LastAt, l.cur.LastCode = time.Now().UTC().Truncate(time.Second), w.event.Code
	case permanent(err):
		l.o.log().Warn("an event was refused for good", "sink", l.set.Name, "code", w.event.Code, "error", err)
		if err := l.record(audit.EventRefused, "record", strconv.FormatUint(w.seq, 10), "code", w.event.Code, "reason", err.Error()); err != nil {
			return l.trouble(err, l.backoff())
		}
		l.cur.Refused++
	default:
		return l.trouble(err, l.backoff())
	}
	l.queue = l.queue[1:]
	l.advance(w.seq)
	l.failures, l.cur.Error, l.cur.Hint, l.cur.Failing, l.cur.NextTry = 0, "", "", time.Time{}, time.Time{}
	l.save()
	return 0
}

// pull reads what is new in the log. What does not fit into the queue is lost to
// this sink, and that is recorded before the cursor moves over it.
func (l *lane) pull() error {
	err := l.tail.Next(func(r audit.Record) bool {
		l.read = r.Seq
		if !l.set.choice.has(r) {
			return true
		}
		l.queue = append(l.queue, waiting{r.Seq, l.o.toEvent(r)})
		if len(l.queue) > l.set.Keep {
			if l.lost.n == 0 {
				l.lost.first = l.queue[0].seq
			}
			l.lost.n++
			l.lost.last = l.queue[0].seq
			l.queue[0] = waiting{}
			l.queue = l.queue[1:]
		}
		return true
	})
	if err != nil {
		return err
	}
	if l.lost.n > 0 && time.Since(l.lost.at) >= l.o.opt.dropEvery {
		if err := l.record(audit.EventDropped, "events", strconv.FormatUint(l.lost.n, 10), "first record", strconv.FormatUint(l.lost.first, 10),
			"last record", strconv.FormatUint(l.lost.last, 10), "reason", "more than "+strconv.Itoa(l.set.Keep)+" events waited"); err != nil {
			return err
		}
		l.cur.Dropped += l.lost.n
		l.advance(l.lost.last)
		l.lost = drops{at: time.Now()}
		l.save()
	}
	if len(l.queue) == 0 {
		l.advance(l.read)
	}
	return nil
}

// advance moves the cursor, but not over what was lost and is not recorded.
func (l *lane) advance(seq uint64) {
	if l.lost.n == 0 || seq < l.lost.first || seq == l.lost.last {
		l.cur.Seq = max(l.cur.Seq, seq)
	}
}

func (l *lane) save() {
	err := l.o.writeCursor(l.set.Name, l.cur)
	if err == nil {
		l.saved = l.cur.Seq
	} else if l.wrote == nil {
		l.o.log().Error("the cursor of an event sink cannot be written; what is delivered now comes again after a restart", "sink", l.set.Name, "error", err)
	}
	l.wrote = err
}

// deliver passes one event to the plugin.
func (l *lane) deliver(hard context.Context, e host.Event) error {
	if err := l.open(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(hard, l.o.opt.limit)
	defer cancel()
	return l.sink.Deliver(ctx, e)
}

func (l *lane) open() error {
	if l.sink != nil {
		return nil
	}
	config, err := json.Marshal(l.set.config)
	if err != nil {
		return err
	}
	l.sink, err = l.o.opt.Open(l.set.Plugin, config)
	if err != nil {
		l.sink = nil
	}
	return err
}

// check starts the plugin once, so that a mistake in its settings shows now and
// not with the first event.
func (l *lane) check(ctx context.Context) {
	if l.open() != nil {
		return // the first delivery says why
	}
	c, ok := l.sink.(interface {
		Info(context.Context) (host.Info, error)
	})
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.o.opt.limit)
	defer cancel()
	if _, err := c.Info(ctx); err != nil && ctx.Err() == nil {
		l.trouble(err, 0)
	} else if l.pull(); len(l.queue) == 0 && l.cur.Error != "" && err == nil {
		l.cur.Error, l.cur.Hint, l.cur.Failing, l.cur.NextTry = "", "", time.Time{}, time.Time{}
		l.save()
	}
}

func (l *lane) end() {
	if l.sink != nil {
		l.sink.Close()
		l.sink = nil
	}
}

// backoff is a random time below a limit that doubles.
func (l *lane) backoff() time.Duration {
	limit := l.o.opt.most
	if l.failures < 16 {
		limit = min(limit, l.o.opt.first<<l.failures)
	}
	l.failures++
	return limit/2 + rand.N(limit/2+1)
}

// trouble writes down why it does not go on.
func (l *lane) trouble(err error, delay time.Duration) time.Duration {
	now := time.Now().UTC().Truncate(time.Second)
	if l.cur.Failing.IsZero() {
		l.cur.Failing = now
	}
	text, hint := l.o.explain(l.set, err)
	if text != l.cur.Error {
		l.o.log().Warn("events wait", "sink", l.set.Name, "error", text)
	}
	l.cur.Error, l.cur.Hint, l.cur.NextTry = text, hint, now.Add(delay)
	l.save()
	return max(delay, 1)
}

func (l *lane) record(kind audit.Type, pairs ...string) error {
	detail := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		detail[pairs[i]] = pairs[i+1]
	}
	_, err := l.o.opt.Record.Append(audit.Event{Type: kind, Actor: "agent", Subject: l.set.Name, Detail: detail})
	return err
}
