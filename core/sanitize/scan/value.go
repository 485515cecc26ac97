package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// want says under which circumstances a value is read.
type want struct {
	class keyname.Class
	kind  keyname.Kind
	rule  Rule
	// toEnd: the value is the rest of the line (a line of configuration),
	// not just the next word.
	toEnd bool
	// block: a YAML block may follow.
	block  bool
	indent int
	// json: the key was in double quotes, so a bare word needs them too.
	json bool
	// list: in an URL's query or a connection string: & and ; end the value.
	list bool
	// semicolon: the value goes on to the next semicolon.
	semicolon bool
	// prose: only what cannot be an ordinary word.
	prose bool
	// typed: an annotation or program text: bare words are expressions.
	code bool
	key  []byte
	// coded: in a query that is percent-encoded: %26 ends the value.
	coded bool
	// outer is where the expression begins that the value is wrapped in, or 0.
	outer int
}

// value reads the value at p and hides it if it has to be. It returns the end
// of what was read, or p when there was no value.
func (s *Scanner) value(p int, w want) int {
	buf := s.buf
	blank := p
	for p < s.le && isSpace(buf[p]) {
		p++
	}
	if p > 0 && (p > blank || isSpace(buf[p-1])) && p+1 < s.le && (buf[p] == '#' && isSpace(buf[p+1]) || (buf[p] == '&' || buf[p] == '|') && buf[p+1] == buf[p]) {
		return p // a comment or an operator: the value is empty
	}
	if s.arrayOpens(p, w) || s.hereOpens(p, w) {
		return s.le
	}
	if e := s.braced(p, w); e > 0 {
		return e
	}
	if e := s.otherQuotes(p, w); e > 0 {
		return e
	}
	if t, done := s.printed(p, w); done {
		return t
	} else if t > p {
		p = t
	}
	if e := p + remarkAt(s.buf[p:s.le]); e > p {
		return e
	}
	if p+8 < s.le && (buf[p] == 's' || buf[p] == '[') {
		// string(8) "x" of PHP, []byte("x") of Go
		for _, t := range []string{"string(", "[]byte("} {
			if s.le-p > len(t)+2 && string(buf[p:p+len(t)]) == t {
				q := p + len(t)
				for q < s.le && isDigit(buf[q]) {
					q++
				}
				if q < s.le && buf[q] == ')' {
					q = nonSpace(buf, q+1, s.le)
				}
				if quoteAt(buf, q, s.le) > 0 {
					p = q
				}
			}
		}
	}
	if buf := buf[p:s.le]; len(buf) > 0 && buf[0] == '[' {
		if i := bytes.IndexByte(buf, ']'); i > 1 && i+3 < len(buf) && string(buf[i+1:i+3]) == "::" {
			return p // an expression of PowerShell
		}
	}
	if p+6 < s.le && buf[p] == '0' && buf[p+1] == 'x' {
		q := p + 2
		for q < s.le && isHex(buf[q]) {
			q++
		}
		if q > p+2 && q+1 < s.le && buf[q] == ' ' && buf[q+1] == '"' {
			p = q + 1 // secret = 0x55d0e0 "x": where it lies, and what it is
		}
	}
	// Prefixes of literals and a bracket around them.
	q := p
	for q < s.le && (buf[q] == '(' || buf[q] == '@' || buf[q] == '[') && q+1 < s.le {
		if buf[q] == '[' && !w.json && !(quoteAt(buf, q+1, s.le) > 0) {
			break
		}
		n := q + 1
		for n < s.le && isSpace(buf[n]) {
			n++
		}
		if quoteAt(buf, n, s.le) == 0 {
			break
		}
		if buf[q] == '[' {
			return s.array(n, w)
		}
		if buf[q] == '(' && q == p && w.class == keyname.Strong && !s.State.open() {
			if e := stringEnd(buf, n, s.le); e > 0 && e+1 == s.le {
				s.enter(InArray, w.kind, 0, maxArrayLines, 0) // ("one", and "two") below
			}
		}
		q = n
	}
	if q+1 < s.le && isLetter(buf[q]) && quoteAt(buf, q+1, s.le) > 0 && buf[q+1] != '\\' {
		q++ // b"..", r'..', f"..", L".."
	} else if q+3 < s.le && buf[q] == 'r' && buf[q+1] == '#' {
		for q++; q < s.le && buf[q] == '#'; q++ { // r#".."# of Rust
		}
	}
	if q < s.le {
		if n := quoteAt(buf, q, s.le); n > 0 {
			return s.quoted(q, n, w)
		}
	}
	if p >= s.le {
		return p
	}
	if buf[p] == '{' {
		if n := len(w.key); w.class == keyname.Strong && n > 5 && buf[p-1] != '$' && lower(w.key[n-1]) == 's' && w.kind != keyname.Secret {
			s.dictionary(p, w)
		}
		if p+1 == s.le && w.json && w.class == keyname.Strong {
			s.member(p, w)
			return p
		}
		if n := p + 1; n < s.le && (isHexNumber(buf[n:s.le])) {
			e := bytes.IndexByte(buf[n:s.le], '}')
			if e < 0 {
				e = s.le - n
			}
			s.hide(n, n+e, w.kind, "byte-array")
			return n + e
		}
		if p+1 < s.le && buf[p+1] != '{' && buf[p+1] != '%' && (w.json || p+1 == s.le || buf[p+1] == '}' || isSpace(buf[p+1]) || buf[p+1] == '"' || buf[p+1] == '\'' || flowPair(buf[p+1:s.le])) {
			if w.json && w.class == keyname.Strong {
				s.member(p, w)
			}
			return p
		}
	}
	return s.bare(p, w)
}

