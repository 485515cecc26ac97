package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/cmd/send-bundle/tui"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

// paper is a screen whose keys are known beforehand. It remembers what was
// drawn, and that all of it fits.
type paper struct {
	t             *testing.T
	width, height int
	keys          []tui.Key
	drawn         []string
}

func (p *paper) Size() (int, int) { return p.width, p.height }

func (p *paper) Draw(lines []tui.Line) error {
	var b strings.Builder
	if len(lines) > p.height {
		p.t.Errorf("%d lines on a screen of %d", len(lines), p.height)
	}
	for _, l := range lines {
		b.WriteString(tui.Cut(l.Text, p.width) + "\n")
	}
	p.drawn = append(p.drawn, b.String())
	return nil
}

func (p *paper) Key(context.Context) (tui.Key, error) {
	if len(p.keys) == 0 {
		return tui.Key{}, io.EOF
	}
	k := p.keys[0]
	p.keys = p.keys[1:]
	return k, nil
}

func press(names ...string) (keys []tui.Key) {
	for _, n := range names {
		if len([]rune(n)) == 1 {
			keys = append(keys, tui.Key{Rune: []rune(n)[0]})
		} else {
			keys = append(keys, tui.Key{Name: n})
		}
	}
	return keys
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// pile is a draft in memory: raw and sanitized by path.
type pile struct {
	raw, san map[string]string
	hidden   []string
	err      error
}

func (p *pile) Files() (out []bundle.File) {
	for i := range 100 {
		for name, text := range p.san {
			if strings.HasPrefix(name, fmt.Sprintf("%03d", i)) {
				out = append(out, bundle.File{Path: name, Size: int64(len(text))})
			}
		}
	}
	return out
}
func (p *pile) Missing() []bundle.Missing { return nil }
func (p *pile) Sanitized(name string) (bundle.Content, error) {
	return memory{bytes.NewReader([]byte(p.san[name]))}, nil
}
func (p *pile) Raw(name string) (bundle.Content, error) {
	if _, ok := p.raw[name]; !ok {
		return nil, errors.New("what was read was not kept")
	}
	return memory{bytes.NewReader([]byte(p.raw[name]))}, nil
}
func (p *pile) Withhold(drop func(bundle.File) bool) {
	for _, f := range p.Files() {
		if drop(f) {
			delete(p.san, f.Path)
		}
	}
}
func (p *pile) Hide(_ context.Context, words []string) (bundle.Hidden, error) {
	p.hidden = append(p.hidden, words...)
	return bundle.Hidden{Files: []string{"x"}}, p.err
}

func reviewOn(t *testing.T, p *pile, keys ...string) (*paper, bool) {
	t.Helper()
	s := &paper{t: t, width: 80, height: 24, keys: press(keys...)}
	m := &reviewer{run: p, screen: s, out: map[string]bool{}}
	ok, err := m.loop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, ok
}

func (p *paper) last() string { return p.drawn[len(p.drawn)-1] }

func TestReviewerOnASmallScreen(t *testing.T) {
	p := &pile{san: map[string]string{}, raw: map[string]string{}}
	for i := range 60 {
		p.san[fmt.Sprintf("%03d/%s/the end", i, strings.Repeat("long", 40))] = strings.Repeat("x", i)
	}
	s, ok := reviewOn(t, p, tui.End, "q")
	if ok || !strings.Contains(s.last(), "the end") || !strings.Contains(s.drawn[0], "60 files") {
		t.Errorf("%v\n%s", ok, s.last())
	}
	// A terminal of four lines is of little use, and no reason to fail.
	tiny := &paper{t: t, width: 20, height: 4, keys: press(tui.Down, tui.PageDown, tui.Enter, tui.Down, "q", "q")}
	if _, err := (&reviewer{run: p, screen: tiny, out: map[string]bool{}}).loop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReviewerTakesOutAndPutsBack(t *testing.T) {
	p := &pile{san: map[string]string{"000/a": "1", "001/b": "2", "002/c": "3"}}
	if _, ok := reviewOn(t, p, " ", " ", tui.Up, " ", "s"); !ok {
		t.Error("not sealed")
	}
	if len(p.san) != 2 || p.san["001/b"] == "" {
		t.Errorf("left: %v", p.san)
	}
	// Everything taken out: there is nothing to seal.
	if s, ok := reviewOn(t, p, " ", " ", "s", "q"); ok || !strings.Contains(s.last(), "nothing to send") {
		t.Errorf("%v\n%s", ok, s.last())
	}
}

func TestReviewerFinds(t *testing.T) {
	p := &pile{san: map[string]string{"000/a": "nothing", "001/b": "one\nTwo\n", "002/c": "two"}}
	s, _ := reviewOn(t, p, "f", "t", "w", "o", tui.Enter, "q")
	if got := s.last(); strings.Contains(got, "000/a") || !strings.Contains(got, "001/b") || !strings.Contains(got, "2 files hold") {
		t.Error(got)
	}
	s, _ = reviewOn(t, p, "/", "B", tui.Enter, "q")
	if got := s.last(); strings.Contains(got, "000/a") || !strings.Contains(got, "001/b") {
		t.Error(got)
	}
}

func TestReviewerHides(t *testing.T) {
	p := &pile{san: map[string]string{"000/a": "1"}}
	reviewOn(t, p, "w", "a", "b", "c", tui.Backspace, "d", tui.Enter, "w", "x", tui.Escape, "q")
	if len(p.hidden) != 1 || p.hidden[0] != "abd" {
		t.Errorf("hidden: %q", p.hidden)
	}
	p.err = &bundler.UsageError{}
	reviewOn(t, p, "w", "x", tui.Enter, "q") // a word that cannot be hidden is told, and no end
}

func TestViewer(t *testing.T) {
	p := &pile{raw: map[string]string{}, san: map[string]string{}}
	raw := strings.Repeat("the same\n", 30) + "password = x\x1b[2Jyz\n" + strings.Repeat("more\n", 30)
	p.raw["000/a"], p.san["000/a"] = raw, strings.ReplaceAll(raw, "x\x1b[2Jyz", "REDACTED")
	s, _ := reviewOn(t, p, tui.Enter, "d", "q", "q")
	if got := s.drawn[len(s.drawn)-2]; !strings.Contains(got, "password = x?[2Jyz") || !strings.Contains(got, "*|*password = REDACTED") || !strings.Contains(got, "line 31 of 61") {
		t.Error(got)
	}
	s, _ = reviewOn(t, p, tui.Enter, tui.Tab, "/", "R", "E", "D", tui.Enter, "q", "q")
	if got := s.drawn[len(s.drawn)-2]; strings.Contains(got, "*|*") || strings.Contains(got, "yz") || !strings.Contains(got, "REDACTED") {
		t.Error(got)
	}
	// Without a raw side, and packed.
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, "what is packed\n")
	w.Close()
	p = &pile{san: map[string]string{"000/a.gz": z.String()}}
	s, _ = reviewOn(t, p, tui.Enter, tui.Tab, "q", "q")
	if got := s.drawn[len(s.drawn)-2]; !strings.Contains(got, "what is packed") || !strings.Contains(got, "was not kept") {
		t.Error(got)
	}
	// A line of 5 MB, an empty file, and one that is no gzip though it begins so.
	p = &pile{san: map[string]string{"000/a": strings.Repeat("x", 5<<20) + "\nlast\n", "001/b": "", "002/c": "\x1f\x8b no gzip"}}
	s, _ = reviewOn(t, p, tui.Enter, tui.Right, "q", tui.Down, tui.Enter, "d", "q", tui.Down, tui.Enter, "q")
	if got := s.last(); !strings.Contains(got, "unpack") {
		t.Error(got)
	}
}

func TestPicker(t *testing.T) {
	p := &bundler.Planned{}
	for _, c := range []string{"logs", "config", "system"} {
		for i := range 30 {
			p.Items = append(p.Items, bundle.Planned{Collector: c, Name: fmt.Sprintf("%s%d", strings.Repeat("deep/", 20), i), Size: int64(i), NeedsRoot: c == "config"})
		}
	}
	last := bundler.Times{Collectors: map[string]bundler.CollectorTime{"logs": {MS: 2500}}}
	on := func(keys ...string) (*picker, *paper, bool) {
		s := &paper{t: t, width: 80, height: 24, keys: press(keys...)}
		m := newPicker(p, last)
		ok, err := m.run(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return m, s, ok
	}
	m, s, ok := on(tui.Right, tui.Down, " ", tui.PageDown, tui.End, " ", tui.Enter)
	if !ok || !strings.Contains(s.drawn[0], "2.5 s") || !strings.Contains(s.drawn[0], "root") || !strings.Contains(s.last(), "[-]") && !strings.Contains(s.last(), "[ ]") {
		t.Errorf("%v\n%s", ok, s.last())
	}
	var req bundler.Request
	if err := m.apply(&req); err != nil || fmt.Sprint(req.Skip) != "[system]" {
		t.Errorf("%+v, %v", req, err)
	}
	if !req.Leave("config", strings.TrimSuffix(p.Items[30].Name, "/")) || !req.Leave("config", p.Items[30].Name+"/in/it") || req.Leave("config", p.Items[31].Name) {
		t.Error("the wrong items are left out")
	}
	req = bundler.Request{Only: []string{"logs", "system"}}
	if err := m.apply(&req); err != nil || fmt.Sprint(req.Only) != "[config logs]" {
		t.Errorf("%+v, %v", req.Only, err)
	}
	// Nothing chosen is no choice.
	if _, s, ok := on("a", tui.Enter, "q"); ok || !strings.Contains(s.last(), "nothing is chosen") {
		t.Errorf("%v\n%s", ok, s.last())
	}
	if _, _, ok := on(tui.Interrupt); ok {
		t.Error("it goes on after control-C")
	}
}
