package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/cmd/send-bundle/tui"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

// draft is what a review works on. [*bundler.Run] is one.
type draft interface {
	Files() []bundle.File
	Missing() []bundle.Missing
	Sanitized(path string) (bundle.Content, error)
	Raw(path string) (bundle.Content, error)
	Withhold(func(bundle.File) bool)
	Hide(ctx context.Context, words []string) (bundle.Hidden, error)
}

var _ draft = (*bundler.Run)(nil)

// reviewable tells whether the files can be looked at on a terminal.
func reviewable(c *cli.Context) bool {
	return !c.Bool("yes") && !cmdline.JSON(c) && cmdline.Interactive() && tui.Usable(os.Stdin, os.Stderr)
}

// review lets the user look at everything that would leave, and change it. It
// reports whether to go on.
func review(c *cli.Context, r draft) (ok bool, err error) {
	t, err := tui.Open(os.Stdin, os.Stderr)
	if err != nil {
		return false, err
	}
	defer func() {
		if cerr := t.Close(); err == nil {
			err = cerr
		}
	}()
	m := &reviewer{run: r, screen: t, out: map[string]bool{}}
	return m.loop(c.Context)
}

// reviewer is the list of files.
type reviewer struct {
	run    draft
	screen tui.Screen
	list   tui.List
	out    map[string]bool // taken out, by path; done when the user goes on
	filter string          // of names
	found  map[string]bool // files that hold the text that was searched; nil: no search
	sought string
	input  *tui.Input
	typed  func(context.Context, string) error // what becomes of the input
	notice string
}

const reviewFrame = 4

func (m *reviewer) loop(ctx context.Context) (ok bool, err error) {
	for {
		w, h := m.screen.Size()
		if err := m.screen.Draw(m.draw(w, h)); err != nil {
			return false, err
		}
		k, err := m.screen.Key(ctx)
		if err != nil {
			return false, err
		}
		if m.input != nil {
			done, ok := m.input.Type(k)
			if !done {
				continue
			}
			text, typed := string(m.input.Text), m.typed
			m.input, m.typed = nil, nil
			if ok {
				if err := typed(ctx, text); err != nil {
					return false, err
				}
			}
			continue
		}
		if done, ok, err := m.press(ctx, k, h); done || err != nil {
			return ok, err
		}
	}
}

// files are those that the filters leave.
func (m *reviewer) files() []bundle.File {
	return slices.DeleteFunc(m.run.Files(), func(f bundle.File) bool {
		return !strings.Contains(strings.ToLower(f.Path), strings.ToLower(m.filter)) || m.found != nil && !m.found[f.Path]
	})
}

func (m *reviewer) press(ctx context.Context, k tui.Key, height int) (done, ok bool, err error) {
	files := m.files()
	m.notice = ""
	if m.list.Move(k, len(files), height-reviewFrame) {
		return false, false, nil
	}
	m.list.Clamp(len(files), height-reviewFrame)
	switch {
	case k.Name == tui.Interrupt, k.Is('q'):
		return true, false, nil
	case k.Name == tui.Escape:
		m.filter, m.found, m.sought = "", nil, ""
	case k.Is('s'):
		if n := len(m.run.Files()); n == 0 || n == len(m.out) {
			m.notice = "every file is taken out, so there is nothing to send"
			return false, false, nil
		}
		m.takeOut()
		return true, true, nil
	case k.Is('/'):
		m.ask("names with: ", func(_ context.Context, s string) error {
			m.filter, m.list = s, tui.List{}
			return nil
		})
	case k.Is('f'):
		m.ask("files that hold: ", m.find)
	case k.Is('w'):
		m.ask("hide everywhere: ", m.hide)
	case k.Is(' ') && len(files) > 0:
		p := files[m.list.Cursor].Path
		if m.out[p] = !m.out[p]; !m.out[p] {
			delete(m.out, p)
		}
		m.list.Move(tui.Key{Name: tui.Down}, len(files), height-reviewFrame)
	case (k.Name == tui.Enter || k.Name == tui.Right) && len(files) > 0:
		return false, false, m.view(ctx, files[m.list.Cursor])
	}
	return false, false, nil
}

func (m *reviewer) ask(prompt string, then func(context.Context, string) error) {
	m.input, m.typed = &tui.Input{Prompt: " " + prompt}, then
}

// takeOut withholds what the user took out.
func (m *reviewer) takeOut() {
	m.run.Withhold(func(f bundle.File) bool { return m.out[f.Path] })
	m.out = map[string]bool{}
}