// flowPair is true where a mapping of YAML goes on: user: app, pass: x}
func flowPair(v []byte) bool {
	i := 0
	for i < len(v) && (isAlnum(v[i]) || v[i] == '_' || v[i] == '-') {
		i++
	}
	return i > 0 && i+1 < len(v) && v[i] == ':' && isSpace(v[i+1])
}

// ranCommand is true for what a shell would run between backticks.
func ranCommand(v []byte) bool {
	i := bytes.IndexByte(v, ' ')
	if i < 2 {
		return false
	}
	for _, c := range v[:i] {
		if (c < 'a' || c > 'z') && !isDigit(c) && c != '-' && c != '/' && c != '_' && c != '.' {
			return false
		}
	}
	return isLetter(v[0]) || v[0] == '/'
}

func isHexNumber(v []byte) bool {
	v = bytes.TrimLeft(v, " ")
	return len(v) > 4 && v[0] == '0' && (v[1] == 'x' || isDigit(v[1])) && bytes.IndexByte(v[:min(len(v), 8)], ',') > 0
}

// array hides the strings in a list on this line.
func (s *Scanner) array(p int, w want) int {
	for p < s.le {
		n := quoteAt(s.buf, p, s.le)
		if n == 0 {
			break
		}
		p = s.quoted(p, n, w)
		for p < s.le && (isSpace(s.buf[p]) || s.buf[p] == '"' || s.buf[p] == '\'' || s.buf[p] == ',' || s.buf[p] == '\\') {
			if quoteAt(s.buf, p, s.le) > 0 && p > 0 && (isSpace(s.buf[p-1]) || s.buf[p-1] == ',') {
				break
			}
			p++
		}
	}
	s.arrayGoesOn(p, w)
	return p
}

