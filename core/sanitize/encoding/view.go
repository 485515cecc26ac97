package encoding

import (
	"bytes"
	"sort"
)

// A View is text without what a terminal swallows: escape sequences, control
// characters, invisible characters, and what a backspace erases. Offsets in
// Text lead back to the original. The zero value is ready; a View can be built
// again and then does not allocate.
type View struct {
	// Text is what would be seen.
	Text []byte
	at   []anchor
}

// anchor: from offset view on, Text and original run in parallel.
type anchor struct{ view, orig int }

// Invisible reports quickly whether text may hold anything that a [View] drops,
// besides colours that are written out (#033[31m). It looks at bytes only: true may
// be a false alarm, false never is.
func Invisible(text []byte) bool {
	for i, c := range text {
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\t' {
			continue
		}
		switch {
		case c < 0x20 && c != '\r', c == 0x7f:
			return true
		case c >= 0xc2:
			if invisible(text[i:]) > 0 {
				return true
			}
		}
	}
	return false
}

// Build makes the view of text. It reports whether anything was dropped; if
// not, Text holds a copy all the same.
func (v *View) Build(text []byte) bool {
	v.Text, v.at = v.Text[:0], v.at[:0]
	v.at = append(v.at, anchor{0, 0})
	for i := 0; i < len(text); {
		n := hidden(text[i:])
		if n == 0 {
			v.Text = append(v.Text, text[i])
			i++
			continue
		}
		if text[i] == '\b' && len(v.Text) > 0 && v.Text[len(v.Text)-1] != '\n' {
			v.erase()
		}
		i += n
		v.anchor(i)
	}
	return len(v.at) > 1 || len(v.Text) != len(text)
}

// anchor notes that the original goes on at orig.
func (v *View) anchor(orig int) {
	a := anchor{len(v.Text), orig}
	for len(v.at) > 1 && v.at[len(v.at)-1].view >= a.view {
		v.at = v.at[:len(v.at)-1]
	}
	if len(v.at) == 1 && v.at[0].view >= a.view {
		v.at[0] = a
		return
	}
	v.at = append(v.at, a)
}

// erase takes back one character, as a backspace does.
func (v *View) erase() {
	n := len(v.Text) - 1
	for n > 0 && v.Text[n]&0xc0 == 0x80 {
		n--
	}
	v.Text = v.Text[:n]
}

// Span returns the part of the original that shows as Text[start:end]: from
// its first visible byte to its last, with all that is invisible in between.
func (v *View) Span(start, end int) (from, to int) {
	from = v.original(start)
	if end <= start {
		return from, from
	}
	return from, v.original(end-1) + 1
}

func (v *View) original(i int) int {
	k := sort.Search(len(v.at), func(k int) bool { return v.at[k].view > i }) - 1
	if k < 0 {
		k = 0
	}
	return v.at[k].orig + i - v.at[k].view
}

// hidden returns the length of the invisible sequence at the front of b, or 0.
func hidden(b []byte) int {
	c := b[0]
	switch {
	case c == 0x1b:
		return escapeLength(b)
	case c == '\n' || c == '\t' || c == '\r':
		return 0
	case c < 0x20 || c == 0x7f:
		return 1
	case c >= 0xc2:
		return invisible(b)
	case c == '#' || c == '\\' || c == '^':
		return writtenOut(b)
	}
	return 0
}

// writtenOut measures a colour at the front of b whose escape character is written
// out, as loggers and editors do: #033[31m, \x1b[0m, \u001b[1;32m, ^[[m.
func writtenOut(b []byte) int {
	for _, t := range [...]string{"#033[", "^[[", `\033[`, `\x1b[`, `\x1B[`, `\u001b[`, `\u001B[`, `\e[`, `\E[`} {
		if len(b) <= len(t) || string(b[:len(t)]) != t {
			continue
		}
		n := len(t)
		for n < len(b) && n < len(t)+16 && (b[n] >= '0' && b[n] <= '9' || b[n] == ';') {
			n++
		}
		if n < len(b) && (b[n] == 'm' || b[n] == 'K') {
			return n + 1
		}
	}
	return 0
}

// maxEscape bounds a sequence: what is longer is no escape but text.
const maxEscape = 256

// escapeLength measures a sequence of ECMA-48 at the front of b, which starts
// with ESC.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 1
	}
	limit := min(len(b), maxEscape)
	switch b[1] {
	case '[': // CSI: parameters, intermediates, one final
		for i := 2; i < limit; i++ {
			switch c := b[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1
			case c < 0x20 || c > 0x3f:
				return i
			}
		}
		return 2
	case ']', 'P', 'X', '^', '_': // strings, up to BEL or ST
		for i := 2; i < limit; i++ {
			if b[i] == 0x07 {
				return i + 1
			}
			if b[i] == 0x1b && i+1 < limit && b[i+1] == '\\' {
				return i + 2
			}
			if b[i] == '\n' {
				break
			}
		}
		return 2
	}
	for i := 1; i < min(limit, 4); i++ {
		switch c := b[i]; {
		case c >= 0x20 && c <= 0x2f:
			continue
		case c >= 0x30 && c <= 0x7e:
			return i + 1
		}
		break
	}
	return 1
}

// invisibles are characters without width that copy and paste carries along:
// soft hyphen, zero-width characters, joiners, directional marks, the byte
// order mark, variation selectors.
var invisibles = [...][]byte{
	[]byte("\u00ad"), []byte("\u034f"), []byte("\u061c"), []byte("\u180e"),
	[]byte("\u200b"), []byte("\u200c"), []byte("\u200d"), []byte("\u200e"), []byte("\u200f"),
	[]byte("\u202a"), []byte("\u202b"), []byte("\u202c"), []byte("\u202d"), []byte("\u202e"),
	[]byte("\u2060"), []byte("\u2061"), []byte("\u2062"), []byte("\u2063"), []byte("\u2064"),
	[]byte("\u2066"), []byte("\u2067"), []byte("\u2068"), []byte("\u2069"),
	[]byte("\ufeff"), []byte("\ufe0e"), []byte("\ufe0f"),
}

func invisible(b []byte) int {
	switch b[0] {
	case 0xc2, 0xcd, 0xd8, 0xe1, 0xe2, 0xef:
		for _, s := range invisibles {
			if bytes.HasPrefix(b, s) {
				return len(s)
			}
		}
	}
	return 0
}
