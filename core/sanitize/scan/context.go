package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// colonRest deals with what may follow "key:" besides a value on the same
// line. True if that was it.
func (s *Scanner) colonRest(p int, w want, quoted bool) (int, bool) {
	buf := s.buf
	v := p
	if v < s.le && buf[v] == ':' { // LDIF's base64 mark
		v++
	}
	for v < s.le && isSpace(buf[v]) {
		v++
	}
	if v >= s.le {
		if foldIs(w.key, "key") && s.before(p-len("key:"), "certificate ") && w.class == keyname.Weak && !s.State.open() {
			s.enter(InNext, keyname.APIKey, w.indent, 1, 'w') // kubeadm: Using certificate key:
			return v, true
		}
		if w.class == keyname.Strong && !s.State.open() && !s.declares(p) {
			if foldIs(w.key, "chpasswd") {
				s.enter(InUsers, keyname.Password, w.indent, 0, 0)
			} else if !s.collection(v, w) {
				s.enter(InNext, w.kind, w.indent, 3, 0)
			}
		}
		return v, true
	}
	// anchors and tags: key: &name value, key: !!str value
	for v < s.le && (buf[v] == '&' && quoteAt(buf, v, s.le) == 0 || buf[v] == '!') {
		e := v
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		if e >= s.le || buf[v] == '!' && !(v+1 < s.le && (buf[v+1] == '!' || isLetter(buf[v+1]))) {
			break
		}
		if bytes.HasPrefix(buf[v:e], []byte("!vault")) || bytes.HasPrefix(buf[v:e], []byte("!secret")) || bytes.HasPrefix(buf[v:e], []byte("!Ref")) || bytes.HasPrefix(buf[v:e], []byte("!Sub")) || bytes.HasPrefix(buf[v:e], []byte("!ENV")) || bytes.HasPrefix(buf[v:e], []byte("!GetAtt")) {
			if bytes.HasPrefix(buf[v:e], []byte("!vault")) {
				return v, true
			}
			return v, false
		}
		e = nonSpace(buf, e, s.le)
		if e >= s.le {
			break // nothing follows: it is the value itself
		}
		v = e
	}
	if (buf[v] == '|' || buf[v] == '>') && blockHeader(buf[v:s.le]) {
		if w.class == keyname.Strong && !quoted {
			s.enter(InBlock, w.kind, w.indent, 0, 0)
		}
		return v, true
	}
	if buf[v] == '[' && v+2 < s.le && bytes.HasPrefix(buf[v:s.le], []byte("[]byte(")) {
		return v, false // []byte("x") of Go
	}
	if buf[v] == '[' && v+2 < s.le {
		if t, done := s.printedList(v, w); done {
			return t, true
		}
	}
	if buf[v] == '[' && w.class == keyname.Strong {
		// a flow list of plain words
		if e := smallNumbers(buf[v:s.le]); e > 0 {
			s.bytesOfKey(v+1, v+e, w)
			return v, true
		}
		if e := bytes.IndexByte(buf[v:min(s.le, v+Reach)], ']'); e > 0 && quoteAt(buf, v+1, s.le) == 0 && !bytes.ContainsAny(buf[v:v+e], "{") {
			from := v + 1
			for from < v+e {
				c := bytes.IndexByte(buf[from:v+e], ',')
				if c < 0 {
					c = v + e - from
				}
				if v := bytes.TrimSpace(buf[from : from+c]); w.kind != keyname.Secret || !isIdent(v) || !lowerName(v) || !bytes.ContainsAny(v, "_-") {
					s.judge(from, from+c, w, false) // else the names of secrets
				}
				from += c + 1
			}
			return v, true
		}
		if s.arrayOpens(v, w) || v+1 >= s.le || quoteAt(buf, nonSpace(buf, v+1, s.le), s.le) == 0 {
			return v, true
		}
	}
	return v, false
}

