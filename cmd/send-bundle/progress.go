package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
)

// progress is one line on a terminal that is written over. Elsewhere it is
// silent.
type progress struct {
	mu    sync.Mutex
	w     *os.File
	on    bool
	last  time.Time
	shown bool
	start time.Time
	rate  rate
}

func newProgress(w *os.File) *progress {
	return &progress{w: w, on: term.IsTerminal(int(w.Fd())), start: time.Now()}
}

// bundle shows what the pipeline does.
func (p *progress) bundle(s bundle.Progress) {
	switch s.Stage {
	case bundle.Planning:
		p.line(false, "looking what %s would collect", s.Collector)
	case bundle.Collecting:
		p.line(false, "%s  %s%s  %s  %s", count(s.Files, s.Planned, "files"), cmdline.Size(s.Bytes), left(s.Left), s.Collector, s.Item)
	case bundle.Packing:
		p.line(true, "packing %d files", s.Planned)
	case bundle.Verifying:
		p.line(false, "checking what was packed: %s", count(s.Files, s.Planned, "files"))
	case bundle.Sealing:
		p.line(true, "sealing")
	}
}

// sent shows how far an upload is.
func (p *progress) sent(done, total int64) {
	if total <= 0 {
		return
	}
	const width = 24
	n := int(done * width / total)
	p.line(done == total, "sending [%s%s] %s of %s%s", strings.Repeat("#", n), strings.Repeat(".", width-n), cmdline.Size(done), cmdline.Size(total), left(p.rate.left(done, total, time.Now())))
}

// left says how long it takes still, as far as anybody knows.
func left(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("  about %s left", d.Round(time.Second))
}

// rate is how fast an upload goes: what moved since it began, or went on.
type rate struct {
	first int64
	begun time.Time
}

func (r *rate) left(done, total int64, now time.Time) time.Duration {
	if r.begun.IsZero() || done < r.first {
		r.first, r.begun = done, now
	}
	took := now.Sub(r.begun)
	if moved := done - r.first; moved > 0 && took > time.Second {
		return time.Duration(float64(took) * float64(total-done) / float64(moved))
	}
	return 0
}

func count(n, of int, what string) string {
	if of <= 0 || n > of {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d of %d %s", n, of, what)
}

// line shows a line, at most ten times a second unless it matters.
func (p *progress) line(matters bool, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on || !matters && time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	width, _, err := term.GetSize(int(p.w.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	text := fmt.Sprintf("%3.0fs  %s", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
	if r := []rune(text); len(r) > width-1 {
		text = string(r[:width-2]) + "…"
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", printable(text))
}

// clear removes the line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// printable keeps what plugins and file names say from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
