package bundler

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/sweep"
)

// wordRules are the rules for words that the user wants hidden: in any case,
// and, in the usual ones, in the spellings in which text is carried. The name
// of a rule does not tell the word.
func wordRules(words []string) ([]sanitize.Rule, error) {
	var rules []sanitize.Rule
	for i, w := range words {
		id := fmt.Sprintf("user-word-%d", i+1)
		if len(w) < 3 || strings.ContainsAny(w, "\r\n\x00") || !utf8.ValidString(w) {
			return nil, usagef("word %d to hide: use one line of at least three characters; shorter ones stand inside of too many others", i+1)
		}
		rules = append(rules, sanitize.Rule{ID: id, Regexp: "(?i)" + regexp.QuoteMeta(w)})
		var forms []string
		for _, v := range []string{w, strings.ToLower(w), strings.ToUpper(w), capitals(w, false), capitals(w, true)} {
			forms = append(forms, sweep.Spellings(v)...)
		}
		slices.Sort(forms)
		for _, f := range slices.Compact(forms) {
			if len(f) >= 3 && !strings.EqualFold(f, w) {
				rules = append(rules, sanitize.Rule{ID: id, Literal: f})
			}
		}
	}
	return rules, nil
}

// capitals is a text with a capital at its beginning, or at that of each word.
func capitals(s string, each bool) string {
	begin := true
	return strings.Map(func(r rune) rune {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		up := begin && letter
		if letter {
			begin = false
		} else {
			begin = begin || each
		}
		if up {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// hide adds words at the last minute. It returns the pass that texts need that
// are sanitized already, and the engine for all that follows.
func (e *Engine) hide(words []string) (pass sanitize.Engine, next *Engine, err error) {
	all := slices.Concat(e.words, words)
	rules, err := wordRules(all)
	if err != nil {
		return nil, nil, err
	}
	more, err := sanitize.New(sanitize.Options{Rules: rules, Forget: true})
	if err != nil {
		return nil, nil, fmt.Errorf("hide words: %w", err)
	}
	next = &Engine{Sanitizer: e.Sanitizer, book: e.book, words: all, more: more, past: e.past}
	if e.more != nil {
		next.past = append(slices.Clone(e.past), e.more)
	}
	return more, next, nil
}

// Copy implements sanitize.Engine.
func (e *Engine) Copy(ctx context.Context, dst io.Writer, src io.Reader, f sanitize.File) (sanitize.Result, error) {
	if e.more == nil {
		return e.Sanitizer.Copy(ctx, dst, src, f)
	}
	pr, pw := io.Pipe()
	type end struct {
		res sanitize.Result
		err error
	}
	done := make(chan end, 1)
	go func() {
		g := f
		g.Again, g.Learn = true, false
		res, err := e.more.Copy(ctx, dst, pr, g)
		pr.CloseWithError(err)
		done <- end{res, err}
	}()
	res, err := e.Sanitizer.Copy(ctx, pw, src, f)
	pw.CloseWithError(err)
	last := <-done
	if last.err != nil {
		err = last.err
	}
	res.Out, res.Hidden = last.res.Out, res.Hidden+last.res.Hidden
	if res.Omitted == "" {
		res.Omitted = last.res.Omitted
	}
	return res, err
}

// Name implements sanitize.Engine.
func (e *Engine) Name(path string) string {
	path = e.Sanitizer.Name(path)
	if e.more != nil {
		path = e.more.Name(path)
	}
	return path
}

// Check implements sanitize.Engine: the words count as secrets.
func (e *Engine) Check(ctx context.Context, src io.Reader, f sanitize.File) ([]sanitize.Hit, error) {
	if e.more == nil {
		return e.Sanitizer.Check(ctx, src, f)
	}
	pr, pw := io.Pipe()
	type end struct {
		hits []sanitize.Hit
		err  error
	}
	done := make(chan end, 1)
	go func() {
		hits, err := e.more.Check(ctx, pr, f)
		if err == nil {
			_, err = io.Copy(io.Discard, pr)
		}
		pr.CloseWithError(err)
		done <- end{hits, err}
	}()
	hits, err := e.Sanitizer.Check(ctx, io.TeeReader(src, pw), f)
	pw.CloseWithError(err)
	last := <-done
	if last.err != nil {
		err = last.err
	}
	for _, h := range last.hits {
		if !slices.Contains(hits, h) {
			hits = append(hits, h)
		}
	}
	return hits, err
}

// Report implements sanitize.Engine.
func (e *Engine) Report() sanitize.Report {
	r := e.Sanitizer.Report()
	if e.more == nil {
		return r
	}
	for _, past := range append(slices.Clone(e.past), e.more) {
		r = merge(r, past.Report(), e.more.Name)
	}
	return r
}

// merge adds one report to another, and hides words in the names of files.
func merge(r, more sanitize.Report, name func(string) string) sanitize.Report {
	r.Files, r.Rules, r.Kinds = slices.Clone(r.Files), maps.Clone(r.Rules), maps.Clone(r.Kinds)
	if r.Rules == nil {
		r.Rules = map[string]int{}
	}
	if r.Kinds == nil {
		r.Kinds = map[string]int{}
	}
	for k, n := range more.Rules {
		r.Rules[k] += n
	}
	for k, n := range more.Kinds {
		r.Kinds[k] += n
	}
	at := map[string]int{}
	for i, f := range r.Files {
		f.Name = name(f.Name)
		r.Files[i], at[f.Name] = f, i
	}
	for _, f := range more.Files {
		f.Name = name(f.Name)
		i, ok := at[f.Name]
		if !ok {
			at[f.Name] = len(r.Files)
			r.Files = append(r.Files, f)
			continue
		}
		rules := maps.Clone(r.Files[i].Rules)
		if rules == nil {
			rules = map[string]int{}
		}
		for k, n := range f.Rules {
			rules[k] += n
		}
		r.Files[i].Rules = rules
		if r.Files[i].Omitted == "" {
			r.Files[i].Omitted = f.Omitted
		}
	}
	return r
}