// bytesOfKey hides a key that is a list of bytes, one by one: the list stays one.
func (s *Scanner) bytesOfKey(p, end int, w want) {
	for p < end {
		e := p
		for e < end && s.buf[e] != ',' && s.buf[e] != ' ' {
			e++
		}
		if e > p {
			s.Spans = append(s.Spans, Span{Start: p, End: e, Kind: w.kind, Rule: "byte-array", Quote: w.json})
		}
		p = e + 1
	}
}

// smallNumbers is where a list of eight bytes at least closes, or 0.
func smallNumbers(v []byte) int {
	n, digits := 0, 0
	for i := 1; i < len(v) && i < 400; i++ {
		switch c := v[i]; {
		case isDigit(c) || c == 'x' || c == 'X' || digits > 1 && isHex(c):
			if digits++; digits > 4 {
				return 0
			}
		case c == ',':
			n++
			digits = 0
		case c == ' ':
		case c == ']':
			if n >= 7 {
				return i
			}
			return 0
		default:
			return 0
		}
	}
	return 0
}

func nonSpace(buf []byte, p, end int) int {
	for p < end && isSpace(buf[p]) {
		p++
	}
	return p
}

// blockHeader is true for | > |- >+2 and the like.
func blockHeader(v []byte) bool {
	for i, c := range v {
		if i == 0 {
			continue
		}
		if c == '#' && i > 1 {
			return true
		}
		if c != '-' && c != '+' && !isDigit(c) && !isSpace(c) {
			return false
		}
	}
	return true
}

func (st *State) open() bool {
	return st.Mode != Normal && st.Mode != InData && st.Mode != InUsers && st.Mode != InTable && st.Mode != InPeople && st.Mode != InFile && st.Mode != InMap && st.Mode != InSection
}

// pair finds the value of a name that is itself a value: "name": "DB_PASSWORD",
// "value": "x"; the same in XML, in either order, over at most a few lines.
func (s *Scanner) pair(ks, p int, w want) {
	if w.class != keyname.Strong && !(w.class == keyname.Weak) {
		return
	}
	buf := s.buf
	if !s.isNamed(ks) {
		return
	}
	if p < s.le && buf[p] == '>' && s.inTag(ks) && p+1 < s.le && textOrData(buf[p+1:s.le]) && !isSpace(buf[p+1]) {
		s.element(p+1, w)
		return
	}
	w.rule = "name-value"
	end := min(s.hi, p+400)
	depth := 0
	tag := s.inTag(ks)
	input := tag && foldIs(w.key, "password") && ks >= 6 && foldEqual(buf[ks-6:ks-2], "type") // <input type="password" name="x"
	for i := p; i+5 <= end; i++ {
		c := buf[i]
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth < 0 {
				i = end
				continue
			}
		case 'v', 'V', 'c', 's', 'd':
			if i > 0 && isAlnum(buf[i-1]) && !(buf[i-1] == 'n' && i > 1 && buf[i-2] == '\\') && !(c == 'V' && buf[i-1] >= 'a') {
				continue
			}
			n := valueWord(buf[i:end])
			if n == 0 || buf[i+n] == '"' && i > 0 && buf[i-1] != '"' && c != 'V' {
				continue
			}
			if s.valueAfter(i+n, end, w) {
				return
			}
		case 'n', 'N', 'k', 'K':
			// the next name: this one had no value
			if depth == 0 && !(input && tag) && (nameWord(buf[i:end]) > 0) && i > 0 && !isAlnum(buf[i-1]) && buf[i-1] != '/' && !closes(buf[p:i]) {
				i = end
			}
		case '>':
			// <entry key="db.password">text</entry>
			if input {
				return
			}
			if tag && i > p && buf[i-1] != '/' && i < s.le {
				tag = false
				if i+1 < s.le && textOrData(buf[i+1:s.le]) && bytes.IndexByte(buf[i+2:s.le], '<') >= 0 {
					s.element(i+1, w)
					return
				}
			}
		}
	}
	// The value may stand before the name.
	from := max(s.lo, ks-300)
	for i := ks - 6; i >= from; i-- {
		c := buf[i]
		if c == '}' || c == '{' || c == '<' && s.inTag(ks) && i <= s.tagStart(ks) {
			return
		}
		if n := valueWord(buf[i:ks]); n > 0 && (i == 0 || !isAlnum(buf[i-1])) && (buf[i+n] != '"' || i > 0 && buf[i-1] == '"') {
			s.valueAfter(i+n, ks, w)
			return
		}
	}
}

