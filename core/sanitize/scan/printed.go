package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// What programs print of their values: beside the value stands its type, its
// length, what it is wrapped in, or its bytes are numbers.

// printed deals with such a value at p. It returns where the string begins that
// is the value, or the end of the value and true when there is nothing left to
// do. More than the first byte is looked at only where that one is unusual.
func (s *Scanner) printed(p int, w want) (int, bool) {
	buf := s.buf
	if p+2 >= s.le {
		return p, false
	}
	switch c := buf[p]; {
	case (c == '{' || c == '(') && w.kind == keyname.Credential && w.class == keyname.Strong && !s.source:
		// {maria x}: a user and a password
		e := p + 1
		for e < s.le && e-p < 80 && (isAlnum(buf[e]) || bytes.IndexByte([]byte("._@-"), buf[e]) >= 0) {
			e++
		}
		if c := bytes.IndexByte(buf[p:s.le], buf[p]+1+(buf[p]&2)/2); e > p+1 && e < s.le && buf[e] == ' ' && c > e-p+1 && !bytes.ContainsAny(buf[e+1:p+c], " :=,\"") {
			s.judge(e+1, p+c, w, true)
			return p + c, true
		}
	case c == '<':
		return s.binary(p, w)
	case c == '(':
		return s.dumpedType(p, w)
	case c == '[':
		return s.printedList(p, w)
	case c == 'J' || c == 'S':
		// Just "x" of Haskell, Some "x" of OCaml
		for _, t := range [2]string{"Just ", "Some "} {
			if n := p + len(t); n < s.le && string(buf[p:n]) == t && buf[n] == '"' {
				return n, false
			}
		}
	}
	if w.class == keyname.Strong && buf[s.le-1] == '(' && buf[p] >= 'A' && buf[p] <= 'Z' && !s.State.open() && s.holder(buf[p:s.le-1]) {
		s.enter(InNext, w.kind, s.indentOf(), 1, 0) // Some(, and the value below
		return s.le, true
	}
	return p, false
}

// holder is true for the name of what holds one value: Some, Secret, ApiToken.
func (s *Scanner) holder(v []byte) bool {
	return foldIs(v, "some") || foldIs(v, "just") || foldIs(v, "optional") || foldIs(v, "ok") || foldIs(v, "secret") || letters(v) && constructor(v, v)
}

// binary reads the binaries of Erlang (<<"x">>, <<112,97>>) and the buffers of
// Node (<Buffer 70 61>).
func (s *Scanner) binary(p int, w want) (int, bool) {
	buf := s.buf
	switch {
	case buf[p+1] == '<' && buf[p+2] == '"':
		return p + 2, false
	case buf[p+1] == '<' && isDigit(buf[p+2]):
		if e := bytes.Index(buf[p:s.le], []byte(">>")); e > 0 {
			s.hide(p+2, p+e, w.kind, "byte-array")
			return p + e, true
		}
	case s.le-p > 11 && string(buf[p:p+8]) == "<Buffer ":
		if e := bytes.IndexByte(buf[p:s.le], '>'); e > 10 {
			s.hide(p+8, p+e, w.kind, "byte-array")
			return p + e, true
		}
	}
	return p, false
}

// dumpedType steps over types of Go: (string) (len=3) "x", (*string)(nil).
func (s *Scanner) dumpedType(p int, w want) (int, bool) {
	buf, q := s.buf, p
	for q < s.le && buf[q] == '(' {
		e := q + 1
		for e < s.le && e-q < 48 && (isAlnum(buf[e]) || bytes.IndexByte([]byte("*[]._= ,{}"), buf[e]) >= 0) {
			e++
		}
		if e >= s.le || buf[e] != ')' || e == q+1 {
			return p, false
		}
		if v := buf[q+1 : e]; q > p && (foldIs(v, "nil") || len(v) > 4 && string(v[:4]) == "0xc0") {
			return e + 1, true // where it lies says nothing
		}
		q = e + 1
		if q < s.le && buf[q] == ' ' {
			q++
		}
	}
	if q >= s.le || buf[q-1] != ' ' {
		return p, false
	}
	if quoteAt(buf, q, s.le) > 0 && bytes.Contains(buf[p:q], []byte("(len=")) {
		return q, false
	}
	if buf[q] == '{' && q+1 == s.le && w.class == keyname.Strong && !s.State.open() && bytes.Contains(buf[p:q], []byte("uint8")) {
		s.enter(InBlock, w.kind, s.indentOf(), 0, 0) // its bytes follow
		return s.le, true
	}
	return p, false
}

// printedList reads lists whose items are the bytes or the letters of the value,
// and those of Go with their type: []string{"x"}. What Node says of a function
// is no list.
func (s *Scanner) printedList(p int, w want) (int, bool) {
	buf := s.buf
	if buf[p+1] == ']' {
		for _, t := range [3]string{"[]string{", "[]byte{", "[]uint8{"} {
			n := p + len(t)
			if n >= s.le || string(buf[p:n]) != t {
				continue
			}
			if buf[n] == '"' {
				if cookieName(w) || len(w.key) >= 13 && foldEqual(w.key[len(w.key)-13:], "authorization") {
					return p, false
				}
				return s.array(n, w), true
			}
			if e := bytes.IndexByte(buf[n:s.le], '}'); e > 1 && isDigit(buf[n]) {
				s.hide(n, n+e, w.kind, "byte-array")
				return n + e, true
			}
		}
		return p, false
	}
	e := bytes.IndexByte(buf[p:min(s.le, p+512)], ']')
	if e < 3 {
		return p, false
	}
	v := buf[p+1 : p+e]
	if first := firstWord(v); len(first) > 5 && first[0] < 'a' {
		for _, t := range [6]string{"Function", "Function:", "AsyncFunction", "Getter", "Getter/Setter", "Circular"} {
			if string(first) == t {
				return p + e, true
			}
		}
	}
	if w.class == keyname.Strong && len(v) >= 10 && v[1] == ',' && lettersApart(v) {
		s.hide(p+1, p+e, w.kind, "byte-array")
		return p + e, true
	}
	return p, false
}

