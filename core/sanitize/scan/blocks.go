package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// blockLabel deals with a name that labels a block of HCL, and is true for it:
//
//	variable "db_password" {
//	  default = "x"
//	}
//
// The other labels of a block are names too; only a variable's default is its
// value.
func (s *Scanner) blockLabel(ks, next int) bool {
	buf := s.buf
	p := s.ls
	for p < s.le && (isSpace(buf[p]) || buf[p] == '+' || buf[p] == '-' || buf[p] == '~' || buf[p] == '/' || buf[p] == '<' || buf[p] == '=') {
		p++ // what a plan is going to do with it
	}
	e := p
	for e < ks && isLetter(buf[e]) {
		e++
	}
	if e == p || e >= ks || !isSpace(buf[e]) {
		return false
	}
	switch string(buf[p:e]) {
	case "resource", "data", "module", "provider", "output", "ephemeral":
		return true
	case "variable":
	default:
		return false
	}
	if next >= s.le || buf[next] != '{' {
		return true
	}
	class, kind := s.classify(s.labelAt(ks))
	if class != keyname.Strong {
		return true
	}
	if i := bytes.Index(buf[next:s.le], []byte("default")); i > 0 && buf[s.le-1] == '}' {
		// all on one line
		if v := nonSpace(buf, next+i+len("default"), s.le); v < s.le && buf[v] == '=' {
			s.value(v+1, want{class: class, kind: kind, rule: "key-value"})
		}
		return true
	}
	le := s.le
	defer func() { s.le = le }()
	for from := s.le + 1; from < min(s.hi, le+2000); from = s.le + 1 {
		i := bytes.IndexByte(buf[from:s.hi], '\n')
		if i < 0 {
			break
		}
		s.le = from + i
		v := nonSpace(buf, from, s.le)
		if v == from && v < s.le && buf[v] == '}' {
			break
		}
		if v+7 < s.le && string(buf[v:v+7]) == "default" {
			if q := nonSpace(buf, v+7, s.le); q < s.le && buf[q] == '=' {
				s.value(q+1, want{class: class, kind: kind, rule: "name-value", code: true})
				break
			}
		}
	}
	return true
}

// labelAt is the string that begins at ks.
func (s *Scanner) labelAt(ks int) []byte {
	e := ks
	for e < s.le && isKeyChar(s.buf[e]) {
		e++
	}
	return s.buf[ks:e]
}

// below is true for a key of JSON whose name says little, but that of the object
// around it says the rest: "Jwt": {"Key": "x"}.
func (s *Scanner) below(ks, ke int) bool {
	buf := s.buf
	if ks == s.ls || buf[ks-1] != '"' || ke >= s.le || buf[ke] != '"' || !foldIs(buf[ks:ke], "key") && !foldIs(buf[ks:ke], "keys") && !foldIs(buf[ks:ke], "code") && !foldIs(buf[ks:ke], "signature") {
		return false
	}
	depth := 0
	i := ks - 2
	for from := max(s.lo, ks-400); i >= from; i-- {
		if c := buf[i]; c == '}' {
			depth++
		} else if c == '{' {
			if depth--; depth < 0 {
				break
			}
		}
	}
	if depth >= 0 {
		return false
	}
	for i--; i > s.lo && (isBlank(buf[i]) || buf[i] == ':'); i-- {
	}
	if i <= s.lo || buf[i] != '"' {
		return false
	}
	e := i
	for i > s.lo && isKeyChar(buf[i-1]) {
		i--
	}
	name := buf[i:e]
	if len(name) < 2 || len(name) > 40 {
		return false
	}
	if foldIs(buf[ks:ke], "keys") {
		return containsFold(name, "session") || containsFold(name, "cookie") // those that sign them
	}
	var both [64]byte
	n := copy(both[:], name)
	both[n] = '_'
	n += 1 + copy(both[n+1:], buf[ks:ke])
	class, _ := s.classify(both[:n])
	return class == keyname.Strong
}
