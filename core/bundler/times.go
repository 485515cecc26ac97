package bundler

import (
	"encoding/json"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/durable"
)

// Times is how long things took last time.
type Times struct {
	Version    int                      `json:"v"`
	At         time.Time                `json:"at"`
	Collectors map[string]CollectorTime `json:"collectors"`
}

// CollectorTime is how long a collector took, and each of its items.
type CollectorTime struct {
	MS    int64            `json:"ms"`
	Files int              `json:"files"`
	Items map[string]int64 `json:"items,omitempty"` // ms; what took less than one is not there
}

func (b *Bundler) timesPath() string { return b.p.Root.Var("times.json") }

// LastTimes is what the last run took; empty when there was none.
func (b *Bundler) LastTimes() Times {
	var t Times
	data, err := os.ReadFile(b.timesPath())
	if err != nil || json.Unmarshal(data, &t) != nil || t.Version != 1 {
		return Times{}
	}
	return t
}

// remember keeps the times of collectors that this run did not ask.
func (b *Bundler) remember(d *bundle.Draft) error {
	t := b.LastTimes()
	t.Version, t.At = 1, time.Now().UTC().Truncate(time.Second)
	if t.Collectors == nil {
		t.Collectors = map[string]CollectorTime{}
	}
	items := d.Times()
	for _, c := range d.Collectors() {
		ct := CollectorTime{MS: c.DurationMS, Files: c.Files, Items: map[string]int64{}}
		for name, ms := range items[c.Name] {
			if ms > 0 && len(ct.Items) < 5000 {
				ct.Items[name] = ms
			}
		}
		t.Collectors[c.Name] = ct
	}
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return durable.WriteFile(b.timesPath(), append(data, '\n'))
}

// estimate puts the time that is left into the run's progress: by what the
// last run took, collector by collector.
func (r *Run) estimate(o *bundle.Options, names []string) {
	next := o.Progress
	if next == nil {
		return
	}
	last := r.b.LastTimes()
	open := map[string]time.Duration{}
	for _, n := range names {
		if t, ok := last.Collectors[n]; ok {
			open[n] = time.Duration(t.MS) * time.Millisecond
		}
	}
	current, since := "", time.Now()
	o.Progress = func(p bundle.Progress) {
		if p.Stage == bundle.Collecting {
			if p.Collector != current {
				delete(open, current)
				current, since = p.Collector, time.Now()
			}
			for n, d := range open {
				if n == current {
					d = max(0, d-time.Since(since))
				}
				p.Left += d
			}
		}
		next(p)
	}
}
