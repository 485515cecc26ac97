package findings

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	p := &printer{w: w}
	r.text(p)
	for _, m := range r.Machines {
		p.line("\n%s", clean(m.Host))
		m.text(p)
	}
	return p.err
}

func (r *Report) text(p *printer) {
	if len(r.Findings) == 0 {
		p.line("nothing stands out")
	}
	for _, f := range r.Findings {
		p.line("%-8s  %s", f.Severity, f.Text)
		p.line("          %s", place(f.File, f.Line))
	}
	if len(r.Errors) > 0 {
		p.line("\nmost frequent error lines:")
		for _, e := range r.Errors[:min(len(r.Errors), 8)] {
			p.line("%8d  %s", e.Count, short(e.Example, 110))
			p.line("          %s", place(e.File, e.Line))
		}
	}
	if len(r.Blind) > 0 {
		p.line("\nnot looked at, because the bundle holds nothing about it: %s", strings.Join(r.Blind, ", "))
	}
	for _, problem := range r.Problems {
		p.line("problem: %s", problem)
	}
}

func place(file string, line int) string {
	if line > 0 {
		return fmt.Sprintf("%s:%d", clean(file), line)
	}
	return clean(file)
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