// textOrData is true where an element has text, plain or as CDATA.
func textOrData(b []byte) bool { return b[0] != '<' || bytes.HasPrefix(b, []byte("<![CDATA[")) }

// closes is true when b ends within a tag that closes: </param-
func closes(b []byte) bool {
	i := bytes.LastIndexByte(b, '<')
	return i >= 0 && i+1 < len(b) && b[i+1] == '/' && bytes.IndexByte(b[i:], '>') < 0
}

// valueWord returns the length of the words that announce the value of a pair.
func valueWord(b []byte) int {
	for _, t := range []string{"value", "content", "string>", "secret\"", "data\"", "stringvalue", "defaultvalue", "default\""} {
		if len(b) > len(t) && foldEqual(b[:len(t)], t) {
			if c := b[len(t)]; !isAlnum(c) && c != '_' || t[len(t)-1] == '>' {
				if t[len(t)-1] == '"' || t[len(t)-1] == '>' {
					return len(t) - 1
				}
				return len(t)
			}
		}
	}
	return 0
}

func nameWord(b []byte) int {
	for _, t := range []string{"name", "key"} {
		if len(b) > len(t) && foldEqual(b[:len(t)], t) && !isAlnum(b[len(t)]) && b[len(t)] != '_' && b[len(t)] != '-' {
			return len(t)
		}
	}
	return 0
}

// valueAfter reads the value behind the word "value" that ends at p.
func (s *Scanner) valueAfter(p, end int, w want) bool {
	buf := s.buf
	n := quoteAt(buf, p, end)
	w.json = n > 0
	p = nonSpace(buf, p+n, end)
	if p >= end {
		return false
	}
	le := s.le
	defer func() { s.le = le }()
	// Work on the line that holds the value.
	eol := bytes.IndexByte(buf[p:s.hi], '\n')
	if eol < 0 {
		eol = s.hi - p
	}
	s.le = p + eol
	switch buf[p] {
	case ':', '=':
		w.toEnd = n == 0 && buf[p] == ':' && bytes.LastIndexByte(buf[max(0, p-200):p], '{') <= max(bytes.LastIndexByte(buf[max(0, p-200):p], '}'), bytes.LastIndexByte(buf[max(0, p-200):p], '\n'))
		s.value(p+1, w)
		return true
	case '>':
		i := bytes.IndexByte(buf[p:s.hi], '<')
		if i > 0 {
			s.hideText(p+1, p+i, w.kind, w.rule)
		}
		return true
	}
	return false
}

// isNamed is true when the text at ks is the value of a name: name="X",
// "key": "X", <name>X, <key>X, or the field of such a table.
func (s *Scanner) isNamed(ks int) bool {
	buf := s.buf
	i := ks - 1
	if i > s.lo && (buf[i] == ':' || buf[i] == '#') && isAlnum(buf[i-1]) {
		// a prefix of the name: key="ida:ClientSecret", Name="Users.2#Password"
		b := i
		for b > s.lo && (isAlnum(buf[b-1]) || buf[b-1] == '.') {
			b--
		}
		if b > s.lo && buf[b-1] == '"' {
			i = b - 1
		}
	}
	for i >= s.lo && (isSpace(buf[i]) || buf[i] == '"' || buf[i] == '\'' || buf[i] == '\\' || buf[i] == '=' || buf[i] == ':' || buf[i] == '>' || buf[i] == '/' || buf[i] == ';' || isPathChar(buf[i]) && false) {
		i--
	}
	e := i + 1
	for i >= s.lo && isAlnum(buf[i]) {
		i--
	}
	w := buf[i+1 : e]
	if len(w) > 4 && (w[0] == 'n' || w[0] == 't') && i >= s.lo && buf[i] == '\\' {
		w = w[1:]
	}
	for _, t := range []string{"name", "key", "id", "field", "variable", "var", "param", "parameter", "property", "attribute", "entry", "setting", "option", "string", "envvar", "label", "variablename", "header", "quot", "path", "k"} {
		if foldIs(w, t) {
			return true
		}
	}
	if foldIs(w, "type") && ks+8 < s.hi && foldEqual(buf[ks:ks+8], "password") && quoteAt(buf, ks+8, s.hi) > 0 {
		return true // {"type": "password", "value": "x"}
	}
	return len(w) > 4 && (foldEqual(w[len(w)-4:], "name") || foldEqual(w[len(w)-3:], "key"))
}