// lettersApart is true for single characters with commas between: p, a, s, s.
func lettersApart(v []byte) bool {
	for i := 1; i+2 < len(v); i += 3 {
		if v[i] != ',' || v[i+1] != ' ' {
			return false
		}
	}
	return len(v)%3 == 1
}

// visibility is the length of what PHP says of a property between its name and
// the bracket: "password":protected]=>, [secret:Config:private] =>. 0 for none.
func (s *Scanner) visibility(p int) int {
	v := s.buf[p:min(s.le, p+96)]
	e := bytes.IndexByte(v, ']')
	if e < 8 || !bytes.HasSuffix(v[:e], []byte(":protected")) && !bytes.HasSuffix(v[:e], []byte(":private")) || bytes.IndexByte(v[:e], ' ') >= 0 {
		return 0
	}
	e++
	for e < len(v) && v[e] == ' ' {
		e++
	}
	if e+1 < len(v) && v[e] == '=' && v[e+1] == '>' {
		return e
	}
	return 0
}

// tuple takes the other half of a pair in brackets whose first half is the name:
// {default_pass,<<"x">>} of Erlang, {:password, "x"} of Elixir, [Password, x] of
// .NET, [["token", "x"]] of Ruby. sep is the place of the comma. False if it is
// no pair.
func (s *Scanner) tuple(n name, w want) bool {
	buf := s.buf
	b := n.ks - n.quote
	if b > s.ls && buf[b-1] == ':' && n.quote == 0 {
		b--
	}
	if b <= s.ls || buf[b-1] != '{' && buf[b-1] != '[' || w.class != keyname.Strong {
		return false
	}
	closer := buf[b-1] + 2
	v := nonSpace(buf, n.sep+1, s.le)
	if v >= s.le {
		return false
	}
	w.rule = "tuple"
	if closer == '}' && n.quote == 0 {
		switch {
		case quoteAt(buf, v, s.le) == 1, buf[v] == '<' && v+1 < s.le && buf[v+1] == '<':
			s.value(v, w)
			return true
		case s.source:
			return false
		}
	}
	if q := quoteAt(buf, v, s.le); q == 1 {
		e := stringEnd(buf, v, s.le)
		if e < 0 || e+1 >= s.le || buf[e+1] != closer || !looksSecret(buf[v+1:e]) {
			return false
		}
		if class, _ := s.classify(buf[v+1 : e]); class >= keyname.Weak {
			return false // names of columns
		}
		s.judge(v+1, e, w, true)
		return true
	}
	if n.quote > 0 {
		return false
	}
	e := v
	for e < s.le && buf[e] != closer && buf[e] != ',' && buf[e] != ' ' && buf[e] != '(' {
		e++
	}
	if e >= s.le || buf[e] != closer || !mixedWord(buf[v:e]) {
		return false
	}
	s.judge(v, e, w, true)
	return true
}

// consed takes the value of a pair of Lisp: (password . "x").
func (s *Scanner) consed(n name, w want) bool {
	return n.gap > 0 && n.ks > s.ls && s.buf[n.ks-1] == '(' && n.sep+3 < s.le && s.buf[n.sep+1] == ' ' && s.buf[n.sep+2] == '"' && s.value(n.sep+2, w) > 0
}

// fieldOfGo is the end of a value with blanks in a structure that Go printed:
// {User:maria Password:two words Port:22}. p is where it begins, which has to be
// the byte behind the colon; 0 if it is none of these.
func (s *Scanner) fieldOfGo(ks, p int) int {
	buf := s.buf
	if ks-1 < s.ls || buf[ks-1] != ' ' && buf[ks-1] != '{' || buf[ks] < 'A' || buf[ks] > 'Z' || p >= s.le || isSpace(buf[p]) || !isAlnum(buf[p]) {
		return 0
	}
	if i := bytes.LastIndexByte(buf[s.ls:ks], '{'); i < 0 || bytes.IndexByte(buf[s.ls+i:ks], '"') >= 0 || bytes.IndexByte(buf[s.ls+i:ks], '=') >= 0 {
		return 0
	}
	blank := 0
	for e := p; e < s.le && e-p < 200; e++ {
		switch buf[e] {
		case '}', '"', '{', '[', '=', ',':
			if buf[e] == '}' && blank > 0 {
				return e
			}
			return 0
		case ' ':
			k := e + 1
			for k < s.le && isAlnum(buf[k]) {
				k++
			}
			if k > e+1 && k+1 < s.le && buf[k] == ':' && !isSpace(buf[k+1]) && buf[e+1] >= 'A' && buf[e+1] <= 'Z' {
				if blank == 0 {
					return 0
				}
				return e
			}
			blank++
		}
	}
	return 0
}

// typeOfVariable is true for the type of a variable of GraphQL: $password: String!
func (s *Scanner) typeOfVariable(p int) bool {
	p = nonSpace(s.buf, p, s.le)
	e := p
	for e < s.le && isLetter(s.buf[e]) {
		e++
	}
	return e > p && e < s.le && s.buf[p] < 'a' && (s.buf[e] == '!' || s.buf[e] == ')' || s.buf[e] == ',')
}
