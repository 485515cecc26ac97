package bundler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/host"
)

// collector is a collector plugin as the pipeline sees it.
type collector struct {
	name string
	c    *host.Collector
	info bundle.CollectorInfo
	err  error // the plugin does not start
	log  *slog.Logger
}

// collectors gets the plugins and starts them side by side, since each start
// takes longer than the questions that follow. The caller calls done.
func (b *Bundler) collectors(ctx context.Context, names []string, asked *Granted) (out []bundle.Collector, done func()) {
	all := make([]*collector, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		switch name {
		case Own:
			out = append(out, own{b})
			continue
		case Commands:
			out = append(out, commands{b})
			continue
		case Requested:
			out = append(out, requested{commands{b}, asked.commands()})
			continue
		}
		c := &collector{name: name, info: bundle.CollectorInfo{Name: name}, log: b.p.Log.With("collector", name)}
		all[i] = c
		out = append(out, c)
		wg.Go(func() { c.start(ctx, b) })
	}
	wg.Wait()
	return out, func() {
		for _, c := range all {
			if c != nil && c.c != nil {
				c.c.Close()
			}
		}
	}
}

func (c *collector) start(ctx context.Context, b *Bundler) {
	config, err := b.config(c.name)
	if err == nil {
		c.c, err = b.p.Host.Collector(c.name, host.Use{Config: config, Purpose: "bundle"})
	}
	var info host.Info
	if err == nil {
		info, err = c.c.Info(ctx)
	}
	if err != nil {
		c.err = err
		return
	}
	c.info = bundle.CollectorInfo{Name: c.name, Plugin: info.Plugin, Version: info.Version, SHA256: info.SHA256, Sandbox: info.Sandbox.String()}
}

// config is what the administrator has set for a collector, as JSON:
// etc/collectors.d/NAME.json.
func (b *Bundler) config(name string) ([]byte, error) {
	data, err := os.ReadFile(b.p.Root.Etc("collectors.d", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the collector's settings: %w", err)
	}
	return data, nil
}

// Info implements bundle.Collector.
func (c *collector) Info() bundle.CollectorInfo { return c.info }

// Plan implements bundle.Collector.
func (c *collector) Plan(ctx context.Context, r bundle.Request) ([]bundle.Planned, error) {
	if c.err != nil {
		return nil, c.err
	}
	items, err := c.c.Plan(ctx, request(r))
	out := make([]bundle.Planned, 0, len(items))
	for _, i := range items {
		out = append(out, bundle.Planned{Collector: c.name, Name: i.Name, Source: i.Source, Size: i.Size, NeedsRoot: i.NeedsRoot, Config: i.Config})
	}
	return out, err
}

func request(r bundle.Request) host.Request {
	return host.Request{Since: r.Since, MaxBytes: r.MaxBytes, Include: r.Include}
}

// Collect implements bundle.Collector.
func (c *collector) Collect(ctx context.Context, r bundle.Request, take func(*bundle.Item) error) error {
	if c.err != nil {
		return c.err
	}
	return c.c.Collect(ctx, request(r), func(i *host.Item) error {
		it := &bundle.Item{Name: i.Name, Source: i.Source, Config: i.Config, ModTime: i.ModTime}
		switch i.Status {
		case host.Note:
			c.log.Info("note of the collector", "note", i.Reason)
			return nil
		case host.Absent:
			it.State, it.Reason = bundle.Absent, i.Reason
		case host.Failed:
			it.State = stateOf(i.Err)
			if it.Reason = i.Reason; i.Err != nil {
				it.Reason = strings.TrimPrefix(i.Err.Error(), roleCollect+"/"+c.name+": ")
			}
		default:
			content, err := interruptible(i.File)
			if err != nil {
				return err
			}
			it.Content = content
			it.Finish = func(ctx context.Context) (bundle.Outcome, error) { return finish(ctx, i) }
		}
		return take(it)
	})
}

// stateOf tells what must not be read, and what is not read, from what could not
// be read.
func stateOf(err error) bundle.State {
	var f *host.Failure
	switch {
	case !errors.As(err, &f):
		return bundle.Failed
	case f.Denied():
		return bundle.Refused
	case f.Unsupported():
		return bundle.Omitted
	}
	return bundle.Failed
}

func finish(ctx context.Context, i *host.Item) (bundle.Outcome, error) {
	end, err := i.End(ctx)
	if err != nil {
		return bundle.Outcome{}, err
	}
	o := bundle.Outcome{Truncated: end.Truncated, Failed: end.Err != nil || end.ExitCode != 0}
	if end.ExitCode != 0 {
		o.ExitCode = &end.ExitCode
	}
	switch {
	case end.Err != nil:
		o.Reason = end.Err.Error()
	case o.Truncated:
		o.Reason = end.Reason
	case end.ExitCode != 0:
		o.Reason = fmt.Sprintf("exit code %d: %s", end.ExitCode, end.Reason)
	}
	return o, nil
}

// interruptible makes a pipe or socket whose Read ends when it is closed: one
// that a plugin keeps open and never writes to must not hold up the run. A
// regular file does not block.
func interruptible(f *os.File) (io.ReadCloser, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at what was handed over: %w", err)
	}
	if st.Mode().IsRegular() {
		return f, nil
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate what was handed over: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set what was handed over to non-blocking: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
