package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// sensitive hides the value beside "sensitive": true, which Terraform writes in
// its outputs whatever they are called. pos is at the name.
func (s *Scanner) sensitive(pos, p int) {
	buf := s.buf
	if p >= s.le || buf[p] != ':' {
		return
	}
	if p = nonSpace(buf, p+1, s.le); p+4 > s.le || string(buf[p:p+4]) != "true" {
		return
	}
	from, depth := pos, 0
	for lo := max(s.lo, pos-2000); ; from-- {
		if from <= lo {
			return
		}
		if c := buf[from-1]; c == '}' || c == ']' {
			depth++
		} else if c == '{' || c == '[' {
			if depth--; depth < 0 {
				break
			}
		}
	}
	// Names and values of this object, not of those in it.
	depth = 0
	end := min(s.hi, pos+2000)
	for i := from; i < end; i++ {
		switch c := buf[i]; c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return
			}
		case '"':
			e := stringEnd(buf, i, end)
			if e < 0 {
				return
			}
			v := e + 1
			for v < end && (isBlank(buf[v]) || buf[v] == ':') {
				v++
			}
			if depth == 0 && string(buf[i+1:e]) == "value" && v < end {
				s.strings(v, end)
				return
			}
			i = e
		}
	}
}

// strings hides the strings of the JSON value at p that are no names.
func (s *Scanner) strings(p, end int) {
	buf := s.buf
	w := want{class: keyname.Strong, kind: keyname.Secret, rule: "sensitive"}
	depth := 0
	for i := p; i < end; i++ {
		switch c := buf[i]; {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == '"':
			e := stringEnd(buf, i, end)
			if e < 0 {
				return
			}
			v := e + 1
			for v < end && isBlank(buf[v]) {
				v++
			}
			if v >= end || buf[v] != ':' {
				s.judge(i+1, e, w, true)
			}
			i = e
		}
		if depth <= 0 {
			return
		}
	}
}

// templated hides the string at the head of an expression of Jinja, which goes
// through a filter: {{ 'x' | password_hash('sha512') }}. v is the expression.
func (s *Scanner) templated(vs, ve int, w want) bool {
	q := nonSpace(s.buf, vs+2, ve)
	if q >= ve || s.buf[q] != '\'' && s.buf[q] != '"' {
		return false
	}
	e := bytes.IndexByte(s.buf[q+1:ve], s.buf[q])
	if e < 1 {
		return false
	}
	if n := nonSpace(s.buf, q+e+2, ve); n >= ve || s.buf[n] != '|' {
		return false
	}
	s.judge(q+1, q+1+e, w, true)
	return true
}
