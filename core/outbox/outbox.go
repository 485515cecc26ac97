package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
)

// Deliverer is a running event sink. [*host.EventSink] is the one that counts.
type Deliverer interface {
	Deliver(ctx context.Context, e host.Event) error
	Close() error
}

// Options are what an [Outbox] is made of.
type Options struct {
	Audit  string // directory of the audit log
	Dir    string // of the cursors; made when it is needed
	Config string // directory of the settings
	Array  string // settings of the login by the array; "" for none
	Record audit.Recorder
	Open   func(plugin string, settings json.RawMessage) (Deliverer, error)
	System string        // its id
	Vendor func() string // his name, in what is said of an engineer; nil or "": Vendor
	Log    *slog.Logger  // nil discards

	// For tests; zero takes what counts.
	first, most, dropEvery, limit, look time.Duration
}

// Outbox delivers the events of an audit log. See the package.
type Outbox struct {
	opt Options

	mu    sync.Mutex
	lanes map[string]*lane
	stamp string // of the settings that are in force
	first bool
}

// New makes an outbox. It does nothing before Run.
func New(o Options) *Outbox {
	for _, d := range []struct {
		to *time.Duration
		by time.Duration
	}{{&o.first, firstDelay}, {&o.most, maxDelay}, {&o.dropEvery, dropEvery}, {&o.limit, time.Minute}, {&o.look, 3 * time.Second}} {
		if *d.to == 0 {
			*d.to = d.by
		}
	}
	return &Outbox{opt: o, lanes: map[string]*lane{}}
}

func (o *Outbox) log() *slog.Logger {
	if o.opt.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.opt.Log
}

// Wake says that the log has grown. It never waits.
func (o *Outbox) Wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lanes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Run delivers until ctx ends, and then for up to grace what is still waiting. It
// looks at the settings again when their files change.
func (o *Outbox) Run(ctx context.Context, grace time.Duration) {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	t := time.NewTicker(o.opt.look)
	defer t.Stop()
	for {
		o.reload(ctx, hard)
		select {
		case <-t.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	end := time.AfterFunc(grace, cut)
	defer end.Stop()
	o.mu.Lock()
	lanes := o.lanes
	o.lanes = map[string]*lane{}
	o.mu.Unlock()
	for _, l := range lanes {
		<-l.done
	}
}

// reload starts and ends lanes when the settings have changed.
func (o *Outbox) reload(ctx, hard context.Context) {
	stamp := o.stampOf()
	if o.first && stamp == o.stamp || ctx.Err() != nil {
		return
	}
	o.first, o.stamp = true, stamp
	all, broken, err := o.Settings()
	if err != nil {
		o.log().Error("settings of event sinks", "error", err)
	}
	want := map[string]Settings{}
	for _, s := range all {
		if s.Missing != "" {
			o.log().Warn("an event sink is not set up", "sink", s.Name, "reason", s.Missing)
			continue
		}
		want[s.Name] = s
	}
	o.mu.Lock()
	old := map[string]*lane{}
	for name, l := range o.lanes {
		if s, still := want[name]; !still || !reflect.DeepEqual(s, l.set) {
			old[name] = l
			delete(o.lanes, name)
		}
	}
	o.mu.Unlock()
	for name, l := range old { // its cursor is for one lane at a time
		l.stop()
		<-l.done
		if _, still := want[name]; !still && !slices.Contains(broken, name) {
			o.log().Info("an event sink is gone", "sink", name)
		}
	}
	if list, err := os.ReadDir(o.opt.Dir); err == nil {
		for _, f := range list {
			name, ok := strings.CutSuffix(f.Name(), ".json")
			if _, still := want[name]; ok && !still && !slices.Contains(broken, name) && !strings.HasPrefix(name, ".") {
				o.forget(name)
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, s := range want {
		if o.lanes[name] != nil {
			continue
		}
		lctx, stop := context.WithCancel(ctx)
		l := &lane{o: o, set: s, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
		o.lanes[name] = l
		go l.run(lctx, hard)
	}
}

// forget removes the cursor of a sink that somebody took away. What it had not
// got by then it does not get.
func (o *Outbox) forget(name string) {
	if c, err := o.readCursor(name); err == nil && !c.Failing.IsZero() {
		l := &lane{o: o, set: Settings{Name: name}}
		if err := l.record(audit.EventDropped, "last record delivered", fmt.Sprint(c.Seq), "reason", "its settings are gone while events waited: "+c.Error); err != nil {
			o.log().Error("record that a sink is gone", "sink", name, "error", err)
			return
		}
	}
	if err := os.Remove(o.cursorFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.log().Error("remove the cursor of a sink that is gone", "sink", name, "error", err)
	}
}

// stampOf is different when a file of the settings is.
func (o *Outbox) stampOf() string {
	var b strings.Builder
	add := func(path string) {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano(), info.Mode())
		}
	}
	add(o.opt.Array)
	list, _ := os.ReadDir(o.opt.Config)
	for _, f := range list {
		add(filepath.Join(o.opt.Config, f.Name()))
	}
	return b.String()
}

// explain is an error in words, with file and line where it is about a setting,
// and what can be done about it.
func (o *Outbox) explain(s Settings, err error) (text, hint string) {
	text = err.Error()
	var c *host.ConfigError
	if errors.As(err, &c) {
		var parts []string
		for _, p := range c.Problems {
			m := &MistakeError{s.File, s.lines[p.Field], strings.TrimPrefix(p.Field+": "+p.Message, ": ")}
			parts = append(parts, m.Error())
		}
		text = strings.Join(parts, "; ")
	}
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		hint = h.Hint()
	}
	return text, hint
}

// permanent reports whether the sink said that another try is useless.
func permanent(err error) bool {
	var f *host.Failure
	return errors.As(err, &f) && !f.Err.Temporary && f.Err.Code != "config" && f.Err.Code != "panicked" && f.Err.Code != "cancelled"
}

// TestCode is the code of the event that [Outbox.Test] sends.
const TestCode = "NOTIFICATION_TEST"

// Test sends a test through a sink, now and past all that waits (REQ F2). The
// error has a hint where there is something to do.
func (o *Outbox) Test(ctx context.Context, s Settings, actor string) error {
	err := o.try(ctx, s)
	detail := map[string]string{"result": "delivered"}
	if err != nil {
		detail["result"] = err.Error()
	}
	_, rerr := o.opt.Record.Append(audit.Event{Type: audit.EventTested, Actor: actor, Subject: s.Name, Detail: detail})
	return errors.Join(err, rerr)
}

func (o *Outbox) try(ctx context.Context, s Settings) error {
	if s.Missing != "" {
		return &TestError{Text: s.Missing}
	}
	l := &lane{o: o, set: s}
	defer l.end()
	err := l.deliver(ctx, host.Event{ID: "test-" + rand.Text(), Code: TestCode, Level: "info", Time: time.Now(),
		Description: "Test of the delivery of events from system " + o.opt.System, Data: map[string]string{"system": o.opt.System}})
	if err == nil {
		return nil
	}
	e := &TestError{err: err}
	e.Text, e.hint = o.explain(s, err)
	return e
}

// TestError is a test that was not delivered.
type TestError struct {
	Text string
	hint string
	err  error
}

func (e *TestError) Error() string { return e.Text }

// Hint is what can be done about it, a line for each thing.
func (e *TestError) Hint() string { return e.hint }

func (e *TestError) Unwrap() error { return e.err }

// ExitCode says that a check did not hold.
func (e *TestError) ExitCode() int { return 4 }