// quoted reads the string whose opening quote of n bytes is at p.
func (s *Scanner) quoted(p, n int, w want) int {
	buf := s.buf
	vs := p + n
	if n == 1 && vs+1 < s.le && buf[vs] == buf[p] && buf[vs+1] == buf[p] {
		// """ ... """
		vs += 2
		close := buf[p : p+3]
		if i := bytes.Index(buf[vs:s.le], close); i >= 0 {
			s.judge(vs, vs+i, w, true)
			return vs + i + 3
		}
		if w.class == keyname.Strong {
			s.hideText(vs, s.le, w.kind, w.rule)
			s.enter(InTriple, w.kind, 0, 0, buf[p])
		}
		return s.le
	}
	if buf[p] == '`' && !s.source && w.class == keyname.Strong {
		if e := bytes.IndexByte(buf[vs:s.le], '`'); e > 0 && ranCommand(buf[vs:vs+e]) {
			return vs + e + 1
		}
	}
	if n == 1 && vs+1 < s.le && buf[p] == '\'' && buf[vs] == '\'' && (isAlnum(buf[vs+1]) || buf[vs+1] == '$') {
		// a string in a string: 'password=''x'' host=db'
		for at := vs + 1; at < s.le; {
			i := bytes.Index(buf[at:s.le], []byte("''"))
			if i < 0 {
				break
			}
			if e := at + i; e+4 > s.le || string(buf[e:e+4]) != "''''" {
				s.judge(vs+1, e, w, true)
				return e + 2
			}
			at += i + 4 // a quote within it
		}
	}
	end := s.le
	if s.cut {
		end = s.hi // the line goes on in the next piece
	}
	ve, next := closeQuote(buf, vs, end, buf[p:vs])
	if ve < 0 && s.cut && w.class == keyname.Strong && end-vs > 64 {
		s.judge(vs, s.le, w, true)
		s.enter(InLong, w.kind, 0, 0, buf[p+n-1])
		return s.le
	}
	if i := closing(buf[vs:s.le], buf[vs-1]); ve < 0 && n > 1 && buf[p] == '\\' && i >= 0 {
		ve, next = vs+i, vs+i // the string around it ends
	}
	if ve < 0 {
		ve, next = s.le, s.le
		for ve > vs && (isSpace(buf[ve-1]) || buf[ve-1] == '\\') {
			ve--
		}
		if i := bytes.IndexByte(buf[vs:ve], ' '); i > 0 && !w.toEnd && n == 3 {
			ve = vs + i
		}
	}
	next = min(next, s.le)
	spans := len(s.Spans)
	s.judge(vs, ve, w, true)
	if ve == s.le && w.block && n == 1 && s.closesBelow(buf[p], w) && len(s.Spans) > spans {
		s.enter(InLong, w.kind, 0, maxFolded, buf[p])
		return s.le
	}
	if w.kind == keyname.Credential && next+3 < s.le {
		// credentials: `x` / `y`
		for _, t := range []string{" / ", "/", ":", " and ", " : "} {
			if q := next + len(t); q+2 < s.le && string(buf[next:q]) == t && buf[q] == buf[p] && n == 1 {
				return s.quoted(q, 1, want{class: w.class, kind: keyname.Password, rule: w.rule})
			}
		}
	}
	if n == 1 && !w.json && w.class == keyname.Strong && len(s.Spans) > spans {
		next = s.shellWord(next, w)
	}
	if n == 1 && next == s.le && ve < s.le && buf[s.le-1] == '\\' && w.class == keyname.Strong && len(s.Spans) > spans && !s.State.open() {
		s.enter(InLong, w.kind, 0, 1, buf[p]) // goes on in the next line
	}
	return next
}

