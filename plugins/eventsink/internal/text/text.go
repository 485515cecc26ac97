// Package text makes what an event says fit for a line: no character ends it, no
// character moves a cursor, and none hides which way the text runs.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line replaces what is not to be printed within a line by a space, and cuts the
// text after at most most bytes, between two characters.
func Line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsGraphic(r) && !unicode.Is(unicode.Zl, r) && !unicode.Is(unicode.Zp, r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return Cut(s, most)
}

// Cut cuts a text of valid UTF-8 between two characters.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
