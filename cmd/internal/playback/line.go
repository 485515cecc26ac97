package playback

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/record"
)

// Line is a note for people.
func Line(n record.Note) string {
	var s string
	switch n.Kind {
	case record.Shell:
		s = "shell"
		if n.Command != "" {
			s += " " + Printable(n.Command)
		}
	case record.Command:
		s = "ran " + Printable(n.Command)
	case record.Exit:
		s = fmt.Sprintf("ended with status %d", n.Status)
		if n.Signal != "" {
			s = "ended by signal " + Printable(n.Signal)
		}
	case record.File:
		s = fmt.Sprintf("%s %s (%s", n.Direction, Printable(n.Path), cmdline.Size(n.Size))
		if n.SHA256 != "" {
			s += ", sha256 " + Printable(n.SHA256)
		}
		s += ")"
	case record.Forward:
		s = "forward to " + Printable(n.Address)
	case record.Refused:
		s = "refused"
		for _, what := range []string{n.Command, n.Path, n.Address} {
			if what != "" {
				s += " " + Printable(what)
			}
		}
	case record.Closed:
		s = "closed"
	default:
		s = Printable(string(n.Kind))
	}
	if n.Text != "" {
		s += ": " + Printable(n.Text)
	}
	return s
}

// Printable makes what came from an engineer or a relay harmless on a
// terminal.
func Printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, "\\x%02x", s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
