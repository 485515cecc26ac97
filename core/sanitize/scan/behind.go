package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Names that are one of a list: an argument, a field of a row, a result.

// behindComma deals with a name that is an argument, or a field of a row.
func (s *Scanner) behindComma(n name, w want) {
	buf, sep := s.buf, n.sep
	if v := nonSpace(buf, sep+1, s.le); n.quote == 1 && s.flagDashes(n.ks) == 2 && quoteAt(buf, v, s.le) == 1 && v+1 < s.le && buf[v+1] != '-' {
		w.rule = "flag"
		s.value(v, w) // ["--token", "x"]
		return
	}
	if n.quote == 1 && w.class == keyname.Strong && (s.flagDefault(n, w) || s.keyword(nonSpace(buf, sep+1, s.le), w)) {
		return
	}
	n.ks = s.stringStart(n)
	constant := !s.source && n.gap == 0 && (upperIdent(w.key) || s.before(n.ks, "parameterkey="))
	switch {
	case n.by == '\'' && w.class == keyname.Strong && s.setting(n, w):
	case n.quote > 0 && string(w.key) == "random_password":
		s.result(sep, w)
	case foldIs(w.key, "secret") && s.before(n.ks, "-object "):
		if i := bytes.Index(buf[sep:s.le], []byte("data=")); i > 0 {
			w.list = true
			s.value(sep+i+5, w)
		}
	case (n.quote > 0 || constant) && s.isNamed(n.ks):
		s.pair(n.ks, sep, w)
	case n.quote > 0 && (s.isValue(n) || n.quote == 1 && n.ks > s.ls && s.buf[n.ks-1] == ' '):
		s.pair(n.ks, sep, w) // the end of a sentence is no name
	case n.quote > 0 || upperIdent(w.key):
		// setProperty("KEY", "value"), CURLOPT_PASSWORD, "value"
		v := nonSpace(buf, sep+1, s.le)
		field := s.hasWord("buildConfigField") || s.hasWord("resValue") // of Gradle: type, name, value
		if quoteAt(buf, v, s.le) > 0 && !s.fieldName(v) && (field || !s.inArray(n.ks, n.quote) && !(n.quote > 0 && s.secondArgument(n.ks, n.quote))) {
			w.rule = "argument"
			s.value(v, w)
			return
		}
		if n.quote > 0 {
			s.pair(n.ks, sep, w)
		}
	case n.gap == 0 && n.ks > s.ls && s.buf[n.ks-1] == ':' && (n.ks-1 == s.ls || isSpace(s.buf[n.ks-2])) && w.class == keyname.Strong:
		// set :db_password, 'x'
		if v := nonSpace(buf, sep+1, s.le); quoteAt(buf, v, s.le) == 1 && !s.spaced(v) {
			w.rule = "argument"
			s.value(v, w)
		}
	case n.gap == 0 && w.class == keyname.Strong && s.secondResult(sep, w):
	case s.compared(n.ks):
		w.rule = "comparison"
		if v := nonSpace(buf, sep+1, s.le); quoteAt(buf, v, s.le) > 0 {
			s.value(v, w)
		}
	default:
		s.nextField(sep, w)
	}
}

// nextField hides the field of a row of CSV behind the comma at sep.
func (s *Scanner) nextField(sep int, w want) {
	e := sep + 1
	for e < s.le && s.buf[e] != ',' && !isSpace(s.buf[e]) {
		e++
	}
	v := bytes.Trim(s.buf[sep+1:e], `"'`)
	if bytes.IndexByte(w.key, '.') < 0 && bytes.IndexByte(v, '=') < 0 && (len(v) >= 12 && looksRandom(v) || len(v) >= 15 && isNumber(v)) {
		s.hide(sep+1, e, w.kind, "csv")
	}
}

// parallel hides the value in (user, password) = ('x', 'y') that belongs to the
// name at ks, which is not the first of its list; v is behind the operator.
func (s *Scanner) parallel(ks, v int, w want) bool {
	buf := s.buf
	at := 0
	for i := ks - 1; i >= s.ls; i-- {
		c := buf[i]
		if c == ',' {
			at++
		} else if !isAlnum(c) && c != '_' && c != '$' && c != '@' && !isSpace(c) && c != '(' && c != '[' {
			return false
		}
	}
	if at == 0 {
		return false
	}
	v = nonSpace(buf, v, s.le)
	if v < s.le && (buf[v] == '(' || buf[v] == '[') {
		v++
	}
	for v < s.le {
		v = nonSpace(buf, v, s.le)
		if quoteAt(buf, v, s.le) != 1 {
			return false
		}
		e := stringEnd(buf, v, s.le)
		if e < 0 {
			return false
		}
		if at == 0 {
			w.rule = "argument"
			s.judge(v+1, e, w, true)
			return true
		}
		if v = nonSpace(buf, e+1, s.le); v >= s.le || buf[v] != ',' {
			return false
		}
		at--
		v++
	}
	return false
}

// secondResult takes the string in: secret, err := hex.DecodeString("x").
func (s *Scanner) secondResult(sep int, w want) bool {
	p := nonSpace(s.buf, sep+1, s.le)
	e := p
	for e < s.le && (isLetter(s.buf[e]) || s.buf[e] == '_') {
		e++
	}
	if w := s.buf[p:e]; string(w) != "_" && string(w) != "err" && string(w) != "ok" {
		return false
	}
	p = nonSpace(s.buf, e, s.le)
	if n := separator(s.buf, p, s.le); n > 0 && s.buf[p+n-1] == '=' {
		return s.wrapped(nonSpace(s.buf, p+n, s.le), w)
	}
	return false
}
