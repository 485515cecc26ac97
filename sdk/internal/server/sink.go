package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/collect"
)

// maxCommands bounds the commands that one collection runs at once.
const maxCommands = 8

// sink implements collect.Sink for one collection.
type sink struct {
	ctx      context.Context
	c        collectServer
	ch       *handoff.Channel
	stream   pluginv1.Collect_CollectServer
	commands chan struct{}

	sending sync.Mutex
	mu      sync.Mutex
	err     error // the stream is broken
	names   map[string]bool
	open    map[*collect.Stream]bool
	over    bool
}

func newSink(ctx context.Context, c collectServer, ch *handoff.Channel, stream pluginv1.Collect_CollectServer) *sink {
	return &sink{
		ctx: ctx, c: c, ch: ch, stream: stream,
		commands: make(chan struct{}, maxCommands),
		names:    make(map[string]bool),
		open:     make(map[*collect.Stream]bool),
	}
}

// errOver is what a goroutine gets that outlived its Collect.
var errOver = errors.New("the collection is over: Collect has returned")

// claim checks an item and takes its name.
func (s *sink) claim(item collect.Item) error {
	if err := s.ctx.Err(); err != nil {
		return context.Cause(s.ctx)
	}
	if err := collect.CheckName(item.Name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return errOver
	case s.err != nil:
		return s.err
	case s.names[item.Name]:
		return fmt.Errorf("item %q is there already: each name once", item.Name)
	}
	s.names[item.Name] = true
	return nil
}

// send sends one event; after an error the collection cannot go on.
func (s *sink) send(e *pluginv1.CollectEvent) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	if err := s.stream.Send(e); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = fmt.Errorf("tell the host: %w", err)
		return s.err
	}
	return nil
}

func (s *sink) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func event(kind pluginv1.CollectEvent_Kind, id uint64, item collect.Item) *pluginv1.CollectEvent {
	e := &pluginv1.CollectEvent{
		Kind: kind, Handoff: id, Name: item.Name, Source: item.Source, Config: item.Config, Size: item.Size,
	}
	if item.Size <= 0 {
		e.Size = -1
	}
	if !item.ModTime.IsZero() {
		e.MtimeUnix = item.ModTime.Unix()
	}
	return e
}

// begin hands a descriptor over and says so. It returns the item's id.
func (s *sink) begin(item collect.Item, f *os.File) (uint64, error) {
	id := s.ch.NewID()
	if err := s.ch.PassContext(s.ctx, id, f); err != nil {
		return 0, fmt.Errorf("hand over %s: %w", item.Name, err)
	}
	return id, s.send(event(pluginv1.CollectEvent_KIND_BEGIN, id, item))
}

// File hands over an open file.
func (s *sink) File(item collect.Item, f *os.File) error {
	defer f.Close()
	if item.Source == "" {
		item.Source = f.Name()
	}
	st, err := f.Stat()
	if err != nil {
		return s.Failed(item, err)
	}
	switch {
	case st.IsDir():
		return s.Failed(item, &fs.PathError{Op: "collect", Path: item.Source, Err: syscall.EISDIR})
	case st.Mode()&fs.ModeSocket != 0:
		return s.Failed(item, fmt.Errorf("collect %s: a socket is no file", item.Source))
	case st.Mode().IsRegular():
		if item.Size == 0 {
			item.Size = st.Size()
		}
		if item.ModTime.IsZero() {
			item.ModTime = st.ModTime()
		}
	}
	if err := s.claim(item); err != nil {
		return err
	}
	id, err := s.begin(item, f)
	if err != nil {
		return err
	}
	return s.send(event(pluginv1.CollectEvent_KIND_END, id, item))
}

// Path opens a file and hands it over.
func (s *sink) Path(item collect.Item, path string) error {
	if item.Source == "" {
		item.Source = path
	}
	f, err := s.Open(path)
	switch {
	case err == nil:
		return s.File(item, f)
	case errors.Is(err, fs.ErrNotExist):
		return s.Absent(item, "no such file")
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case errors.Is(err, handoff.ErrClosed):
		return err
	default:
		return s.Failed(item, err)
	}
}

// Open opens a file here or, where this process may not, in the host.
func (s *sink) Open(path string) (*os.File, error) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return nil, fmt.Errorf("open %q: want a clean absolute path", path)
	}
	// Non-blocking, so that a FIFO without a writer does not hang us.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return f, err
	}
	f, _, hostErr := s.ch.Open(s.ctx, handoff.OpenRequest{Path: path})
	switch {
	case hostErr == nil:
		return f, nil
	case errors.Is(hostErr, errors.ErrUnsupported):
		return nil, err
	default:
		return nil, &fs.PathError{Op: "open", Path: path, Err: hostErr}
	}
}

// Stream begins an item that the collector writes.
func (s *sink) Stream(item collect.Item) (*collect.Stream, error) {
	if err := s.claim(item); err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// A write that waits for the host ends with the context.
	stop := context.AfterFunc(s.ctx, func() { w.SetWriteDeadline(time.Unix(1, 0)) })
	id, err := s.begin(item, r)
	if err != nil {
		stop()
		w.Close()
		return nil, err
	}
	var stream *collect.Stream
	stream = collect.NewStream(w, func(truncated string, err error) error {
		stop()
		s.mu.Lock()
		delete(s.open, stream)
		s.mu.Unlock()
		e := event(pluginv1.CollectEvent_KIND_END, id, item)
		e.Truncated, e.Reason, e.Failure = truncated != "" || err != nil, s.c.s.clean(truncated), s.c.s.failure(err)
		return s.send(e)
	})
	s.mu.Lock()
	s.open[stream] = true
	s.mu.Unlock()
	return stream, nil
}

// Absent says that an item is not there.
func (s *sink) Absent(item collect.Item, reason string) error {
	if err := s.claim(item); err != nil {
		return err
	}
	e := event(pluginv1.CollectEvent_KIND_ABSENT, 0, item)
	e.Reason = s.c.s.clean(reason)
	return s.send(e)
}

// Failed says that an item could not be collected.
func (s *sink) Failed(item collect.Item, err error) error {
	if cerr := s.claim(item); cerr != nil {
		return cerr
	}
	if err == nil {
		err = errors.New("failed without a reason")
	}
	e := event(pluginv1.CollectEvent_KIND_FAILED, 0, item)
	e.Failure = s.c.s.failure(err)
	return s.send(e)
}

// Note tells the user something.
func (s *sink) Note(format string, args ...any) {
	s.mu.Lock()
	over := s.over || s.err != nil
	s.mu.Unlock()
	if !over {
		s.send(&pluginv1.CollectEvent{Kind: pluginv1.CollectEvent_KIND_NOTE, Size: -1, Reason: s.c.s.clean(fmt.Sprintf(format, args...))})
	}
}

// finish ends the items that were left open and says how many there were.
func (s *sink) finish() int {
	s.mu.Lock()
	s.over = true
	left := make([]*collect.Stream, 0, len(s.open))
	for stream := range s.open {
		left = append(left, stream)
	}
	s.mu.Unlock()
	for _, stream := range left {
		stream.CloseWithError(errors.New("the collector returned without closing this item"))
	}
	return len(left)
}
