package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Lists of secrets that go on over lines: "passwords": [, and each in quotes on
// a line of its own, as JSON, TOML and programs write them.

// maxArrayLines bounds a list.
const maxArrayLines = 400

// arrayOpens takes the bracket at p as the beginning of such a list, if nothing
// but a comment stands behind it.
func (s *Scanner) arrayOpens(p int, w want) bool {
	if p >= s.le || s.buf[p] != '[' && s.buf[p] != '(' || w.class != keyname.Strong || s.State.open() || s.cut {
		return false
	}
	n := nonSpace(s.buf, p+1, s.le)
	if n < s.le && s.buf[n] != '#' && !bytes.HasPrefix(s.buf[n:s.le], []byte("//")) {
		return false
	}
	s.enter(InArray, w.kind, 0, maxArrayLines, 0)
	return true
}

// arrayGoesOn does so for a list that has begun on this line and has been read
// up to p.
func (s *Scanner) arrayGoesOn(p int, w want) {
	if p >= s.le && s.buf[s.le-1] == ',' && w.class == keyname.Strong && !s.State.open() && !s.cut {
		s.enter(InArray, w.kind, 0, maxArrayLines, 0)
	}
}

// arrayLine hides the strings on a line of the list. What is no list of strings
// is left to the other rules: false.
func (s *Scanner) arrayLine(body []byte) bool {
	st := &s.State
	if len(body) == 0 || body[0] == '#' || bytes.HasPrefix(body, []byte("//")) {
		return true
	}
	if st.Left--; st.Left < 0 || body[0] == ']' || body[0] == ')' || body[0] == '}' {
		s.leave()
		return false
	}
	w := want{class: keyname.Strong, kind: st.Kind, rule: "list"}
	for p := s.le - len(body); ; {
		from, to, next := s.item(p)
		if next < 0 || next < s.le && (s.buf[next] == ':' || s.buf[next] == '=') {
			s.leave() // no string, or the name of something
			return false
		}
		if v := s.buf[from:to]; w.kind != keyname.Secret || !lowerName(v) {
			s.judge(from, to, w, from > p)
		}
		if next >= s.le && from > p {
			return true // strings of Python join without a comma
		}
		if next >= s.le || s.buf[next] != ',' {
			s.leave()
			return next >= s.le
		}
		if p = nonSpace(s.buf, next+1, s.le); p >= s.le || s.buf[p] == '#' {
			return true
		}
	}
}

// item finds the string at p, and where something else follows; -1 if there is
// no string. YAML has some without quotes.
func (s *Scanner) item(p int) (from, to, next int) {
	buf := s.buf
	if n := quoteAt(buf, p, s.le); n > 0 {
		from = p + n
		to, next = closeQuote(buf, from, s.le, buf[p:from])
		if to < 0 {
			return 0, 0, -1
		}
		return from, to, nonSpace(buf, next, s.le)
	}
	to = p
	for to < s.le && !isSpace(buf[to]) && bytes.IndexByte([]byte(",]:={}()[<>;"), buf[to]) < 0 {
		to++
	}
	if s.source || to == p {
		return 0, 0, -1
	}
	if next = nonSpace(buf, to, s.le); next < s.le && buf[next] != ',' && buf[next] != ']' && buf[next] != '#' {
		return 0, 0, -1
	}
	return p, to, next
}
