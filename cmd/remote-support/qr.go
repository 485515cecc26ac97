package main

import (
	"os"
	"strings"

	"golang.org/x/term"
	"rsc.io/qr"

	"github.com/latchstring/latchstring/core/control"
)

// roomOf tells how large a terminal is; nil for what is none, or shows no more
// than ASCII.
func roomOf(f *os.File) func() (columns, rows int) {
	utf8 := false
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToUpper(v)
			utf8 = strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
			break
		}
	}
	if !utf8 || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func() (int, int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
}

// code is the QR code of what somebody takes to another device: a page, or what
// is good for a time only. It is empty where there is no room.
func (t *terminal) code(n control.Notice) string {
	text := n.URL
	if text == "" && !n.Expires.IsZero() {
		text = n.Value
	}
	if t.room == nil || text == "" {
		return ""
	}
	columns, rows := t.room()
	return drawQR(text, columns, rows)
}

// quiet is the margin that readers want, in modules. Four are the standard; two
// do on a screen, and leave room.
const quiet = 2

// drawQR draws a QR code with half blocks, two modules a character, light on
// dark: it says of each module which it is, so that the colours of the
// terminal do not matter. A code that does not fit is none.
func drawQR(text string, columns, rows int) string {
	c, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	size := c.Size + 2*quiet
	if size > columns || (size+1)/2+4 > rows {
		return ""
	}
	light := func(x, y int) bool { return !c.Black(x-quiet, y-quiet) && y < size }
	var b strings.Builder
	for y := 0; y < size; y += 2 {
		b.WriteString("\x1b[97;40m") // white on black, whatever the terminal's own colours
		for x := range size {
			switch up, down := light(x, y), light(x, y+1); {
			case up && down:
				b.WriteString("█")
			case up:
				b.WriteString("▀")
			case down:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