// hide hides a text in all files.
func (m *reviewer) hide(ctx context.Context, word string) error {
	if word = strings.TrimSpace(word); word == "" {
		return nil
	}
	m.takeOut() // names may change: what is out stays out
	w, h := m.screen.Size()
	lines := m.draw(w, h)
	lines[len(lines)-2] = tui.Line{Text: " hiding it in all files…"}
	if err := m.screen.Draw(lines); err != nil {
		return err
	}
	done, err := m.run.Hide(ctx, []string{word})
	var usage *bundler.UsageError
	switch {
	case asUsage(err, &usage):
		m.notice = usage.Error()
		return nil
	case err != nil:
		return err
	}
	m.notice = fmt.Sprintf("hidden: %d files were changed", len(done.Files))
	if n := len(done.Omitted); n > 0 {
		m.notice += fmt.Sprintf(", %d could not be and are out", n)
	}
	m.found, m.sought = nil, ""
	return nil
}

// find looks for a text in all files as they would leave.
func (m *reviewer) find(ctx context.Context, text string) error {
	m.found, m.sought, m.list = nil, "", tui.List{}
	if text == "" {
		return nil
	}
	found := map[string]bool{}
	for _, f := range m.run.Files() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, err := m.run.Sanitized(f.Path)
		if err != nil {
			return err
		}
		t, err := readText(c)
		if err != nil {
			m.notice = err.Error()
			continue
		}
		if t.next(-1, text) >= 0 {
			found[f.Path] = true
		}
		t.Close()
	}
	m.found, m.sought = found, text
	m.notice = fmt.Sprintf("%d files hold %q; escape shows all again", len(found), text)
	return nil
}

func (m *reviewer) draw(width, height int) []tui.Line {
	files := m.files()
	m.list.Clamp(len(files), height-reviewFrame)
	title := "What would leave, sanitized"
	if m.filter != "" {
		title = fmt.Sprintf("Names with %q", m.filter)
	}
	if m.sought != "" {
		title = fmt.Sprintf("Files that hold %q", m.sought)
	}
	lines := []tui.Line{{Text: fmt.Sprintf(" %9s  %s", "SIZE", title), Invert: true}}
	for i := m.list.Top; i < len(files) && len(lines) <= height-reviewFrame; i++ {
		f := files[i]
		mark, note := "   ", ""
		if m.out[f.Path] {
			mark = "out"
		}
		if f.Truncated {
			note = "  (" + f.Reason + ")"
		}
		// The end of a path says more than its beginning.
		path := []rune(f.Path)
		if room := max(width-16-len([]rune(note)), 20); len(path) > room {
			path = append([]rune("…"), path[len(path)-room+1:]...)
		}
		lines = append(lines, tui.Line{Text: fmt.Sprintf(" %9s %s %s%s", cmdline.Size(f.Size), mark, string(path), note), Invert: i == m.list.Cursor, Dim: m.out[f.Path]})
	}
	for len(lines) <= height-reviewFrame {
		lines = append(lines, tui.Line{})
	}
	var total int64
	n := 0
	for _, f := range m.run.Files() {
		if !m.out[f.Path] {
			total, n = total+f.Size, n+1
		}
	}
	foot := fmt.Sprintf(" %d files, %s; %d are out, %d things are missing", n, cmdline.Size(total), len(m.out), len(notable(m.run.Missing())))
	note := tui.Line{Text: " " + m.notice}
	if m.input != nil {
		note = m.input.Line()
	}
	return append(lines, tui.Line{Text: foot}, note, tui.Line{Text: " enter look  space out/in  / names  f find  w hide a word  s seal  q give up", Invert: true})
}

// text is a file whose lines can be shown.
type text struct {
	bundle.Content
	starts []int64 // offsets of the lines
	note   string  // why not all of it is here
}

const (
	maxShownLines = 4 << 20
	maxUnpacked   = 64 << 20
)

// readText finds the lines. Compressed files are unpacked, up to a bound.
func readText(c bundle.Content) (*text, error) {
	t := &text{Content: c}
	if err := t.unpack(); err != nil {
		c.Close()
		return nil, err
	}
	buf := make([]byte, 256<<10)
	at, fresh := int64(0), true
	for at < t.Size() {
		n, err := t.ReadAt(buf, at)
		for i := 0; i < n; {
			if fresh {
				if len(t.starts) == maxShownLines {
					t.note = fmt.Sprintf("the first %d lines", maxShownLines)
					return t, nil
				}
				t.starts, fresh = append(t.starts, at+int64(i)), false
			}
			j := bytes.IndexByte(buf[i:n], '\n')
			if j < 0 {
				break
			}
			i, fresh = i+j+1, true
		}
		at += int64(n)
		if err != nil && err != io.EOF || n == 0 {
			break
		}
	}
	return t, nil
}
