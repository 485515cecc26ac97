package accuracy

import (
	"fmt"
	"io"
	"sort"
	"text/tabwriter"
)

// Count is a part of a whole.
type Count struct {
	Good  int `json:"good"`
	Total int `json:"total"`
}

// Percent of Good in Total; 100 when there is nothing to count.
func (c Count) Percent() float64 {
	if c.Total == 0 {
		return 100
	}
	return 100 * float64(c.Good) / float64(c.Total)
}

func (c Count) String() string {
	if c.Total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d %.1f%%", c.Good, c.Total, c.Percent())
}

func (c *Count) add(good, total int) { c.Good += good; c.Total += total }

// Row is the result for one source.
type Row struct {
	Source string `json:"source"`
	Cases  int    `json:"cases"`
	// Clean counts the cases with nothing leaked, lost or left.
	Clean Count `json:"clean"`
	// Hidden counts must_hide strings that are gone.
	Hidden Count `json:"hidden"`
	// Kept counts must_keep strings that are there, SoftKept those of
	// soft_keep cases.
	Kept     Count `json:"kept"`
	SoftKept Count `json:"soft_kept"`
	// KeptOn counts all must_keep strings still there with pseudonyms on.
	KeptOn Count `json:"kept_with_pseudonyms"`
	// Pseudo counts identifiers replaced with pseudonyms on, PseudoOff those
	// left alone with pseudonyms off.
	Pseudo    Count `json:"pseudonymized"`
	PseudoOff Count `json:"identifiers_kept_off"`
}

func (r *Row) count(o *Outcome) {
	n := map[Kind]int{}
	for _, f := range o.Failures {
		n[f.Kind]++
	}
	c := o.Case
	r.Cases++
	clean := 1
	if len(o.Failures) > n[LostSoft] {
		clean = 0
	}
	r.Clean.add(clean, 1)
	r.Hidden.add(len(c.MustHide)-n[Leak], len(c.MustHide))
	if c.SoftKeep {
		r.SoftKept.add(len(c.MustKeep)-n[LostSoft], len(c.MustKeep))
	} else {
		r.Kept.add(len(c.MustKeep)-n[Lost], len(c.MustKeep))
	}
	r.KeptOn.add(len(c.MustKeep)-n[Lost]-n[LostSoft]-n[LostPseudo], len(c.MustKeep))
	ids := len(identifiers(c))
	r.Pseudo.add(ids-n[Identifier], ids)
	r.PseudoOff.add(ids-n[Overzeal], ids)
}

// Summary returns a row for each set, by name, and their total.
func Summary(outcomes []Outcome) (rows []Row, total Row) {
	by := map[string]*Row{}
	total.Source = "TOTAL"
	for i := range outcomes {
		o := &outcomes[i]
		r := by[o.Case.Set]
		if r == nil {
			r = &Row{Source: o.Case.Set}
			by[o.Case.Set] = r
		}
		r.count(o)
		total.count(o)
	}
	for _, r := range by {
		rows = append(rows, *r)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Source < rows[j].Source })
	return rows, total
}

// Print writes the table.
func Print(w io.Writer, rows []Row, total Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "source\tcases\thidden\tkept\tsoft kept\tkept, pseudonyms on\tpseudonymized\tleft when off")
	for _, r := range append(append([]Row(nil), rows...), total) {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Source, r.Cases, r.Hidden, r.Kept, r.SoftKept, r.KeptOn, r.Pseudo, r.PseudoOff)
	}
	return t.Flush()
}

// List writes every failure with its case and output. Soft losses are listed
// only when soft is set.
func List(w io.Writer, outcomes []Outcome, soft bool) {
	for i := range outcomes {
		o := &outcomes[i]
		shown := false
		for _, f := range o.Failures {
			if f.Kind == LostSoft && !soft {
				continue
			}
			if !shown {
				fmt.Fprintf(w, "\n== %s %s  %s  file %q\n", o.Case.Set, o.Case.ID, o.Case.label(), o.Case.File)
				shown = true
			}
			fmt.Fprintf(w, "   %-10s %q", f.Kind, f.Want)
			if f.Got != "" && f.Got != f.Want {
				fmt.Fprintf(w, " of which %q", f.Got)
			}
			fmt.Fprintln(w)
		}
		if !shown {
			continue
		}
		fmt.Fprintf(w, "-- in\n%s\n-- out\n%s\n", o.Case.Input, o.Out.Off)
		if o.Out.On != o.Out.Off {
			fmt.Fprintf(w, "-- out with pseudonyms\n%s\n", o.Out.On)
		}
	}
}
