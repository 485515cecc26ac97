package hardware

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/clock"
)

const (
	usualEvery = time.Minute
	slowAfter  = 30 * time.Second // a look takes milliseconds
	crowd      = 8                // more of one sort at a time are told as one
)

// Options are what a [Watcher] is made of.
type Options struct {
	File string // what is known; its directory must exist
	// Record writes news down. After an error it is called again with them.
	Record func(News) error
	// On says whether the hardware is watched, and if not, why; nil: it is.
	On  func() (bool, string)
	Log *slog.Logger // nil discards

	// For tests; zero takes what counts.
	Root  fs.FS         // with sys and proc in it
	Clock clock.Clock   // of the machine
	Every time.Duration // between two looks
}

// Watcher looks at the hardware. See the package.
type Watcher struct {
	opt Options

	mu     sync.Mutex
	state  state
	saved  []byte
	last   Reading
	looked time.Time
	took   time.Duration
	since  time.Time // of a look that is under way
	faulty string    // what is wrong with the watching itself
}

// New makes a watcher, with what was known before. It looks at nothing yet. A file
// that cannot be read is forgotten and reported.
func New(o Options) (*Watcher, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Root == nil {
		o.Root = os.DirFS("/")
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Every == 0 {
		o.Every = usualEvery
	}
	if o.On == nil {
		o.On = func() (bool, string) { return true, "" }
	}
	w := &Watcher{opt: o}
	var err error
	w.state, err = readState(o.File)
	w.saved = w.state.bytes()
	return w, err
}

// Run looks until ctx ends, at intervals that vary by a sixth; first after a few
// seconds, when machine and agent have started. It does not wait for a device that
// hangs.
func (w *Watcher) Run(ctx context.Context) {
	delay := w.opt.Every/12 + rand.N(w.opt.Every/12+1)
	for {
		t := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if on, _ := w.opt.On(); on && !w.once(ctx) {
			return
		}
		delay = w.opt.Every - w.opt.Every/12 + rand.N(w.opt.Every/6+1)
	}
}

// once looks and tells what is new; false when ctx has ended.
func (w *Watcher) once(ctx context.Context) bool {
	w.begin()
	seen := make(chan Reading, 1)
	go func() {
		defer close(seen)
		defer func() {
			if p := recover(); p != nil { // hardware must not end remote access
				w.trouble(fmt.Sprintf("a look at the hardware failed: %v", p))
			}
		}()
		seen <- Look(w.opt.Root)
	}()
	select {
	case r, ok := <-seen:
		w.end(r, ok)
	case <-ctx.Done():
		return false
	}
	return true
}

func (w *Watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.faulty = w.opt.Clock.Now(), ""
}

func (w *Watcher) trouble(what string) {
	w.opt.Log.Error("watch the hardware", "error", what)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faulty = what
}

// end takes what a look found.
func (w *Watcher) end(r Reading, ok bool) {
	now := w.opt.Clock.Now()
	w.mu.Lock()
	w.took, w.since = now.Sub(w.since), time.Time{}
	if !ok {
		w.mu.Unlock()
		return
	}
	w.last, w.looked = r, now
	news := w.state.step(r, now, w.boot())
	w.mu.Unlock()
	for _, group := range crowds(news) {
		if err := w.opt.Record(one(group)); err != nil {
			w.trouble("what has happened cannot be recorded, and is tried again: " + err.Error())
			continue
		}
		w.mu.Lock()
		for _, n := range group {
			w.state.told(n, now)
		}
		w.mu.Unlock()
	}
	w.save()
}

func (w *Watcher) boot() string {
	_, id, _ := w.opt.Clock.Boot()
	return id
}

func (s *state) bytes() []byte {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil
	}
	return append(b, '\n')
}