// bare reads a value without quotes.
func (s *Scanner) bare(p int, w want) int {
	buf := s.buf
	if w.code && isCall(buf[p:min(s.le, p+128)]) {
		if !s.wrapped(p, w) && w.class == keyname.Strong {
			s.fallback(p, w)
		}
		return p
	}
	if s.wrapped(p, w) || construct(buf[p:min(s.le, p+128)]) {
		return p
	}
	if buf[p] == '<' {
		if i := bytes.IndexByte(buf[p:min(s.le, p+48)], '>'); i > 4 && isPlaceholder(buf[p+1:p+i]) && bytes.IndexByte(buf[p+1:p+i], '-') > 0 && p+i+1 < s.le && buf[p+i+1] == ' ' {
			return p + i + 1 // <your-password> command
		}
	}
	if buf[p] == '(' && p+3 < s.le && isDigit(buf[p+1]) {
		if i := bytes.IndexByte(buf[p:min(s.le, p+64)], ')'); i > 6 {
			if f := bytes.Fields(buf[p+1 : p+i]); len(f) > 1 && isNumber(f[0]) && spans.has(f[1]) {
				return p // (8 characters minimum)
			}
		}
	}
	if buf[p] == '[' && !w.json && !w.code && p > s.ls && buf[p-1] == '=' {
		// the list of values of a map: {X-Api-Key=[abc]}
		if n := bytes.IndexByte(buf[p:min(s.le, p+512)], ']'); n > 1 && bytes.IndexByte(buf[p:p+n], ' ') < 0 {
			s.judge(p+1, p+n, w, true)
			return p + n + 1
		}
	}
	e := p
	if w.toEnd {
		e = s.lineValueEnd(p)
	} else if e = s.wordEnd(p, w); w.semicolon && e < s.le && isSpace(buf[e]) {
		if i := bytes.IndexAny(buf[e:s.le], ";\"'"); i >= 0 && buf[e+i] == ';' && bytes.IndexByte(buf[e:e+i], '=') < 0 {
			e += i
		}
	}
	for e > p && isSpace(buf[e-1]) {
		e--
	}
	if e == p || buf[e-1] == ':' && e-p > 1 {
		return p // nothing, or the next key
	}
	if buf[e-1] == '=' && e-p < 16 && letters(buf[p:e-1]) {
		if c, _ := s.classify(buf[p : e-1]); c >= keyname.Weak {
			return p // token= passwd=
		}
	}
	if !w.toEnd && w.class == keyname.Strong && w.kind == keyname.Token && e-p <= 12 && e+20 < s.le && buf[e] == ' ' && letters(buf[p:e]) {
		t := e + 1
		for t < s.le && (isAlnum(buf[t]) || buf[t] == '-' || buf[t] == '_' || buf[t] == '.' || buf[t] == '+' || buf[t] == '/' || buf[t] == '=') {
			t++
		}
		if t-e > 20 && looksRandom(buf[e+1:t]) {
			s.judge(e+1, t, w, true) // Authtoken: QSDK x
			return t
		}
	}
	if w.class == keyname.Strong && (isCall(buf[p:s.le]) || isReference(buf[p:e])) && s.fallback(p, w) {
		return s.le
	}
	if isCall(buf[p:s.le]) && (w.toEnd || bytes.IndexByte(buf[p:min(s.le, e+2)], '(') > 0 || bytes.IndexByte(buf[p:min(s.le, e+2)], '[') > 0) && !looksRandom(buf[p:e]) {
		return e
	}
	spans := len(s.Spans)
	s.judge(p, e, w, false)
	if w.toEnd && w.class == keyname.Strong && len(s.Spans) > spans && !s.State.open() && s.continued(e) {
		s.enter(InLong, w.kind, 0, 1, 0)
	}
	if w.kind == keyname.Credential && e+3 < s.le && string(buf[e:e+3]) == " / " {
		q := e + 3
		for q < s.le && !isSpace(buf[q]) && buf[q] != ',' && buf[q] != ')' {
			q++
		}
		s.judge(e+3, q, w, true)
		return q
	}
	if s.cut && e == s.le && w.class == keyname.Strong && e-p > 64 {
		s.enter(InLong, w.kind, 0, 0, 0)
	}
	return e
}

