package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Values of several pieces: words of a shell, what braces hold, here-documents.

// shellWord hides what goes on with a word of a shell behind the quote that closes
// before p: 'it'\”s', "a"'b'. It returns where the word ends.
func (s *Scanner) shellWord(p int, w want) int {
	buf := s.buf
	if p >= s.le || buf[p] != '"' && buf[p] != '\'' && !(buf[p] == '\\' && p+1 < s.le && (buf[p+1] == '"' || buf[p+1] == '\'')) || buf[p-1] != '"' && buf[p-1] != '\'' {
		return p
	}
	e := p
	for e < s.le && !isSpace(buf[e]) && bytes.IndexByte([]byte(";,&|)>]}"), buf[e]) < 0 {
		switch buf[e] {
		case '\\':
			e++
		case '"', '\'':
			i := closing(buf[e+1:s.le], buf[e])
			if i < 0 {
				return p // no word of a shell
			}
			e += i + 1
		}
		e++
	}
	if e = min(e, s.le); e-p > 2 {
		s.hide(p, e, w.kind, w.rule)
		return e
	}
	return p
}

// braced hides a value in braces, as ODBC and JDBC write one that has a
// semicolon: Password={a;b}}c}; two braces are one. It returns where that ends, or
// 0.
func (s *Scanner) braced(p int, w want) int {
	buf := s.buf
	if p+2 >= s.le || buf[p] != '{' || buf[p-btoi(p > s.lo)] != '=' || w.class != keyname.Strong || w.json || buf[p+1] == '{' || buf[p+1] == '%' {
		return 0
	}
	for e := p + 1; e < s.le && e-p < 200; e++ {
		if buf[e] != '}' {
			continue
		}
		if e+1 < s.le && buf[e+1] == '}' {
			e++
			continue
		}
		if e+1 < s.le && bytes.IndexByte([]byte(";\"'&"), buf[e+1]) < 0 || isIdent(buf[p+1:e]) {
			return 0
		}
		s.judge(p+1, e, w, true)
		return e + 1
	}
	return 0
}

// maxHereLines bounds a here-document.
const maxHereLines = 200

// hereOpens takes the operator of a here-document at p: <<EOF, <<-'EOF', <<~EOT
// of shells, HCL and programs, @" of PowerShell. The lines that follow are the
// value, up to one that is the marker.
func (s *Scanner) hereOpens(p int, w want) bool {
	v := bytes.TrimRight(s.buf[min(p, s.le):s.le], " \t")
	if len(v) < 2 || len(v) > 40 || w.class != keyname.Strong || s.State.open() || s.cut {
		return false
	}
	var marker []byte
	switch {
	case len(v) == 2 && v[0] == '@' && (v[1] == '"' || v[1] == '\''):
		marker = []byte{v[1], '@'}
	case v[0] == '<' && v[1] == '<':
		marker = bytes.Trim(bytes.TrimLeft(v[2:], "-~"), `"';`)
		if len(marker) < 2 || !isIdent(marker) {
			return false
		}
	default:
		return false
	}
	s.enter(InHere, w.kind, 0, maxHereLines, 0)
	s.State.Columns = fold64(marker)
	return true
}

// hereLine hides a line of it.
func (s *Scanner) hereLine(body []byte) bool {
	st := &s.State
	t := bytes.TrimRight(body, " \t;)")
	if st.Left--; st.Left < 0 || fold64(t) == st.Columns {
		s.leave()
		return true
	}
	if len(body) > 0 && !s.looksPEM(body) {
		s.hideText(s.le-len(body), s.le, st.Kind, "here-document")
	}
	return false
}

// fold64 tells markers apart.
func fold64(v []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range v {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// quotedPair hides the value of "NAME=x y" from v on: the quote q opened before the
// name, and what it holds is that one setting.
func (s *Scanner) quotedPair(v int, q byte, w want) bool {
	if s.hasWord("ommand") && s.commandBehind(v) {
		return false // archive_command = 'PASSWORD=x program'
	}
	e := closing(s.buf[v:s.le], q)
	if e < 3 || s.buf[nonSpace(s.buf, v, s.le-1)] == '%' || bytes.IndexByte(s.buf[v:v+e], ' ') < 0 || bytes.IndexByte(s.buf[v:v+e], '=') >= 0 || quoteAt(s.buf, v, s.le) > 0 {
		return false
	}
	spans := len(s.Spans)
	s.judge(v, v+e, w, true)
	if len(s.Spans) > spans {
		s.keyEnd = max(s.keyEnd, v+e)
	}
	return true
}

// itemStart is true for a name that begins an item of a list: - NAME=x y.
func (s *Scanner) itemStart(ks int) bool {
	p := nonSpace(s.buf, s.ls, ks)
	return p > s.ls && p+2 == ks && s.buf[p] == '-' && s.buf[p+1] == ' '
}

// escapedPair hides the value of a name in a YAML text that is a string itself:
// "- name: DB_PASSWORD\n  value: x\n".
func (s *Scanner) escapedPair(p int, w want) bool {
	buf := s.buf
	for p += 2; p < s.le && buf[p] == ' '; p++ {
	}
	const value = "value: "
	if p+len(value) >= s.le || string(buf[p:p+len(value)]) != value {
		return false
	}
	p += len(value)
	p += quoteAt(buf, p, s.le)
	e := p
	for e < s.le && buf[e] != '\\' && buf[e] != '"' && buf[e] != '\'' {
		e++
	}
	w.rule = "name-value"
	s.judge(p, e, w, true)
	return true
}
