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
	if !s.hasRun {
		return
	}
	if s.Tokens != nil {
		s.Tokens(s.buf, s.ls, s.le, s.emit)
	}
	s.lone()
}

// lone hides what stands alone on its line and is plainly made by chance: the
// content of a token file, a line of a key whose first line was lost, a cell of
// a table.
func (s *Scanner) lone() {
	if s.le-s.ls > 400 || s.State.Mode == InPublic {
		return
	}
	line := s.buf[s.ls:s.le]
	if hex := bytes.Index(line, []byte("0x")); hex >= 0 && len(line)-hex >= 66 {
		e := hex + 2
		for e < len(line) && isHex(line[e]) {
			e++
		}
		if e-hex == 66 && (hex == 0 || !isAlnum(line[hex-1])) && (e == len(line) || !isAlnum(line[e])) {
			s.hide(s.ls+hex, s.ls+e, keyname.APIKey, "hex-key")
			return
		}
	}
	core := pemCore(line)
	cell := len(core) > 0 && bytes.HasPrefix(bytes.TrimSpace(line), []byte("|")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte("|"))
	if cell {
		core = bytes.TrimSpace(bytes.Trim(core, "|"))
	}
	if len(core) < 16 || len(line)-len(core) > 60 || len(bytes.TrimSpace(line)) > len(core)+14 {
		return
	}
	var upper, lower, digit, other, turns int
	var prev byte
	for i, c := range core {
		k := byte(0)
		switch {
		case isDigit(c):
			digit++
			k = 1
		case c >= 'A' && c <= 'Z':
			upper++
			k = 2
		case c >= 'a' && c <= 'z':
			lower++
			k = 3
		case c == '+' || c == '/' || c == '=' && i >= len(core)-2:
			other++
		case cell && (c == '_' || c == '-' || c == '.'):
			other++
		default:
			return
		}
		if k != prev && k != 0 && prev != 0 {
			turns++
		}
		prev = k
	}
	if isToken(core) || bytes.HasPrefix(core, []byte("AAAA")) || isPath(core) {
		return
	}
	n := len(core)
	ok := false
	switch {
	case upper > 0 && lower > 0 && digit > 0 && turns >= n/4 && (n >= 40 || other == 0 && n >= 20):
		ok = true
	case cell && digit > 0 && lower+upper > 0 && n >= 16 && turns >= n/6:
		ok = true
	case cell && digit == n && n >= 20:
		ok = true
	}
	if ok {
		at := s.ls + bytes.Index(line, core)
		s.hide(at, at+n, keyname.Token, "lone-token")
	}
}