// lineValueEnd is where a value ends that has the rest of the line to itself.
func (s *Scanner) lineValueEnd(p int) int {
	buf, e := s.buf, s.le
	for i := p; i < e; i++ {
		c := buf[i]
		if c == 0x1b && i > p {
			if n := colour(buf[i:e]); n > 0 && i+n < e && isSpace(buf[i+n]) {
				e = i // what is behind the colour is no part of it
				break
			}
		}
		if (c == '&' || c == ';') && i > p+2 && assigns(buf, i+1, e) && bytes.IndexByte(buf[p:i], ' ') < 0 {
			e = i // a further field of a form or a list
			break
		}
		if isSpace(c) {
			r := i + 1
			for r < e && isSpace(buf[r]) {
				r++
			}
			if r >= e {
				break
			}
			if buf[r] == '#' && (r+1 >= e || buf[r+1] != '{') {
				e = i
				break
			}
			if (buf[r] == ';' || buf[r] == '/' && r+1 < e && buf[r+1] == '/') && r+1 < e && !isAlnum(buf[r+1]) {
				e = i
				break
			}
			if buf[r] == '}' || buf[r] == '|' || buf[r] == '\\' && r+1 == e || buf[r] == '<' && r+1 < e && (buf[r+1] == '-' || buf[r+1] == '/' || isLetter(buf[r+1])) {
				e = i
				break
			}
			// A further key=value or a flag: the value was one word.
			if buf[r] == '-' && r+1 < e && (buf[r+1] == '-' || isLetter(buf[r+1])) {
				e = i
				break
			}
			k := r
			for k < e && (isAlnum(buf[k]) || buf[k] == '_' || buf[k] == '.' || buf[k] == '-') {
				k++
			}
			if k > r && k+1 < e && (buf[k] == '=' && buf[k+1] != '=' || buf[k] == ':' && isSpace(buf[k+1])) {
				e = i
				break
			}
			i = r - 1
		}
	}
	for e > p && (isSpace(buf[e-1]) || buf[e-1] == ',' || buf[e-1] == ';' || buf[e-1] == '\\') {
		if buf[e-1] == '\\' && e < s.le {
			break
		}
		e--
	}
	// A quote or tag that only closes: key: value"
	if e > p && (buf[e-1] == '"' || buf[e-1] == '\'' || buf[e-1] == '`') && bytes.IndexByte(buf[p:e-1], buf[e-1]) < 0 {
		e--
		for e > p && buf[e-1] == '\\' {
			e--
		}
	}
	if i := bytes.IndexByte(buf[p:e], '"'); i > 0 {
		// text after a closing quote belongs to something else
		e = p + i
		for e > p && buf[e-1] == '\\' {
			e--
		}
	}
	if i := bytes.Index(buf[p:e], []byte("</")); i >= 0 {
		e = p + i
	}
	if i := bytes.Index(buf[p:e], []byte("\\n")); i > 0 {
		// an escaped line end inside a string
		if bytes.IndexByte(buf[p+i:s.le], '"') >= 0 {
			e = p + i
		}
	}
	return e
}

// colour is the length of what sets the colour of a terminal at the front of v.
func colour(v []byte) int {
	if len(v) < 3 || v[0] != 0x1b || v[1] != '[' {
		return 0
	}
	for i, c := range v[2:min(len(v), 14)] {
		if c == 'm' {
			return i + 3
		}
		if !isDigit(c) && c != ';' {
			return 0
		}
	}
	return 0
}

// assigns is true when a name, an equals sign and a value without blanks stand
// at p.
func assigns(buf []byte, p, end int) bool {
	k := p
	for k < end && (isAlnum(buf[k]) || buf[k] == '_' || buf[k] == '-' || buf[k] == '.') {
		k++
	}
	return k > p+1 && isLetter(buf[p]) && k+1 < end && buf[k] == '=' && isAlnum(buf[k+1])
}

