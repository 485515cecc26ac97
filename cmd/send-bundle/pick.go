package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/send-bundle/tui"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

// pick lets the user choose what is collected. Without a terminal it shows the
// plain list, which --yes agrees to.
func pick(c *cli.Context, b *bundler.Bundler, req *bundler.Request) error {
	p, err := b.Plan(c.Context, *req)
	if err != nil {
		return err
	}
	last := b.LastTimes()
	if c.Bool("yes") || cmdline.JSON(c) || !tui.Usable(os.Stdin, os.Stderr) {
		if err := planTable(c.App.ErrWriter, p, last); err != nil {
			return err
		}
		if c.Bool("yes") {
			return nil
		}
		return fmt.Errorf("%w; agree beforehand with --yes, or choose with --only, --skip and --withhold", cmdline.ErrNoTerminal)
	}
	t, err := tui.Open(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	m := newPicker(p, last)
	ok, err := m.run(c.Context, t)
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if !ok {
		return nothingLeft(c)
	}
	return m.apply(req)
}

// picker is the list of collectors, each of which opens to its items.
type picker struct {
	groups []*group
	list   tui.List
	notice string
}

type group struct {
	name  string
	items []pickItem
	size  int64
	ms    int64 // of the last run, -1 when there was none
	root  bool
	open  bool
}

type pickItem struct {
	bundle.Planned
	ms  int64
	off bool
}

func newPicker(p *bundler.Planned, last bundler.Times) *picker {
	m := &picker{}
	at := map[string]*group{}
	for _, it := range p.Items {
		g := at[it.Collector]
		if g == nil {
			g = &group{name: it.Collector, ms: -1, size: -1}
			if t, ok := last.Collectors[it.Collector]; ok {
				g.ms = t.MS
			}
			at[it.Collector] = g
			m.groups = append(m.groups, g)
		}
		ms, ok := last.Collectors[it.Collector].Items[it.Name]
		if !ok {
			ms = -1
		}
		g.items = append(g.items, pickItem{Planned: it, ms: ms})
		if it.Size >= 0 {
			g.size = max(g.size, 0) + it.Size
		}
		g.root = g.root || it.NeedsRoot
	}
	slices.SortFunc(m.groups, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	return m
}

func (g *group) on() (n int) {
	for _, it := range g.items {
		if !it.off {
			n++
		}
	}
	return n
}

func (g *group) set(off bool) {
	for i := range g.items {
		g.items[i].off = off
	}
}

// row is one line of the list: a collector, or one of its items.
type row struct {
	g    *group
	item int // -1: the collector
}

func (m *picker) rows() (rows []row) {
	for _, g := range m.groups {
		rows = append(rows, row{g, -1})
		for i := range g.items {
			if g.open {
				rows = append(rows, row{g, i})
			}
		}
	}
	return rows
}

// run shows the list until the user goes on or gives up.
func (m *picker) run(ctx context.Context, s tui.Screen) (ok bool, err error) {
	for {
		w, h := s.Size()
		if err := s.Draw(m.draw(w, h)); err != nil {
			return false, err
		}
		k, err := s.Key(ctx)
		if err != nil {
			return false, err
		}
		done, ok := m.press(k, h)
		if done {
			return ok, nil
		}
	}
}

const pickFrame = 4 // lines around the list

func (m *picker) press(k tui.Key, height int) (done, ok bool) {
	rows := m.rows()
	m.notice = ""
	if m.list.Move(k, len(rows), height-pickFrame) {
		return false, false
	}
	if len(rows) == 0 {
		return k.Name != tui.Resized, false
	}
	r := rows[m.list.Cursor]
	switch {
	case k.Name == tui.Interrupt, k.Name == tui.Escape, k.Is('q'):
		return true, false
	case k.Name == tui.Enter:
		for _, g := range m.groups {
			if g.on() > 0 {
				return true, true
			}
		}
		m.notice = "nothing is chosen"
	case k.Is(' ') && r.item < 0:
		r.g.set(r.g.on() > 0)
	case k.Is(' '):
		r.g.items[r.item].off = !r.g.items[r.item].off
	case k.Name == tui.Right || k.Is('l'):
		r.g.open = true
	case k.Name == tui.Left || k.Is('h'):
		r.g.open = false
		m.list.Cursor = slices.IndexFunc(m.rows(), func(x row) bool { return x.g == r.g })
	case k.Is('a'):
		all := slices.ContainsFunc(m.groups, func(g *group) bool { return g.on() < len(g.items) })
		for _, g := range m.groups {
			g.set(!all)
		}
	}
	m.list.Clamp(len(m.rows()), height-pickFrame)
	return false, false
}

func (m *picker) draw(width, height int) []tui.Line {
	rows := m.rows()
	m.list.Clamp(len(rows), height-pickFrame)
	lines := []tui.Line{{Text: fmt.Sprintf(" %-38s %10s %10s  %s", "What shall be collected?", "SIZE", "LAST TIME", "NEEDS"), Invert: true}}
	for i := m.list.Top; i < len(rows) && len(lines) <= height-pickFrame; i++ {
		lines = append(lines, tui.Line{Text: rows[i].text(width), Invert: i == m.list.Cursor})
	}
	for len(lines) <= height-pickFrame {
		lines = append(lines, tui.Line{})
	}
	n, all, size, ms := 0, 0, int64(0), int64(0)
	for _, g := range m.groups {
		all += len(g.items)
		if k := g.on(); k > 0 {
			n, ms = n+k, ms+max(g.ms, 0)
		}
		for _, it := range g.items {
			if !it.off {
				size += max(it.Size, 0)
			}
		}
	}
	foot := fmt.Sprintf(" %d of %d items, %s and what has no size yet", n, all, cmdline.Size(size))
	if ms > 0 {
		foot += fmt.Sprintf("; about %.0f s", max(1, float64(ms)/1000))
	}
	note := ""
	if os.Geteuid() != 0 {
		note = " You are not root: what needs root will be missing."
	}
	if m.notice != "" {
		note = " " + m.notice
	}
	return append(lines, tui.Line{Text: foot}, tui.Line{Text: note}, tui.Line{Text: " space in or out  → items  a all  enter go on  q give up", Invert: true})
}

func (r row) text(width int) string {
	mark, name, size, ms, root := "[x]", r.g.name, r.g.size, r.g.ms, r.g.root
	note := fmt.Sprintf("%d items", len(r.g.items))
	if r.item < 0 {
		switch r.g.on() {
		case 0:
			mark = "[ ]"
		case len(r.g.items):
		default:
			mark = "[-]"
		}
		if mark += " "; r.g.open {
			name = "▾ " + name
		} else {
			name = "▸ " + name
		}
	} else {
		it := r.g.items[r.item]
		if it.off {
			mark = "[ ]"
		}
		mark, name, size, ms, root, note = "    "+mark+" ", it.Name, it.Size, it.ms, it.NeedsRoot, it.Source
	}
	left := mark + name
	const column = 38
	if over := len([]rune(left)) - column; over > 0 { // the end of a name says more than its beginning
		left = mark + "…" + string([]rune(name)[over+1:])
	}
	took, bytes := "", "?"
	if size >= 0 {
		bytes = cmdline.Size(size)
	}
	if ms >= 0 {
		took = fmt.Sprintf("%.1f s", float64(ms)/1000)
	}
	needs := ""
	if root {
		needs = "root"
	}
	return fmt.Sprintf(" %-*s %10s %10s  %-4s  %s", column, left, bytes, took, needs, note)
}

// apply puts the choice into the request.
func (m *picker) apply(req *bundler.Request) error {
	left := map[string]bool{}
	var on []string
	for _, g := range m.groups {
		if g.on() > 0 {
			on = append(on, g.name)
		} else if len(req.Only) == 0 {
			req.Skip = append(req.Skip, g.name)
		}
		if g.on() == 0 && g.name == bundler.Includes {
			req.Include = nil
		}
		for _, it := range g.items {
			if it.off {
				left[it.Collector+"\x00"+it.Name] = true
			}
		}
	}
	if len(req.Only) > 0 {
		req.Only = on
	}
	if len(left) > 0 {
		req.Leave = func(collector, item string) bool {
			for ; item != "." && item != "/"; item = path.Dir(item) { // a folder stands for what is in it
				if left[collector+"\x00"+item] {
					return true
				}
			}
			return false
		}
	}
	return nil
}
