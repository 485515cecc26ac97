package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// results are figures by what was measured and whom.
type results struct {
	mu    sync.Mutex
	order []string
	all   map[string]map[string][]float64
}

func (r *results) add(what, who string, figure float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]map[string][]float64{}
	}
	if r.all[what] == nil {
		r.order = append(r.order, what)
		r.all[what] = map[string][]float64{}
	}
	r.all[what][who] = append(r.all[what][who], figure)
}

// median is of all rounds; false without any.
func (r *results) median(what, who string) (float64, bool) {
	all := slices.Clone(r.all[what][who])
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, true
}

// A goal holds our figure against another, or against a number.
type goal struct {
	what  string
	than  string  // whom, or "" for a number
	ratio float64 // ours must be this times theirs, or this number
	less  bool    // or less; otherwise or more
	of    string  // what theirs is, where it is something else
}

func (g goal) String() string {
	sign := ">="
	if g.less {
		sign = "<="
	}
	if g.than == "" {
		return fmt.Sprintf("%s %g", sign, g.ratio)
	}
	than := g.than
	if g.of != "" {
		than += "'s " + g.of
	}
	return fmt.Sprintf("%s %.3g x %s", sign, g.ratio, than)
}

// judge says how a goal stands.
func (r *results) judge(g goal) string {
	mine, ok := r.median(g.what, us)
	if !ok {
		return ""
	}
	reached, ratio := mine, ""
	if g.than != "" {
		what := g.what
		if g.of != "" {
			what = g.of
		}
		theirs, ok := r.median(what, g.than)
		if !ok || theirs == 0 {
			return g.String() + ": not measured"
		}
		reached = mine / theirs
		ratio = fmt.Sprintf(" (%.2f)", reached)
	}
	word := "holds"
	if g.less && reached > g.ratio || !g.less && reached < g.ratio {
		word = "MISSED"
	}
	return g.String() + ratio + ": " + word
}

const us = "Latchstring"

// print writes a table: a row for each thing measured, the goals beside it.
func (r *results) print(w io.Writer, who []string, goals []goal) {
	fmt.Fprintf(w, "| what | %s | goal |\n|%s\n", strings.Join(who, " | "), strings.Repeat("---|", len(who)+2))
	for _, what := range r.order {
		var cells, judged []string
		for _, name := range who {
			cell := "-"
			if m, ok := r.median(what, name); ok {
				cell = figure(m)
			}
			cells = append(cells, cell)
		}
		for _, g := range goals {
			if g.what == what {
				if j := r.judge(g); j != "" {
					judged = append(judged, j)
				}
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", what, strings.Join(cells, " | "), strings.Join(judged, "; "))
	}
}

func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