// save writes the state down if it is another one.
func (w *Watcher) save() {
	w.mu.Lock()
	b := w.state.bytes()
	same := bytes.Equal(b, w.saved)
	w.mu.Unlock()
	if same {
		return
	}
	if err := writeState(w.opt.File, b); err != nil {
		w.trouble(err.Error())
		return
	}
	w.mu.Lock()
	w.saved = b
	w.mu.Unlock()
}

// crowds puts together what is of one sort where there is much of it: a switch
// that goes takes hundreds of disks along.
func crowds(news []News) (out [][]News) {
	sorts := map[string][]News{}
	sort := func(n News) string { return fmt.Sprint(n.Kind, "\n", n.What, "\n", n.How, "\n", n.Over) }
	for _, n := range news {
		sorts[sort(n)] = append(sorts[sort(n)], n)
	}
	for _, n := range news {
		switch s := sorts[sort(n)]; {
		case len(s) <= crowd:
			out = append(out, []News{n})
		case s[0].ID == n.ID:
			out = append(out, s)
		}
	}
	return out
}

// one is news about several.
func one(group []News) News {
	n := group[0]
	if len(group) == 1 {
		return n
	}
	var names []string
	for _, g := range group[:crowd] {
		names = append(names, g.Name)
	}
	n.Name = fmt.Sprintf("%s and %d more", strings.Join(names, ", "), len(group)-crowd)
	return n
}

// KindState is how what there is of one kind stands.
type KindState struct {
	Kind   Kind     `json:"kind"`
	Parts  int      `json:"watched"`
	Names  []string `json:"names"` // at most 64
	Failed int      `json:"failed"`
}

// Snapshot is how the hardware stands.
type Snapshot struct {
	On       bool          `json:"watched"`
	Why      string        `json:"reason,omitempty"` // why it is not
	Since    time.Time     `json:"watched_since,omitzero"`
	Looked   time.Time     `json:"last_look,omitzero"`
	Took     time.Duration `json:"look_took_ns,omitempty"`
	Problem  string        `json:"problem,omitempty"` // with the watching
	Kinds    []KindState   `json:"kinds"`
	Failures []Failure     `json:"failures"`
}

// Snapshot is how it stood at the last look.
func (w *Watcher) Snapshot() Snapshot {
	on, why := w.opt.On()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Snapshot{On: on, Why: why, Since: w.state.Since, Looked: w.looked, Took: w.took, Problem: w.faulty, Failures: []Failure{}, Kinds: []KindState{}}
	if d := w.opt.Clock.Now().Sub(w.since); !w.since.IsZero() && d > slowAfter {
		s.Problem = fmt.Sprintf("a look at the hardware has not come back for %s: a device or its driver hangs", d.Round(time.Second))
	}
	failed := map[Kind]map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(w.state.Faults)) {
		f := *w.state.Faults[id]
		if f.Told.IsZero() && !f.Well.IsZero() {
			continue // it is kept for what it was
		}
		s.Failures = append(s.Failures, f)
		if !f.Well.IsZero() {
			continue
		}
		if failed[f.Kind] == nil {
			failed[f.Kind] = map[string]bool{}
		}
		failed[f.Kind][f.Part] = true
	}
	for _, k := range Kinds {
		c := KindState{Kind: k, Names: []string{}, Failed: len(failed[k])}
		for _, p := range w.last.Parts {
			if p.Kind != k {
				continue
			}
			c.Parts++
			if len(c.Names) < maxText && !slices.Contains(c.Names, p.Name) {
				c.Names = append(c.Names, p.Name)
			}
		}
		if c.Parts > 0 || c.Failed > 0 {
			s.Kinds = append(s.Kinds, c)
		}
	}
	return s
}

// Now looks once and says how it stands. It tells nobody and keeps nothing.
func (w *Watcher) Now() Snapshot {
	r, now := Look(w.opt.Root), w.opt.Clock.Now()
	w.mu.Lock()
	w.last, w.looked = r, now
	w.state.step(r, now, w.boot())
	w.mu.Unlock()
	return w.Snapshot()
}
