package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// Request says what is wanted of a collector.
type Request struct {
	Since    time.Time // only what is newer; zero for all
	MaxBytes int64     // about as much in all; 0 for no limit. The caller cuts.
	Include  []string  // paths that the user asked for beside; the host opens them too
}

// Planned is an item that would be collected.
type Planned struct {
	Name      string
	Source    string // path or command line
	Size      int64  // estimate in bytes, -1 when unknown
	NeedsRoot bool
	Config    bool
}

// Status says what an [Item] is.
type Status int

// The kinds of items.
const (
	Present Status = iota // File is there to be read
	Absent                // not on this machine: no error
	Failed                // could not be collected; Err says why
	Note                  // Reason is a word to the user, there is no item
)

// Item is what a collector hands over, one at a time.
type Item struct {
	Status  Status
	Name    string // path inside the collector's folder, checked: relative, clean
	Source  string // path or command line, as the collector says
	Config  bool   // configuration: its secrets are swept elsewhere
	Size    int64  // of a regular file, by fstat; else the collector's word, -1 when unknown
	ModTime time.Time
	Reason  string // why it is absent, or the note
	Err     error  // why it failed

	// File is the content: a regular file at its start, a pipe or a socket. It
	// is closed when the function that got the item returns.
	File *os.File

	end      chan struct{}       // closed when it has ended, or never will
	finished func() (End, error) // valid after that
}

// End is how an item ended.
type End struct {
	ExitCode  int    // of a command, as a shell counts: 128+n for signal n
	Truncated bool   // the collector cut it, or it broke off
	Reason    string // why it was cut, or what the command wrote to stderr
	Err       error  // why it broke off
}

// End waits for the end of a Present item. Call it after File was read to its
// end: commands and streams end only then.
func (i *Item) End(ctx context.Context) (End, error) {
	if i.Status != Present {
		return End{Reason: i.Reason, Err: i.Err}, nil
	}
	select {
	case <-i.end:
		return i.finished()
	case <-ctx.Done():
		return End{}, context.Cause(ctx)
	}
}

// Collector collects through a collector plugin. One collection runs at a time.
type Collector struct {
	*unit
	busy chan struct{}
}

// Collector returns the collector of that name. The plugin starts with the
// first call.
func (h *Host) Collector(name string, use Use) (*Collector, error) {
	if use.Purpose == "" {
		use.Purpose = "bundle"
	}
	u, err := h.newUnit(wire.RoleCollect, name, use)
	if err != nil {
		return nil, err
	}
	return &Collector{unit: u, busy: make(chan struct{}, 1)}, nil
}

// Info says which plugin it is; it starts it if need be.
func (c *Collector) Info(ctx context.Context) (Info, error) { return c.info(ctx) }

// Close ends the plugin.
func (c *Collector) Close() error { c.unit.close(); return nil }