func isPathChar(c byte) bool { return c == '/' }

// path finds the content of a file that is named like a secret:
//
//	path: /etc/app.token
//	content: x
func (s *Scanner) path(ks, ke int, w want) {
	buf := s.buf
	if ks == 0 || ke < s.le || w.class != keyname.Strong {
		return
	}
	i := ks
	for i > s.ls && !isSpace(buf[i-1]) {
		i--
	}
	line := buf[s.ls:i]
	if !bytes.HasSuffix(bytes.TrimSpace(line), []byte("path:")) && !bytes.HasSuffix(bytes.TrimSpace(line), []byte("name:")) && !bytes.HasSuffix(bytes.TrimSpace(line), []byte("key:")) {
		return
	}
	w.rule = "name-value"
	end := min(s.hi, ke+300)
	for j, n := ke, 0; j < end && n < 4; n++ {
		nl := bytes.IndexByte(buf[j:end], '\n')
		if nl < 0 {
			break
		}
		j += nl + 1
		k := nonSpace(buf, j, end)
		if k < end && buf[k] == '-' {
			break // the next item
		}
		if m := valueWord(buf[k:end]); m > 0 && k+m < end && buf[k+m] == ':' {
			s.valueAfter(k+m, end, w)
			return
		}
	}
	s.valueAbove(i, w)
}

// valueAbove takes the value that stands in the line before its name:
//
//   - value: x
//     name: API_SECRET
func (s *Scanner) valueAbove(name int, w want) {
	buf := s.buf
	if s.ls-1 <= s.lo {
		return
	}
	from := bytes.LastIndexByte(buf[s.lo:s.ls-1], '\n') + 1 + s.lo
	k := from
	for k < s.ls && (isSpace(buf[k]) || buf[k] == '-') {
		k++
	}
	if m := valueWord(buf[k:s.ls]); m > 0 && buf[k+m] == ':' && k-from == nonSpace(buf, s.ls, s.le)-s.ls && bytes.IndexByte(buf[from:k], '-') >= 0 && name > s.ls {
		s.valueAfter(k+m, s.ls-1, w)
	}
}

// reversed deals with a value in front of its key: "x" == password, x is the
// password.
func (s *Scanner) reversed(ks, ke int, w want) bool {
	buf := s.buf
	if w.class != keyname.Strong || ks-s.ls < 5 {
		return false
	}
	i := ks - 1
	if buf[i] == '$' {
		i--
	}
	for i >= s.ls && isSpace(buf[i]) {
		i--
	}
	if i > s.ls && buf[i] == '=' && (buf[i-1] == '=' || buf[i-1] == '!') {
		for i >= s.ls && (buf[i] == '=' || buf[i] == '!' || isSpace(buf[i])) {
			i--
		}
		if i > s.ls && (buf[i] == '"' || buf[i] == '\'') {
			from := max(s.ls, i-Reach)
			q := bytes.LastIndexByte(buf[from:i], buf[i])
			if q >= 0 {
				w.rule = "comparison"
				s.judge(from+q+1, i, w, true)
				return true
			}
		}
		return false
	}
	// ... is the password
	for _, t := range []string{" is the", " is your", " is my", " is our", " as the", " is a"} {
		n := len(t)
		if i+1-n >= s.ls && foldEqual(buf[i+1-n:i+1], t) {
			e := i + 1 - n
			b := e
			for b > s.ls && !isSpace(buf[b-1]) {
				b--
			}
			for b < e && (buf[b] == '#' || buf[b] == ';' || buf[b] == '/' || buf[b] == '*' || buf[b] == '"' || buf[b] == '\'' || buf[b] == '(' || buf[b] == '`') {
				b++
			}
			for e > b && (buf[e-1] == '"' || buf[e-1] == '`' || buf[e-1] == ')' || buf[e-1] == '\'' && bytes.IndexByte(buf[b:e-1], '\'') < 0) {
				e--
			}
			if looksSecret(buf[b:e]) && !s.spare(buf[b:e], w.class) {
				s.hide(b, e, w.kind, "sentence")
			}
			return true
		}
	}
	return false
}

