package hostile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
)

// Outcome is what must become of an attack.
type Outcome string

// The outcomes.
const (
	Refused  Outcome = "refused"  // nobody gets in, and whoever was deceived says no
	Noticed  Outcome = "noticed"  // it is seen by an end, which says so or stops
	Harmless Outcome = "harmless" // the relay gains nothing; at the worst nothing works
)

// Case is one attack.
type Case struct {
	Name   string  `json:"name"`
	Tries  string  `json:"tries"` // what the relay does, in a sentence
	Expect Outcome `json:"expected"`

	// run makes the attack and says in a sentence what happened. An error says
	// that the attack succeeded, or why it could not be made.
	run func(w *world) (string, error)
}

// Verdict is what a case showed.
type Verdict string

// The verdicts.
const (
	Holds     Verdict = "holds"
	Broken    Verdict = "DOES NOT HOLD"
	NotTested Verdict = "NOT TESTED" // it could not be tried
)

// Result is one case after it was run.
type Result struct {
	Case
	Happened string        `json:"happened"`
	Verdict  Verdict       `json:"verdict"`
	Kept     int           `json:"relay_kept_bytes"` // and searched for what is secret
	Took     time.Duration `json:"-"`
}

// Options say where and how much.
type Options struct {
	Dir      string // for scratch directories; empty: that for temporary files
	Only     string // the case of this name
	Parallel int    // cases at once; 0: a few
}

// Run runs the cases and reports each, in their order. An error says that they
// could not be run at all.
func Run(ctx context.Context, o Options, report func(Result)) error {
	todo := Cases()
	if o.Only != "" {
		for _, c := range todo {
			if c.Name == o.Only {
				todo = []Case{c}
			}
		}
		if len(todo) != 1 {
			return fmt.Errorf("there is no case %q", o.Only)
		}
	}
	if o.Parallel <= 0 {
		o.Parallel = parallel
	}
	// Short, because sockets live below it.
	dir, err := os.MkdirTemp(o.Dir, "lsh")
	if err != nil {
		return fmt.Errorf("make a scratch directory: %w", err)
	}
	defer os.RemoveAll(dir)
	// Without attacks first: what does not work then says nothing about them.
	peace := Case{run: func(w *world) (string, error) { return "", w.honest() }}
	if r := peace.do(ctx, filepath.Join(dir, "p")); r.Verdict != Holds {
		return fmt.Errorf("nothing could be tested: on this machine it does not even work with a good relay: %s", r.Happened)
	}
	done := make([]chan Result, len(todo))
	places := make(chan struct{}, o.Parallel)
	var all sync.WaitGroup
	defer all.Wait()
	for i := range todo {
		done[i] = make(chan Result, 1)
	}
	at := map[string]int{}
	for i, c := range todo {
		at[c.Name] = i
	}
	all.Go(func() {
		for _, c := range longFirst(todo) {
			i := at[c.Name]
			places <- struct{}{}
			all.Go(func() {
				done[i] <- c.do(ctx, filepath.Join(dir, fmt.Sprint(i)))
				<-places
			})
		}
	})
	for _, d := range done {
		report(<-d)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// parallel is how many cases run at once: most of their time they wait.
const parallel = 6

// longFirst puts the cases that take long to the front, so that none of them is
// what everything else waits for at the end.
func longFirst(cases []Case) []Case {
	long := func(c Case) int {
		if at := slices.Index(longest, c.Name); at >= 0 {
			return at
		}
		return len(longest)
	}
	out := slices.Clone(cases)
	slices.SortStableFunc(out, func(a, b Case) int { return long(a) - long(b) })
	return out
}

// longest are the cases that take more than five seconds, the longest first.
var longest = []string{"flips-bits", "forges-start", "guesses-at-once", "truncates-messages", "keeps-open-after-off", "reorders-frames", "drops-frames", "doubles-messages", "stalls"}

// caseTime bounds one case.
const caseTime = 3 * time.Minute

// untested is an error of the surroundings, not of what is tested.
type untested struct{ error }

// do runs one case in a world of its own.
func (c Case) do(ctx context.Context, dir string) Result {
	begin := time.Now()
	r := Result{Case: c, Verdict: Holds}
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, dir)
	if err == nil {
		r.Happened, err = c.run(w)
		r.Kept = w.tape.size()
		// The attack may have worked without anybody seeing it.
		err = errors.Join(err, w.settled())
		w.close()
	} else {
		err = untested{fmt.Errorf("the surroundings cannot be set up: %w", err)}
	}
	if err != nil {
		r.Verdict, r.Happened = Broken, err.Error()
		var u untested
		if errors.As(err, &u) {
			r.Verdict = NotTested
		}
	}
	r.Took = time.Since(begin)
	return r
}

// expected are the engineers whom the vendor vouches for.
func (s *system) expected(actor string) bool {
	return actor == "engineer:ada" || actor == "engineer:bob"
}

// settled is what must be true after every attack: nobody was let in but by
// right, the audit log is whole, and nothing that the relay kept says anything.
func (w *world) settled() error {
	var errs []error
	for _, s := range append([]*system{w.system}, w.others...) {
		in := s.events(audit.ConnectionOpened)
		if len(in) < s.let || len(in) > s.let+s.may {
			errs = append(errs, fmt.Errorf("%d connections were let in, and %d had a right to", len(in), s.let+s.may))
		}
		for _, e := range in {
			if !s.expected(e.Actor) {
				errs = append(errs, fmt.Errorf("%s was let in, who is nobody", e.Actor))
			}
		}
		if _, err := audit.Verify(s.root.Audit(), audit.Check{}); err != nil {
			errs = append(errs, fmt.Errorf("the audit log of the system: %w", err))
		}
	}
	for _, text := range w.hidden() {
		if where := w.tape.find(text); where != "" {
			errs = append(errs, fmt.Errorf("the relay has seen what is secret (%.8q…): %s", text, where))
		}
	}
	return errors.Join(errs...)
}

// slow is how long a machine with much else to do may take for what is done at
// once on another. Nothing is waited for that long unless something is wrong.
const slow = 40 * time.Second
