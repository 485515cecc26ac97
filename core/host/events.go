package host

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// maxQueue bounds the events of a collector that the caller has not seen yet.
const maxQueue = 10_000

// maxItemName bounds the name of an item in bytes.
const maxItemName = 512

// badEvent is an event that a collector may not send.
type badEvent struct{ what string }

func (b *badEvent) Error() string { return b.what }

// queued is an item as it was announced.
type queued struct {
	event *pluginv1.CollectEvent
	end   chan struct{}
	over  *End
}

// events reads a collector's stream ahead of the caller. It must: while the
// caller reads the content of one item, its end may stand behind the beginnings
// of others.
type events struct {
	mu     sync.Mutex
	wake   *sync.Cond
	list   []*queued
	open   map[uint64]*queued // begun, not ended
	names  map[string]bool
	err    error // io.EOF at the good end
	closed chan struct{}
}

func newEvents() *events {
	q := &events{open: make(map[uint64]*queued), names: make(map[string]bool), closed: make(chan struct{})}
	q.wake = sync.NewCond(&q.mu)
	return q
}

// receiver is the stream of a collection.
type receiver interface {
	Recv() (*pluginv1.CollectEvent, error)
}

// read takes events until the stream ends or one is bad.
func (q *events) read(stream receiver) {
	defer close(q.closed)
	for {
		e, err := stream.Recv()
		q.mu.Lock()
		if err == nil {
			err = q.add(e)
		}
		if err != nil {
			q.err = err
			for _, o := range q.open { // these ends will not come
				close(o.end)
			}
			clear(q.open)
		}
		q.wake.Broadcast()
		q.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// add puts an event into the queue; q.mu is held.
func (q *events) add(e *pluginv1.CollectEvent) error {
	switch e.GetKind() {
	case pluginv1.CollectEvent_KIND_END:
		o := q.open[e.GetHandoff()]
		if o == nil {
			return &badEvent{fmt.Sprintf("it ended the item %d, which it had not begun", e.GetHandoff())}
		}
		o.over = &End{
			ExitCode: int(e.GetExitCode()), Truncated: e.GetTruncated(),
			Reason: clip(e.GetReason()), Err: failureOf("collector", e.GetFailure()),
		}
		delete(q.open, e.GetHandoff())
		close(o.end)
		return nil
	case pluginv1.CollectEvent_KIND_BEGIN, pluginv1.CollectEvent_KIND_ABSENT:
		if err := q.name(e.GetName()); err != nil {
			return err
		}
	case pluginv1.CollectEvent_KIND_FAILED:
		if e.GetName() != "" {
			if err := q.name(e.GetName()); err != nil {
				return err
			}
		}
	case pluginv1.CollectEvent_KIND_NOTE:
	default:
		return &badEvent{fmt.Sprintf("it sent an event of kind %d", e.GetKind())}
	}
	if len(q.list) >= maxQueue {
		return &badEvent{fmt.Sprintf("it announced more than %d items at once", maxQueue)}
	}
	item := &queued{event: e, end: make(chan struct{})}
	if e.GetKind() == pluginv1.CollectEvent_KIND_BEGIN {
		if q.open[e.GetHandoff()] != nil {
			return &badEvent{fmt.Sprintf("it began the item %d twice", e.GetHandoff())}
		}
		q.open[e.GetHandoff()] = item
	}
	q.list = append(q.list, item)
	return nil
}

// name checks an item's name, which becomes a path in the bundle.
func (q *events) name(name string) error {
	switch {
	case name == "" || len(name) > maxItemName || !utf8.ValidString(name),
		path.IsAbs(name) || path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"),
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '\\' }):
		return &badEvent{fmt.Sprintf("it named an item %q: not a clean relative path", clip(name))}
	case q.names[name]:
		return &badEvent{fmt.Sprintf("it named two items %q", name)}
	}
	q.names[name] = true
	return nil
}

// next waits for the next item. After the last it returns why there are no
// more.
func (q *events) next() (*queued, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.list) == 0 && q.err == nil {
		q.wake.Wait()
	}
	// What a dead plugin handed over is still good; of one that misbehaved
	// nothing is taken any more.
	var bad *badEvent
	if len(q.list) == 0 || errors.As(q.err, &bad) {
		return nil, q.err
	}
	item := q.list[0]
	q.list[0], q.list = nil, q.list[1:]
	return item, nil
}

// stop ends the stream and waits until nothing reads it any more.
func (q *events) stop(cancel func()) {
	cancel()
	<-q.closed
}

// why is the error for an end that does not come.
func (q *queued) why() error {
	return fmt.Errorf("the collector ended before the item: %w", io.ErrUnexpectedEOF)
}

// item is what the caller gets to see of an announcement.
func (q *queued) item(id string) *Item {
	e := q.event
	i := &Item{
		Name: e.GetName(), Source: clip(e.GetSource()), Config: e.GetConfig(), Size: max(e.GetSize(), -1),
		Reason: clip(e.GetReason()), end: q.end,
	}
	i.finished = func() (End, error) {
		if q.over == nil {
			return End{}, q.why()
		}
		return *q.over, nil
	}
	if t := e.GetMtimeUnix(); t != 0 {
		i.ModTime = time.Unix(t, 0)
	}
	switch e.GetKind() {
	case pluginv1.CollectEvent_KIND_ABSENT:
		i.Status = Absent
	case pluginv1.CollectEvent_KIND_FAILED:
		i.Status = Failed
		if i.Err = failureOf(id, e.GetFailure()); i.Err == nil {
			i.Err = fmt.Errorf("%s: failed without a reason", id)
		}
	case pluginv1.CollectEvent_KIND_NOTE:
		i.Status = Note
	}
	return i
}

// unixTime is the time as it travels: 0 for none.
func unixTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