// openTag is true when buf[ks:] is the name of an XML element that opens.
func (s *Scanner) openTag(ks int) bool {
	i := ks
	for i > s.ls && (isKeyChar(s.buf[i-1]) || s.buf[i-1] == ':') {
		i--
	}
	return i > s.ls && s.buf[i-1] == '<'
}

// tagStart is the place of the < of the tag around p.
func (s *Scanner) tagStart(p int) int {
	return bytes.LastIndexByte(s.buf[s.lo:p], '<') + s.lo
}

// inTag is true inside <...>.
func (s *Scanner) inTag(p int) bool {
	from := max(s.lo, p-300)
	i := bytes.IndexByte(s.buf[from:p], '<') // mostly there is none
	if i < 0 {
		return false
	}
	i += bytes.LastIndexByte(s.buf[from+i:p], '<')
	j := bytes.LastIndexByte(s.buf[from:p], '>')
	if j > i || from+i+1 >= p || !isLetter(s.buf[from+i+1]) {
		return false
	}
	e := from + i + 2
	for e < p && (isKeyChar(s.buf[e]) || s.buf[e] == ':') {
		e++
	}
	return e == p || isBlank(s.buf[e]) || s.buf[e] == '/' || s.buf[e] == '='
}

// elementOpens is true if an element may begin behind v in its line.
func elementOpens(v []byte) bool {
	v = bytes.TrimRight(v, " \t")
	return len(v) == 0 || !isAlnum(v[len(v)-1])
}

// keyTag is true for the element that PAN-OS has a pre-shared key in.
func keyTag(v []byte) bool { return bytes.HasPrefix(v, []byte("<key>")) }

// element hides the text of an XML element whose tag ended before p.
func (s *Scanner) element(p int, w want) {
	buf := s.buf
	w.rule = "xml-element"
	if bytes.HasPrefix(buf[p:s.le], []byte("<![CDATA[")) {
		v := p + 9
		e := bytes.Index(buf[v:s.le], []byte("]]>"))
		if e < 0 {
			e = s.le - v
		}
		s.judge(v, v+e, w, true)
		return
	}
	e := bytes.IndexByte(buf[p:s.le], '<')
	if e < 0 {
		if p >= s.le || len(bytes.TrimSpace(buf[p:s.le])) == 0 {
			if t := bytes.LastIndexByte(buf[s.ls:p], '<'); t > 0 && !elementOpens(buf[s.ls:s.ls+t]) {
				return // auth <secrets>
			}
			s.enter(InElement, w.kind, 0, 3, byte(btoi(foldIs(w.key, "pre-shared-key"))))
			return
		}
		// Text that does not end on its line: one word at most.
		e = s.le - p
		if v := bytes.TrimSpace(buf[p:s.le]); bytes.IndexByte(v, ' ') >= 0 || v[0] == '.' || !looksSecret(v) {
			return
		}
	}
	if e == 0 {
		// <password><value>x</value></password>
		if i := bytes.IndexByte(buf[p:s.le], '>'); i > 0 && p+i+1 < s.le && buf[p+1] != '/' {
			if j := bytes.IndexByte(buf[p+i+1:s.le], '<'); j > 0 && (valueWord(buf[p+1:s.le]) > 0 || foldIs(w.key, "pre-shared-key") && keyTag(buf[p:s.le]) || foldEqual(buf[p+1:min(s.le, p+7)], "string"[:min(6, s.le-p-1)])) {
				s.judge(p+i+1, p+i+1+j, w, true)
			}
		}
		return
	}
	s.judge(p, p+e, w, true)
}
