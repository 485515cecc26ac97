package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// quoteAt returns the length of the opening quote at p: 1 for " ' ` and 2 and
// more for escaped ones (\", &quot;, “), 0 for none.
func quoteAt(buf []byte, p, end int) int {
	if p >= end {
		return 0
	}
	switch buf[p] {
	case '"', '\'', '`':
		return 1
	case '\\':
		n := 0
		for p+n < end && buf[p+n] == '\\' && n < 16 {
			n++
		}
		if p+n < end && (buf[p+n] == '"' || buf[p+n] == '\'') {
			return n + 1
		}
		if p+6 <= end && n == 1 && string(buf[p:p+6]) == `\u0022` {
			return 6
		}
	case '&':
		for _, e := range entities {
			if p+len(e) <= end && string(buf[p:p+len(e)]) == e {
				return len(e)
			}
		}
	case '%':
		if p+3 <= end && (string(buf[p:p+3]) == "%22" || string(buf[p:p+3]) == "%27") {
			return 3
		}
	case 0xe2:
		if p+3 <= end && buf[p+1] == 0x80 && buf[p+2] >= 0x98 && buf[p+2] <= 0x9f {
			return 3
		}
	case 0xc2:
		if p+2 <= end && (buf[p+1] == 0xab || buf[p+1] == 0xbb) {
			return 2
		}
	}
	return 0
}

var entities = []string{"&quot;", "&#34;", "&apos;", "&#39;", "&#x22;", "&#x27;", "&amp;quot;"}

// oddQuotes is true if one more string ends on the line than begins.
func oddQuotes(v []byte) bool {
	n := 0
	for _, c := range v {
		if c == '\n' {
			break
		}
		n += btoi(c == '\'')
	}
	return n%2 == 1
}

// closeQuote finds the end of a string: where its text ends, and where the
// line goes on. -1 if it does not end before end.
func closeQuote(buf []byte, from, end int, open []byte) (int, int) {
	last := open[len(open)-1]
	switch {
	case open[0] == '&' || open[0] == '%':
		if i := bytes.Index(buf[from:end], open); i >= 0 {
			return from + i, from + i + len(open)
		}
		return -1, end
	case open[0] == 0xe2 || open[0] == 0xc2:
		for i := from; i < end; i++ {
			if n := quoteAt(buf, i, end); n == len(open) && buf[i] == open[0] {
				return i, i + n
			}
		}
		return -1, end
	case len(open) == 6:
		if i := bytes.Index(buf[from:end], open); i >= 0 {
			return from + i, from + i + 6
		}
		return -1, end
	}
	level := len(open) - 1 // backslashes before the quote
	back := 0
	for i := from; i < end; i++ {
		c := buf[i]
		if c == '\\' {
			back++
			continue
		}
		if c == last {
			if level == 0 {
				if back%2 == 0 {
					if last == '\'' && i+1 < end && buf[i+1] == '\'' && i > from && i+2 < end && buf[i+2] != ',' && buf[i+2] != ')' && (buf[i+2] != ' ' || oddQuotes(buf[i+2:end])) {
						i++ // '' inside a YAML or SQL string
						back = 0
						continue
					}
					return i, i + 1
				}
			} else if back <= level {
				return i - back, i + 1
			}
		}
		back = 0
	}
	return -1, end
}

// otherQuotes hides the string at p that is quoted as Perl, Ruby or Lua may do:
// q{x}, qq(x), %q[x], [[x]]. It returns where that ends, or 0.
func (s *Scanner) otherQuotes(p int, w want) int {
	buf := s.buf
	if p+4 >= s.le || w.class != keyname.Strong {
		return 0
	}
	v := p + btoi(buf[p] == '%')
	closing := ""
	switch {
	case v == p && buf[p] == '[' && buf[p+1] == '[' && buf[p+2] != ' ':
		v, closing = p+2, "]]"
	case buf[v]|0x20 == 'q':
		v += 1 + btoi(buf[v+1]|0x20 == 'q')
		switch buf[v] {
		case '{':
			closing = "}"
		case '(':
			closing = ")"
		case '[':
			closing = "]"
		case '|', '/', '!':
			closing = string(buf[v])
		default:
			return 0
		}
		v++
	default:
		return 0
	}
	n := bytes.Index(buf[v:s.le], []byte(closing))
	if n < 1 || bytes.IndexByte(buf[v:v+n], '"') >= 0 || bytes.IndexByte(buf[v:v+n], '\'') >= 0 && closing == "]]" {
		return 0
	}
	e := v + n + len(closing)
	if r := nonSpace(buf, e, s.le); r < s.le && buf[r] != ';' && buf[r] != ',' && buf[r] != ')' && buf[r] != '}' {
		return 0
	}
	s.judge(v, v+n, w, true)
	return e
}
