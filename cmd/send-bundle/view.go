package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/latchstring/latchstring/cmd/send-bundle/tui"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

func asUsage(err error, u **bundler.UsageError) bool { return errors.As(err, u) }

// unpacked is what was in a compressed file.
type unpacked struct {
	*bytes.Reader
	from bundle.Content
}

func (u unpacked) Close() error { return u.from.Close() }

// unpack replaces a compressed content by what is in it.
func (t *text) unpack() error {
	head := make([]byte, 4)
	if n, _ := t.ReadAt(head, 0); n < 4 {
		return nil
	}
	var r io.Reader
	var err error
	src := io.NewSectionReader(t.Content, 0, t.Size())
	switch {
	case head[0] == 0x1f && head[1] == 0x8b:
		r, err = gzip.NewReader(src)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20)); err == nil {
			defer z.Close()
			r = z
		}
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if len(data) > maxUnpacked {
		data, t.note = data[:maxUnpacked], fmt.Sprintf("the first %d MB of what is packed in it", maxUnpacked>>20)
	}
	if err != nil && len(data) == 0 {
		return fmt.Errorf("unpack: %w", err)
	}
	t.Content = unpacked{bytes.NewReader(data), t.Content}
	return nil
}

// line reads a line, its first bytes if it is long.
func (t *text) line(i int, most int64) []byte {
	if t == nil || i < 0 || i >= len(t.starts) {
		return nil
	}
	end := t.Size()
	if i+1 < len(t.starts) {
		end = t.starts[i+1]
	}
	buf := make([]byte, min(end-t.starts[i], most))
	n, _ := t.ReadAt(buf, t.starts[i])
	return bytes.TrimRight(buf[:n], "\r\n")
}

// longLine is how much of a line is shown, searched and compared.
const longLine = 1 << 20

// next finds the next line after i that holds a text, in any case; -1: none.
func (t *text) next(i int, text string) int {
	want := bytes.ToLower([]byte(text))
	for j := i + 1; j < len(t.starts); j++ {
		if bytes.Contains(bytes.ToLower(t.line(j, longLine)), want) {
			return j
		}
	}
	return -1
}

// viewer shows a file, sanitized beside raw.
type viewer struct {
	name      string
	raw, san  *text
	why       string // why there is no raw side
	split     bool
	top, left int
	search    string
	input     *tui.Input
	notice    string
}

// view shows a file until the user has seen it.
func (m *reviewer) view(ctx context.Context, f bundle.File) error {
	c, err := m.run.Sanitized(f.Path)
	if err != nil {
		return err
	}
	v := &viewer{name: f.Path, split: true}
	if v.san, err = readText(c); err != nil {
		m.notice = err.Error()
		return nil
	}
	defer v.san.Close()
	if c, err = m.run.Raw(f.Path); err == nil {
		v.raw, err = readText(c)
	}
	if err != nil {
		v.why, v.split = err.Error(), false
	} else {
		defer v.raw.Close()
	}
	for {
		w, h := m.screen.Size()
		if err := m.screen.Draw(v.draw(w, h)); err != nil {
			return err
		}
		k, err := m.screen.Key(ctx)
		if err != nil {
			return err
		}
		if v.press(k, h) {
			return nil
		}
	}
}

const viewFrame = 3

func (v *viewer) lines() int {
	n := len(v.san.starts)
	if v.raw != nil {
		n = max(n, len(v.raw.starts))
	}
	return n
}

func (v *viewer) press(k tui.Key, height int) (done bool) {
	v.notice = ""
	if v.input != nil {
		if done, ok := v.input.Type(k); done {
			if ok {
				v.search = string(v.input.Text)
				v.jump(v.find(v.search, v.top-1), height, "it is not below")
			}
			v.input = nil
		}
		return false
	}
	page := height - viewFrame
	switch {
	case k.Is('q'), k.Name == tui.Escape, k.Name == tui.Interrupt, k.Name == tui.Backspace:
		return true
	case k.Name == tui.Up || k.Is('k'):
		v.top--
	case k.Name == tui.Down || k.Is('j') || k.Name == tui.Enter:
		v.top++
	case k.Name == tui.PageUp:
		v.top -= page
	case k.Name == tui.PageDown || k.Is(' '):
		v.top += page
	case k.Name == tui.Home || k.Is('g'):
		v.top, v.left = 0, 0
	case k.Name == tui.End || k.Is('G'):
		v.top = v.lines()
	case k.Name == tui.Left:
		v.left = max(0, v.left-10)
	case k.Name == tui.Right:
		v.left += 10
	case k.Name == tui.Tab:
		if v.split = !v.split && v.raw != nil; v.raw == nil {
			v.notice = v.why
		}
	case k.Is('d'):
		v.jump(v.difference(v.top), height, "no difference below")
	case k.Is('/'):
		v.input = &tui.Input{Prompt: " find: "}
	case k.Is('n') && v.search != "":
		v.jump(v.find(v.search, v.top), height, "it is not below")
	}
	v.top = max(0, min(v.top, v.lines()-page))
	return false
}

func (v *viewer) find(s string, from int) int {
	i := v.san.next(from, s)
	if v.split && v.raw != nil {
		if j := v.raw.next(from, s); i < 0 || j >= 0 && j < i {
			i = j
		}
	}
	return i
}

// difference is the next line after i that was changed.
func (v *viewer) difference(i int) int {
	if v.raw == nil {
		return -1
	}
	for j := i + 1; j < v.lines(); j++ {
		if !bytes.Equal(v.raw.line(j, longLine), v.san.line(j, longLine)) {
			return j
		}
	}
	return -1
}

func (v *viewer) jump(to, _ int, none string) {
	if to < 0 {
		v.notice = none
		return
	}
	v.top = to
}

func (v *viewer) draw(width, height int) []tui.Line {
	page := height - viewFrame
	out := []tui.Line{{Text: " " + v.name, Invert: true}}
	half := (width - 3) / 2
	for i := v.top; i < v.top+page; i++ {
		if i >= v.lines() {
			out = append(out, tui.Line{})
			continue
		}
		san := v.san.line(i, longLine)
		if !v.split {
			out = append(out, tui.Line{Text: part(san, v.left, width)})
			continue
		}
		raw := v.raw.line(i, longLine)
		mark := " | "
		if !bytes.Equal(raw, san) {
			mark = "*|*"
		}
		out = append(out, tui.Line{Text: fmt.Sprintf("%-*s%s%s", half, part(raw, v.left, half), mark, part(san, v.left, half))})
	}
	note := tui.Line{Text: fmt.Sprintf(" line %d of %d", min(v.top+1, v.lines()), v.lines())}
	switch {
	case v.input != nil:
		note = v.input.Line()
	case v.notice != "":
		note.Text += ": " + v.notice
	case v.split:
		note.Text += "; left: raw, stays here. right: would leave. * changed"
	case v.san.note != "":
		note.Text += ": " + v.san.note
	}
	return append(out, note, tui.Line{Text: " arrows move  tab side by side  d next change  / find  n next  q back", Invert: true})
}

// part cuts a column out of a line.
func part(line []byte, left, width int) string {
	// At most four bytes a character, and a cut in the middle is shown as ?.
	line = line[:min(len(line), (left+width+2)*4)]
	r := []rune(strings.ToValidUTF8(strings.ReplaceAll(string(line), "\t", "    "), "?"))
	if left >= len(r) {
		return ""
	}
	return tui.Cut(string(r[left:]), width)
}
