package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// cryptHash hides a password hash that begins at pos.
func (s *Scanner) cryptHash(pos int) {
	buf := s.buf
	e := pos
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '$' || buf[e] == '.' || buf[e] == '/' || buf[e] == '+' || buf[e] == '=' || buf[e] == '{' || buf[e] == '}' || buf[e] == '_' || buf[e] == '-' || buf[e] == '*' || buf[e] == ',' && e+1 < s.le && !isSpace(buf[e+1])) {
		e++
	}
	if buf[pos] != '$' {
		for e < s.le && (buf[e] == ':' && e+1 < s.le && isAlnum(buf[e+1])) {
			for e++; e < s.le && (isAlnum(buf[e]) || buf[e] == '$' || buf[e] == '/' || buf[e] == '+' || buf[e] == '='); e++ {
			}
		}
	}
	if e-pos < 16 {
		return
	}
	if buf[pos] == '{' {
		if c := bytes.IndexByte(buf[pos:e], '}'); c < 0 || e-pos-c < 8 {
			return
		}
	}
	s.hide(pos, e, keyname.Kind("hash"), "password-hash")
}

// identified hides the literal of SQL's IDENTIFIED BY.
func (s *Scanner) identified(pos int) {
	buf := s.buf
	end := min(s.le, pos+120)
	for i := pos + 10; i < end; i++ {
		if (buf[i] == 'B' || buf[i] == 'b' || buf[i] == 'A' || buf[i] == 'a') && isSpace(buf[i-1]) && i+3 < end && (buf[i+1]|0x20 == 'y' || buf[i+1]|0x20 == 's') && (isSpace(buf[i+2]) || buf[i+2] == '\'') {
			p := nonSpace(buf, i+2, s.le)
			if containsFold(buf[p:min(s.le, p+9)], "password") {
				p = nonSpace(buf, p+8, s.le)
			}
			w := want{class: keyname.Strong, kind: keyname.Password, rule: "sql"}
			s.value(p, w)
			s.keyEnd = max(s.keyEnd, p)
			return
		}
	}
}

// shapes looks at the line as a whole: tokens by their shape, and lines that
// hold nothing but a secret.
func (s *Scanner) shapes() {
	if s.Tokens != nil {
		s.Tokens(s.buf, s.ls, s.le, s.emit)
	}
}
