package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"filippo.io/age"
)

// Draft is a bundle that is collected, sanitized and spooled, but not packed.
// It must be closed.
type Draft struct {
	o          Options
	spool      *spool
	created    time.Time
	files      []*spooled
	taken      tree
	missing    []Missing
	collectors []CollectorRecord
	bytes      int64
	planned    int
	machines   []MachineRecord
	raw        *age.X25519Identity // of what KeepRaw keeps
	rewritten  []string            // paths that the final gate had cleaned once more
}

// spooled is a sanitized file in the spool.
type spooled struct {
	File
	disk string
	item string // what the collector calls it
	raw  string // where what was read lies, encrypted; empty if it was not kept
}

var (
	errDeadline      = errors.New("the deadline of the run was reached")
	errCollectorTime = errors.New("the collector's time was up")
	errFull          = errors.New("the size limit was reached")
	errFiles         = errors.New("the limit on the number of files was reached")
)

// Collect asks the collectors, configuration first, and spools what they hand
// over, sanitized. It fails only when nothing can be collected at all: ctx is
// done, or the spool cannot be written. Everything else is in the manifest.
func Collect(ctx context.Context, collectors []Collector, o Options) (_ *Draft, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Format == "" {
		o.Format = TarZstd
	}
	o.Engine = guarded{o.Engine}
	sp, err := newSpool(o.Spool)
	if err != nil {
		return nil, err
	}
	d := &Draft{o: o, spool: sp, created: o.Now().UTC().Truncate(time.Second), taken: tree{}, missing: slices.Clone(o.Missing)}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if o.KeepRaw {
		if d.raw, err = age.GenerateX25519Identity(); err != nil {
			return nil, fmt.Errorf("make a key for the raw files: %w", err)
		}
	}
	run := ctx
	if o.Limits.Deadline > 0 {
		var cancel context.CancelFunc
		run, cancel = context.WithTimeoutCause(ctx, o.Limits.Deadline, errDeadline)
		defer cancel()
	}
	for _, q := range d.queue(run, collectors) {
		if err := d.collector(run, q); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return d, nil
}

// Close removes the spool.
func (d *Draft) Close() error { return d.spool.remove() }

// Files are what the bundle will hold.
func (d *Draft) Files() []File {
	out := make([]File, 0, len(d.files))
	for _, f := range d.files {
		out = append(out, f.File)
	}
	slices.SortFunc(out, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// Missing is what the bundle will not hold.
func (d *Draft) Missing() []Missing { return slices.Clone(d.missing) }

// Collectors are the collectors that were asked.
func (d *Draft) Collectors() []CollectorRecord { return slices.Clone(d.collectors) }

// Machines are the further machines that were asked.
func (d *Draft) Machines() []MachineRecord { return cloneMachines(d.machines) }

// Times is how long each item took, by collector and item, in milliseconds.
func (d *Draft) Times() map[string]map[string]int64 {
	out := map[string]map[string]int64{}
	for _, f := range d.files {
		if f.Machine != "" {
			continue
		}
		if out[f.Collector] == nil {
			out[f.Collector] = map[string]int64{}
		}
		out[f.Collector][f.item] = f.DurationMS
	}
	return out
}

// Dir is a private folder on the spool's file system that goes with the draft.
func (d *Draft) Dir() string { return d.spool.dir }

// Withhold takes files out again, after the user saw the list.
func (d *Draft) Withhold(drop func(File) bool) {
	d.files = slices.DeleteFunc(d.files, func(f *spooled) bool {
		if !drop(f.File) {
			return false
		}
		d.missing = append(d.missing, Missing{Collector: f.Collector, Machine: f.Machine, Name: f.item, Source: f.Source, State: Withheld, Reason: "taken out after the preview"})
		f.remove()
		return true
	})
}

// queued is a collector with its plan.
type queued struct {
	Collector
	info    CollectorInfo
	planned []Planned
	planErr error
	rank    int
}

// queue plans all collectors and orders them: those with nothing but
// configuration first, those with none last, so that as many secrets as
// possible are known before the files that repeat them are read.
func (d *Draft) queue(ctx context.Context, collectors []Collector) []queued {
	var qs []queued
	for _, c := range collectors {
		q := queued{Collector: c, info: c.Info()}
		d.o.progress(Progress{Stage: Planning, Collector: q.info.Name})
		q.planned, q.planErr = c.Plan(ctx, d.request(0))
		config := 0
		for _, p := range q.planned {
			if p.Config {
				config++
			}
		}
		switch {
		case config == 0:
			q.rank = 2
		case config < len(q.planned):
			q.rank = 1
		}
		d.planned += len(q.planned)
		qs = append(qs, q)
	}
	slices.SortStableFunc(qs, func(a, b queued) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.info.Name, b.info.Name))
	})
	return qs
}

func (d *Draft) request(used int64) Request {
	r := d.o.Request
	r.MaxBytes = 0
	if n, bounded := d.room(used); bounded {
		r.MaxBytes = max(n, 1)
	}
	return r
}

// room is how many bytes may still be spooled when a collector has spooled
// used already.
func (d *Draft) room(used int64) (n int64, bounded bool) {
	l := d.o.Limits
	n = 1<<63 - 1
	if l.Total > 0 {
		n, bounded = l.Total-d.bytes, true
	}
	if l.Collector > 0 {
		n, bounded = min(n, l.Collector-used), true
	}
	return n, bounded
}

// collector runs one collector. It returns an error only when the run is over.
func (d *Draft) collector(run context.Context, q queued) error {
	start := d.o.Now()
	rec := CollectorRecord{CollectorInfo: q.info}
	defer func() {
		rec.DurationMS = d.o.Now().Sub(start).Milliseconds()
		d.collectors = append(d.collectors, rec)
	}()
	seen := map[string]bool{}
	stop := func(state State, err error) {
		rec.Error = err.Error()
		d.missRest(q, seen, state, rec.Error)
	}
	if run.Err() != nil {
		stop(Limited, context.Cause(run))
		return nil
	}
	ctx := run
	if d.o.Limits.CollectorTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(run, d.o.Limits.CollectorTime, errCollectorTime)
		defer cancel()
	}
	var fatal error
	err := q.Collect(ctx, d.request(0), func(it *Item) error {
		seen[it.Name] = true
		f, err := d.item(ctx, q.info.Name, it, rec.Bytes)
		if f != nil {
			rec.Files++
			rec.Bytes += f.Size
		}
		var space *SpaceError
		if errors.As(err, &space) || errors.Is(err, errSpool) {
			fatal = err
		}
		return err
	})
	switch {
	case fatal != nil:
		return fatal
	case errors.Is(err, errFull), errors.Is(err, errFiles):
		stop(Limited, err)
	case ctx.Err() != nil:
		stop(Limited, context.Cause(ctx))
	case err != nil:
		stop(Failed, err)
	case q.planErr != nil && rec.Files == 0:
		stop(Failed, fmt.Errorf("plan: %w", q.planErr))
	}
	return nil
}

// missRest records what a collector that ended early still had to hand over.
func (d *Draft) missRest(q queued, seen map[string]bool, state State, reason string) {
	const most = 1000
	n := 0
	for _, p := range q.planned {
		if seen[p.Name] {
			continue
		}
		if n++; n > most {
			break
		}
		d.missing = append(d.missing, Missing{Collector: q.info.Name, Name: p.Name, Source: p.Source, State: state, Reason: reason})
	}
	if n == 0 || n > most {
		d.missing = append(d.missing, Missing{Collector: q.info.Name, State: state, Reason: reason})
	}
}
