package sanitize

import (
	"maps"
	"sync"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// tally counts what one stream hid. It holds no values.
type tally struct {
	rules, kinds map[string]int
	idents       [scan.Whats]int // pseudonyms, until merge adds them to kinds
}

func (t *tally) reset() {
	if t.rules == nil {
		t.rules, t.kinds = map[string]int{}, map[string]int{}
	}
	clear(t.rules)
	clear(t.kinds)
	t.idents = [scan.Whats]int{}
}

func (t *tally) merge(o *tally) {
	if t.rules == nil {
		t.reset()
	}
	for r, n := range o.rules {
		t.rules[r] += n
	}
	for k, n := range o.kinds {
		t.kinds[k] += n
	}
	for w, n := range o.idents {
		if n > 0 {
			t.kinds[scan.What(w).String()] += n
		}
	}
}

// ledger collects the tallies of all files.
type ledger struct {
	mu  sync.Mutex
	all Report
}

func (l *ledger) init() {
	l.all = Report{Version: 1, Rules: map[string]int{}, Kinds: map[string]int{}}
}

func (l *ledger) add(name string, t *tally, omitted string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, n := range t.rules {
		l.all.Rules[r] += n
	}
	for k, n := range t.kinds {
		l.all.Kinds[k] += n
	}
	fr := FileReport{Name: name, Omitted: omitted}
	if len(t.rules) > 0 {
		fr.Rules = maps.Clone(t.rules)
	}
	l.all.Files = append(l.all.Files, fr)
}

func (l *ledger) report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.all
	r.Files = append([]FileReport(nil), l.all.Files...)
	r.Rules, r.Kinds = maps.Clone(l.all.Rules), maps.Clone(l.all.Kinds)
	return r
}
