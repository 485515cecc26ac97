// Package tui is a full-screen terminal and nothing more: lines out, keys in.
//
//	t, err := tui.Open(os.Stdin, os.Stderr)
//	defer t.Close() // the terminal is as it was, whatever happened
//	t.Draw(lines)
//	key, err := t.Key(ctx)
//
// What is drawn is cut to the screen and cannot steer the terminal: control
// characters are shown as question marks. No goroutine reads behind the
// caller's back, so that a question asked after Close gets its answer.
package tui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// ErrNoTerminal is returned where there is no terminal that can be drawn on.
var ErrNoTerminal = errors.New("no terminal to draw on")

// Line is one line of the screen.
type Line struct {
	Text   string
	Invert bool // the line of the cursor, headings
	Dim    bool
}

// Screen is what can be drawn on. [*Terminal] is one; tests bring their own.
type Screen interface {
	Size() (width, height int)
	Draw([]Line) error
	Key(context.Context) (Key, error)
}

// Terminal is a terminal in raw mode, on its second screen.
type Terminal struct {
	in, out *os.File
	state   *term.State
	pending []byte
	width   int
	height  int
}

// Usable tells whether Open would work.
func Usable(in, out *os.File) bool {
	if t := os.Getenv("TERM"); t == "dumb" || t == "" {
		return false
	}
	return term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

const (
	enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J" // second screen, no cursor, no wrapping
	leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// Open takes the terminal over.
func Open(in, out *os.File) (*Terminal, error) {
	if !Usable(in, out) {
		return nil, ErrNoTerminal
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("set the terminal up: %w", err)
	}
	t := &Terminal{in: in, out: out, state: state}
	if _, err := io.WriteString(out, enter); err != nil {
		t.Close()
		return nil, fmt.Errorf("set the terminal up: %w", err)
	}
	t.Size()
	return t, nil
}

// Close gives the terminal back.
func (t *Terminal) Close() error {
	_, err := io.WriteString(t.out, leave)
	return errors.Join(err, term.Restore(int(t.in.Fd()), t.state))
}

// Size is that of the screen, at least 20 by 4.
func (t *Terminal) Size() (width, height int) {
	width, height, err := term.GetSize(int(t.out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	t.width, t.height = max(width, 20), max(height, 4)
	return t.width, t.height
}

// Draw shows the lines from the top of the screen.
func (t *Terminal) Draw(lines []Line) error {
	w := bufio.NewWriterSize(t.out, 32<<10)
	width, height := t.Size()
	io.WriteString(w, "\x1b[H")
	for i := range height {
		var l Line
		if i < len(lines) {
			l = lines[i]
		}
		text := Cut(l.Text, width)
		switch {
		case l.Invert:
			fmt.Fprintf(w, "\x1b[7m%-*s\x1b[0m", width, text)
		case l.Dim:
			fmt.Fprintf(w, "\x1b[2m%s\x1b[0m", text)
		default:
			io.WriteString(w, text)
		}
		io.WriteString(w, "\x1b[K")
		if i < height-1 {
			io.WriteString(w, "\r\n")
		}
	}
	return w.Flush()
}

// Cut makes a text printable and at most width characters long.
func Cut(s string, width int) string {
	if len(s) > 8*width {
		s = s[:8*width]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffd || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	r := []rune(s)
	if len(r) > width {
		return string(r[:max(width-1, 0)]) + "…"
	}
	return s
}

// poll is how long Key looks away from the context and the window's size.
const poll = 100 // ms

// Key waits for a key. A window of another size is the key [Resized].
func (t *Terminal) Key(ctx context.Context) (Key, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Key{}, context.Cause(ctx)
		}
		if k, n := decode(t.pending, false); n > 0 {
			t.pending = t.pending[n:]
			return k, nil
		}
		ready, err := t.wait(poll)
		if err != nil {
			return Key{}, err
		}
		if !ready {
			if k, n := decode(t.pending, true); n > 0 {
				t.pending = t.pending[n:]
				return k, nil
			}
			w, h := t.width, t.height
			if nw, nh := t.Size(); nw != w || nh != h {
				return Key{Name: Resized}, nil
			}
			continue
		}
		buf := make([]byte, 256)
		n, err := t.in.Read(buf)
		if err != nil {
			return Key{}, fmt.Errorf("read the keyboard: %w", err)
		}
		if n == 0 {
			return Key{}, io.EOF
		}
		t.pending = append(t.pending, buf[:n]...)
	}
}

func (t *Terminal) wait(ms int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(t.in.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, ms)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}