// lock waits until no other collection runs.
func (c *Collector) lock(ctx context.Context) (func(), error) {
	select {
	case c.busy <- struct{}{}:
		return func() { <-c.busy }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// maxPlan bounds a plan.
const maxPlan = 100_000

// Plan lists what Collect would hand over. A collector that cannot tell fails
// with failure.Unsupported (package sdk/failure).
func (c *Collector) Plan(ctx context.Context, req Request) ([]Planned, error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	inst, err := c.ready(ctx, req)
	if err != nil {
		return nil, err
	}
	rep, err := call(ctx, inst, "plan", c.host.opt.Timeouts.Dial, func(ctx context.Context) (*pluginv1.PlanResponse, error) {
		return inst.role.(pluginv1.CollectClient).Plan(ctx, &pluginv1.PlanRequest{
			SinceUnix: unixTime(req.Since), MaxBytes: req.MaxBytes, Include: req.Include,
		})
	})
	if err == nil {
		err = failureOf(c.id, rep.GetFailure())
	}
	if err == nil && len(rep.GetItems()) > maxPlan {
		err = inst.misbehaved("its plan has %d items", len(rep.GetItems()))
	}
	if err != nil {
		c.blame(inst, err)
		return nil, fmt.Errorf("plan %s: %w", c.id, err)
	}
	out := make([]Planned, 0, len(rep.GetItems()))
	for _, p := range rep.GetItems() {
		out = append(out, Planned{clip(p.GetName()), clip(p.GetSource()), p.GetSize(), p.GetNeedsRoot(), p.GetConfig()})
	}
	return out, nil
}

// ready starts the plugin and tells its broker what was asked for.
func (c *Collector) ready(ctx context.Context, req Request) (*instance, error) {
	inst, err := c.get(ctx)
	if err != nil {
		return nil, err
	}
	inst.broker.allow(req.Include)
	return inst, nil
}

// Collect calls take for each item, one after the other, and returns when there
// are no more. When take returns an error, Collect stops and returns it. An item
// whose descriptor is not what it should be ends the collection and the plugin.
func (c *Collector) Collect(ctx context.Context, req Request, take func(*Item) error) (err error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	inst, err := c.ready(ctx, req)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil { // what it still hands over must not reach the next collection
			inst.retire()
		}
	}()
	limit := c.host.opt.Timeouts.Collect
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := inst.role.(pluginv1.CollectClient).Collect(limited, &pluginv1.CollectRequest{
		SinceUnix: unixTime(req.Since), MaxBytes: req.MaxBytes, Include: req.Include,
	})
	if err != nil {
		return fmt.Errorf("collect %s: %w", c.id, inst.explain(ctx, limited, "collect", limit, err))
	}
	q := newEvents()
	go q.read(stream)
	defer q.stop(cancel)
	for {
		item, err := q.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			var bad *badEvent
			if errors.As(err, &bad) {
				err = inst.misbehaved("%s", bad.what)
			} else {
				err = inst.explain(ctx, limited, "collect", limit, err)
			}
			c.blame(inst, err)
			return fmt.Errorf("collect %s: %w", c.id, err)
		}
		if err := c.give(limited, inst, item, take); err != nil {
			c.blame(inst, err)
			return fmt.Errorf("collect %s: %w", c.id, err)
		}
	}
}

// give takes the descriptor of an item, checks it, and passes the item on.
func (c *Collector) give(ctx context.Context, inst *instance, q *queued, take func(*Item) error) error {
	item := q.item(c.id)
	if item.Status == Failed && item.Name == "" { // the whole collector
		return item.Err
	}
	if item.Status != Present {
		return take(item)
	}
	tctx, cancel := context.WithTimeoutCause(ctx, c.host.opt.Timeouts.Call, fmt.Errorf("none came"))
	defer cancel()
	f, err := inst.channel.Take(tctx, q.event.GetHandoff())
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !inst.alive() {
			return &CrashedError{ID: c.id, End: inst.run.proc.End(), Cause: err}
		}
		return inst.misbehaved("it announced %s, but handed over nothing: %v", item.Name, err)
	}
	got, err := checkContent(f, inst.run.proc.PID())
	if err != nil {
		return inst.misbehaved("for %s it handed over %v", item.Name, err)
	}
	item.File = got.file
	defer got.file.Close()
	if got.size >= 0 {
		item.Size = got.size
		if err := c.permitted(inst, item, got.path); err != nil {
			return err
		}
	}
	if item.Status != Present {
		got.file.Close()
		item.File = nil
	}
	return take(item)
}

// permitted checks where a handed file really is: it must be declared, or of
// the plugin's own making, and policy may keep it out.
func (c *Collector) permitted(inst *instance, item *Item, path string) error {
	if path == "" || strings.HasPrefix(path, "/memfd:") || strings.HasPrefix(path, inst.dir+"/") {
		return nil
	}
	path = strings.TrimSuffix(path, " (deleted)")
	if !inst.broker.covers(path, false) {
		return inst.misbehaved("for %s it handed over %s, which it has not declared", item.Name, clip(path))
	}
	if err := inst.broker.permit(path); err != nil {
		item.Status, item.Err = Failed, fmt.Errorf("%s: %w", item.Source, err)
	}
	return nil
}