// wordEnd is where a value ends that is one word of a longer line.
func (s *Scanner) wordEnd(p int, w want) int {
	buf := s.buf
	depth := 0
	for i := p; i < s.le; i++ {
		c := buf[i]
		switch c {
		case ' ', '\t', '"', '`', '<', '>', '|', 0:
			if c == '"' && i > p && buf[i-1] == '\\' && (w.list || w.semicolon) && i+1 < s.le && isAlnum(buf[i+1]) {
				continue // a quote in a field of a connection string
			}
			if c == '"' && i > p && buf[i-1] == '\\' {
				j := i
				for j > p && buf[j-1] == '\\' {
					j--
				}
				return j
			}
			if c == '<' || c == '>' {
				if i+1 < s.le && !isSpace(buf[i+1]) && buf[i+1] != '/' && c == '>' {
					continue
				}
			}
			if c == '|' && i+1 < s.le && isAlnum(buf[i+1]) && i > p && isAlnum(buf[i-1]) {
				continue
			}
			return i
		case '\'':
			if i > p && isAlnum(buf[i-1]) && i+1 < s.le && isAlnum(buf[i+1]) {
				continue
			}
			return i
		case '\\':
			if i+1 < s.le && (buf[i+1] == 'n' || buf[i+1] == 'r' || buf[i+1] == 't') && (i+2 >= s.le || !isSpace(buf[i+2])) {
				return i
			}
			if i+1 == s.le {
				return i
			}
		case '$':
			if i+2 < s.le && buf[i+1] == '{' {
				if j := bytes.IndexByte(buf[i:s.le], '}'); j > 0 && j < 100 {
					i += j // ${VAR:?must be set}
				}
			}
		case '#':
			if i+4 < s.le && string(buf[i:i+4]) == "#011" {
				return i // a tab, as syslog writes it
			}
		case '%':
			if w.coded && i+2 < s.le && buf[i+1] == '2' && (buf[i+2] == '6' || buf[i+2] == '5' && i+4 < s.le && string(buf[i+3:i+5]) == "26") {
				return i
			}
		case '&':
			if n := quoteAt(buf, i, s.le); n > 0 && i > p {
				return i // &quot;
			}
			if i+5 < s.le && string(buf[i+1:i+5]) == "amp;" {
				if followsKey(buf, i+5, s.le) {
					return i
				}
				i += 4 // an ampersand of the value, in XML
				continue
			}
			if w.list || followsKey(buf, i+1, s.le) {
				return i
			}
		case ';', ',':
			if c == ',' && i > p+8 && buf[i-1] == '=' && i+1 < s.le && isLetter(buf[i+1]) || c == ',' && s.mounts() {
				return i // the end of base64, or of an option of mount
			}
			if w.list && c == ';' || i+1 >= s.le || isSpace(buf[i+1]) || buf[i+1] == '"' || buf[i+1] == '\'' || followsKey(buf, i+1, s.le) || buf[i+1] == '}' || buf[i+1] == ']' || buf[i+1] == ')' || buf[i+1] == ',' || buf[i+1] == ';' {
				return i
			}
		case '(', '[', '{':
			if c == '[' && i > p && i+1 < s.le && buf[i+1] == '\\' {
				return i // [\r][\n] of a wire log
			}
			depth++
		case ')', ']', '}':
			if depth > 0 {
				depth--
				continue
			}
			if i+1 >= s.le || isSpace(buf[i+1]) || buf[i+1] == ',' || buf[i+1] == ';' || buf[i+1] == ')' || buf[i+1] == '}' || buf[i+1] == ']' || buf[i+1] == '"' || buf[i+1] == '\'' || buf[i+1] == '.' || buf[i+1] == '@' || buf[i+1] == '\\' || buf[i+1] == ':' || buf[i+1] == '/' {
				return i
			}
		}
	}
	return s.le
}

// mounts is true for a line that mounts what has its options between commas.
func (s *Scanner) mounts() bool {
	return s.hasWord(" cifs ") || s.hasWord(" ceph ") || s.hasWord("mount ")
}

// followsKey is true when another key= or key: begins at i.
func followsKey(buf []byte, i, end int) bool {
	k := i
	for k < end && k-i < 48 && (isAlnum(buf[k]) || buf[k] == '_' || buf[k] == '-' || buf[k] == '.' || buf[k] == ' ' && k-i < 24) {
		k++
	}
	return k > i && k < end && (buf[k] == '=' || buf[k] == ':')
}
