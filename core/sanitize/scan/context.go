package scan

import (
	"bytes"
	"iter"

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
		if w.class == keyname.Strong && !s.State.open() {
			if foldIs(w.key, "chpasswd") {
				s.enter(InUsers, keyname.Password, w.indent, 0, 0)
			} else {
				s.enter(InNext, w.kind, w.indent, 3, 0)
			}
		}
		return v, true
	}
	// anchors and tags: key: &name value, key: !!str value
	for v < s.le && (buf[v] == '&' || buf[v] == '!') {
		e := v
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		if e >= s.le || buf[v] == '!' && !(v+1 < s.le && (buf[v+1] == '!' || isLetter(buf[v+1]))) {
			break
		}
		if bytes.HasPrefix(buf[v:e], []byte("!vault")) || bytes.HasPrefix(buf[v:e], []byte("!Ref")) || bytes.HasPrefix(buf[v:e], []byte("!Sub")) || bytes.HasPrefix(buf[v:e], []byte("!ENV")) || bytes.HasPrefix(buf[v:e], []byte("!GetAtt")) {
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
		} else if w.class == keyname.Weak && !quoted {
			s.weakBlock(w)
		}
		return v, true
	}
	if buf[v] == '[' && w.class == keyname.Strong {
		// a flow list of plain words
		if e := bytes.IndexByte(buf[v:min(s.le, v+Reach)], ']'); e > 0 && quoteAt(buf, v+1, s.le) == 0 && !bytes.ContainsAny(buf[v:v+e], "{") {
			from := v + 1
			for from < v+e {
				c := bytes.IndexByte(buf[from:v+e], ',')
				if c < 0 {
					c = v + e - from
				}
				s.judge(from, from+c, w, false)
				from += c + 1
			}
			return v, true
		}
		if v+1 >= s.le || quoteAt(buf, nonSpace(buf, v+1, s.le), s.le) == 0 {
			return v, true
		}
	}
	return v, false
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

func (s *Scanner) weakBlock(w want) {}

func (st *State) open() bool { return st.Mode != Normal && st.Mode != InData && st.Mode != InUsers }

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
	if p < s.le && buf[p] == '>' && s.inTag(ks) && p+1 < s.le && buf[p+1] != '<' && !isSpace(buf[p+1]) {
		s.element(p+1, w)
		return
	}
	w.rule = "name-value"
	end := min(s.hi, p+400)
	depth := 0
	tag := s.inTag(ks)
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
			if i > 0 && isAlnum(buf[i-1]) && !(buf[i-1] == 'n' && i > 1 && buf[i-2] == '\\') {
				continue
			}
			n := valueWord(buf[i:end])
			if n == 0 || buf[i+n] == '"' && i > 0 && buf[i-1] != '"' {
				continue
			}
			if s.valueAfter(i+n, end, w) {
				return
			}
		case 'n', 'N', 'k', 'K':
			// the next name: this one had no value
			if depth == 0 && (nameWord(buf[i:end]) > 0) && i > 0 && !isAlnum(buf[i-1]) && buf[i-1] != '/' {
				i = end
			}
		case '>':
			// <entry key="db.password">text</entry>
			if tag && i > p && buf[i-1] != '/' && i < s.le {
				tag = false
				if i+1 < s.le && buf[i+1] != '<' && bytes.IndexByte(buf[i+1:s.le], '<') > 0 {
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
		if c == '}' || c == '{' || c == '<' && s.inTag(ks) && i < s.tagStart(ks) {
			if c == '{' || c == '<' {
				return
			}
			return
		}
		if n := valueWord(buf[i:ks]); n > 0 && (i == 0 || !isAlnum(buf[i-1])) && (buf[i+n] != '"' || i > 0 && buf[i-1] == '"') {
			s.valueAfter(i+n, ks, w)
			return
		}
	}
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
		w.toEnd = n == 0 && buf[p] == ':'
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
			return
		}
		j += nl + 1
		k := nonSpace(buf, j, end)
		if k < end && buf[k] == '-' {
			return // the next item
		}
		if m := valueWord(buf[k:end]); m > 0 && k+m < end && buf[k+m] == ':' {
			s.valueAfter(k+m, end, w)
			return
		}
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
	i := bytes.LastIndexByte(s.buf[from:p], '<')
	if i < 0 {
		return false
	}
	j := bytes.LastIndexByte(s.buf[from:p], '>')
	return j < i && from+i+1 < p && (isLetter(s.buf[from+i+1]))
}

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
			s.enter(InElement, w.kind, 0, 3, 0)
			return
		}
		// Text that does not end on its line: one word at most.
		e = s.le - p
		if v := bytes.TrimSpace(buf[p:s.le]); bytes.IndexByte(v, ' ') >= 0 || !looksSecret(v) {
			return
		}
	}
	if e == 0 {
		// <password><value>x</value></password>
		if i := bytes.IndexByte(buf[p:s.le], '>'); i > 0 && p+i+1 < s.le && buf[p+1] != '/' {
			if j := bytes.IndexByte(buf[p+i+1:s.le], '<'); j > 0 && (valueWord(buf[p+1:s.le]) > 0 || foldEqual(buf[p+1:min(s.le, p+7)], "string"[:min(6, s.le-p-1)])) {
				s.judge(p+i+1, p+i+1+j, w, true)
			}
		}
		return
	}
	s.judge(p, p+e, w, true)
}

// words deals with a name that is followed by white space only: directives of
// configuration, flags, tables and sentences.
func (s *Scanner) words(ks, ke, sep, gap, keyQuote int, w want) {
	buf := s.buf
	lineStart := s.startsLine(ks)
	c := buf[sep]
	if foldIs(w.key, "authorization") {
		s.authorizationWords(sep, w)
		return
	}
	if foldIs(w.key, "com2sec") || foldIs(w.key, "com2sec6") {
		// com2sec NAME SOURCE COMMUNITY
		f := bytes.Fields(buf[sep:s.le])
		if n := len(f); n >= 3 {
			at := bytes.LastIndex(buf[sep:s.le], f[n-1]) + sep
			s.judge(at, at+len(f[n-1]), w, true)
		}
		return
	}
	if w.class == keyname.Weak && s.deviceLine() && (foldIs(w.key, "key") || foldIs(w.key, "key-string")) && s.sharedKey() {
		w.class = keyname.Strong
	}
	if flag := s.flagDashes(ks); flag > 0 {
		if c == '-' || c == '|' || c == '>' || c == '&' || c == ';' {
			return
		}
		w.rule, w.toEnd = "flag", false
		s.value(sep, w)
		return
	}
	if w.class == keyname.Strong && s.sentence(ke, sep, w) {
		return
	}
	if c == '{' && w.class == keyname.Strong {
		s.value(sep, w)
		return
	}
	e := sep
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	v := buf[sep:e]
	if c == '-' && (len(v) <= 3 || v[1] == '-') {
		return // a flag follows: the name was a command
	}
	if quoteAt(buf, sep, s.le) > 0 {
		if w.class == keyname.Strong && (lineStart || upperIdent(w.key) && w.kind == keyname.Password || w.kind == keyname.Community || keyQuote > 0 || ks-2 >= s.ls && buf[ks-2] == ':' && upperIdent(w.key)) && c != '`' {
			w.rule = "directive"
			s.value(sep, w)
		}
		return
	}
	// Cisco and the like: the type of the encryption comes first.
	if len(v) == 1 && isDigit(v[0]) && w.class >= keyname.Weak && e < s.le && (s.deviceLine() || w.kind == keyname.Password || w.kind == keyname.Secret) {
		sep = nonSpace(buf, e, s.le)
		for e = sep; e < s.le && !isSpace(buf[e]); {
			e++
		}
		v = buf[sep:e]
		if len(v) >= 3 && (looksSecret(v) || isNumber(v)) {
			w.rule = "device"
			s.judge(sep, e, w, true)
		}
		return
	}
	if foldIs(v, "ascii-text") || foldIs(v, "hexadecimal") || foldIs(v, "ascii") || foldIs(v, "wpa-psk") || foldIs(v, "encrypted") || foldIs(v, "cleartext") || foldIs(v, "local") || foldIs(v, "hash") || foldIs(v, "text") || foldIs(v, "plaintext") || foldIs(v, "sha256") || foldIs(v, "sha512") || foldIs(v, "md5") || foldIs(v, "0x") {
		nv := nonSpace(buf, e, s.le)
		if nv < s.le {
			ne := nv
			for ne < s.le && !isSpace(buf[ne]) {
				ne++
			}
			if quoteAt(buf, nv, s.le) > 0 || looksSecret(buf[nv:ne]) {
				w.rule, w.toEnd = "device", false
				s.value(nv, w)
				return
			}
		}
	}
	rest := nonSpace(buf, e, s.le)
	single := rest >= s.le || buf[rest] == '#'
	compound := bytes.IndexAny(w.key, "_-.") > 0 || hasCamel(w.key) || directive(w.key)
	if w.class == keyname.Strong {
		switch {
		case w.kind == keyname.Community && (lineStart || s.deviceLine()):
			w.rule = "directive"
			if !foldIs(v, "string") && !foldIs(v, "is") && !foldIs(v, "of") && !foldIs(v, "and") {
				s.judge(sep, e, w, true)
			}
			return
		case lineStart && compound && (single || !lowerWord(v)) && !foldIs(v, "is") && !isNumber(v):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case lineStart && single && (s.netrc() || looksSecret(v)) && !(foldIs(w.key, "passwd") && !looksRandom(v)):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case s.netrc() || s.deviceLine():
			if !lowerWord(v) || s.netrc() {
				w.rule = "directive"
				s.judge(sep, e, w, true)
			}
			return
		}
	}
	if w.class == keyname.Strong && w.kind == keyname.Password && single && gap == 1 && mixedWord(v) {
		w.rule = "key-word"
		s.judge(sep, e, w, true)
		return
	}
	// Anywhere: a word that no one would say.
	v = bytes.TrimRight(v, ",;.)\"'")
	if len(v) >= 12 && looksRandom(v) && !isClassName(v) && (gap == 1 || gap >= 2) && (w.class == keyname.Strong && !isUUIDish(v, w) || len(v) >= 20 && mixed(v) && !isUUID(v)) && bytes.IndexByte(v, '=') != 0 && !bytes.ContainsAny(v, "(){}[]<>") {
		if bytes.IndexByte(v, '=') > 0 && bytes.IndexByte(v, '=') < len(v)-2 {
			return
		}
		w.rule = "key-word"
		s.judge(sep, sep+len(v), w, true)
	} else if w.class == keyname.Strong && len(v) >= 15 && isNumber(v) && bytes.IndexByte(v, '.') < 0 {
		s.judge(sep, sep+len(v), w, true)
	}
}

// mixedWord has letters and digits and nothing else but what passwords add.
func mixedWord(v []byte) bool {
	letters, digits := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case isLetter(c):
			letters++
		case c != '!' && c != '@' && c != '#' && c != '$' && c != '%' && c != '&' && c != '_' && c != '-':
			return false
		}
	}
	return len(v) >= 5 && letters >= 2 && digits >= 1
}

func isUUIDish(v []byte, w want) bool { return isUUID(v) && w.kind != keyname.Token }

func lowerWord(v []byte) bool {
	for _, c := range v {
		if (c < 'a' || c > 'z') && c != ',' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

func hasCamel(k []byte) bool {
	for i := 1; i < len(k); i++ {
		if k[i] >= 'A' && k[i] <= 'Z' && k[i-1] >= 'a' && k[i-1] <= 'z' {
			return true
		}
	}
	return false
}

var directiveNames = []string{"bindpw", "rootpw", "requirepass", "masterauth", "rocommunity", "rwcommunity", "authpass", "secrete", "pskkey", "keypass", "storepass", "dbpasswd", "authtok"}

func directive(k []byte) bool {
	for _, d := range directiveNames {
		if foldIs(k, d) {
			return true
		}
	}
	return false
}

// flagDashes counts the dashes of a flag (or one for a slash) before ks.
func (s *Scanner) flagDashes(ks int) int {
	n := 0
	for ks-n-1 >= s.ls && s.buf[ks-n-1] == '-' {
		n++
	}
	if n == 0 || n > 2 {
		return 0
	}
	if i := ks - n - 1; i >= s.ls && !isSpace(s.buf[i]) && s.buf[i] != '"' && s.buf[i] != '\'' && s.buf[i] != '[' && s.buf[i] != '(' && s.buf[i] != ',' {
		return 0
	}
	if n == 1 && ks-2 < s.ls || n == 1 && s.startsLine(ks) && ks < s.le && ks-1 >= s.ls && s.buf[ks-1] == '-' && false {
		return 1
	}
	return n
}

// sharedKey is true for the lines of network gear on which "key" is a secret.
func (s *Scanner) sharedKey() bool {
	l := s.buf[s.ls:min(s.le, s.ls+256)]
	for _, t := range []string{"isakmp", "tacacs", "radius", "key-string", "server", "ntp authentication-key"} {
		if containsFold(l, t) {
			return true
		}
	}
	return false
}

// authorizationWords reads "Authorization Bearer xyz" without a colon.
func (s *Scanner) authorizationWords(p int, w want) {
	if n := quoteAt(s.buf, p, s.le); n > 0 {
		s.quoted(p, n, want{class: keyname.Strong, kind: keyname.Token, rule: "authorization"})
		return
	}
	e := p
	for e < s.le && isAlnum(s.buf[e]) {
		e++
	}
	for _, sch := range []string{"bearer", "basic", "token", "digest"} {
		if foldIs(s.buf[p:e], sch) {
			s.authorization(p, w)
		}
	}
}

// netrc is true for lines and files of machine/login/password words.
func (s *Scanner) netrc() bool {
	if s.le-s.ls > 512 {
		return false
	}
	from := max(s.lo, s.ls-160)
	w := s.buf[from:s.le]
	return containsFold(w, "machine ") && containsFold(w, "login ") || containsFold(s.buf[s.ls:s.le], "login ") && containsFold(s.buf[s.ls:s.le], " password ") && containsFold(w, "default ")
}

// deviceLine is true for lines of network gear.
func (s *Scanner) deviceLine() bool {
	l := bytes.TrimLeft(s.buf[s.ls:s.le], " \t")
	for _, p := range []string{"snmp-server", "enable ", "username ", "set ", "tacacs", "radius", "neighbor ", "crypto ", "ip ospf", "isakmp", "key ", "password ", "secret ", "pre-shared-key", "ppp ", "standby ", "ntp ", "wpa-psk", "key-string", "server-private", "user ", "authentication ", "ip ", "area ", "aaa "} {
		if len(l) > len(p) && foldEqual(l[:len(p)], p) {
			return true
		}
	}
	return false
}

var proseBad = []string{"required", "invalid", "incorrect", "wrong", "not", "missing", "empty", "too", "expired", "set", "a", "an", "the", "in", "stored", "used", "valid", "correct", "now", "being", "already", "only", "your", "hidden", "encrypted", "no", "never", "weak", "strong", "ok", "to", "from", "read", "written", "needed", "mandatory", "optional", "generated", "changed", "provided", "unknown", "case", "null", "unset", "disabled", "enabled", "sent", "passed", "given", "per", "longer", "shorter", "this", "that", "of"}

// sentence reads "the password for user 'x' is 'y'" from after the key.
func (s *Scanner) sentence(ke, sep int, w want) bool {
	buf := s.buf
	end := min(s.le, ke+80)
	// the first " is " (was, to, =) within the next words
	for i, verb := range verbsIn(buf[ke:end]) {
		// Only words and quoted names between.
		mid := buf[ke : ke+i]
		if bytes.ContainsAny(mid, "=;{}<>()") || len(bytes.Fields(mid)) > 6 {
			continue
		}
		p := nonSpace(buf, ke+i+len(verb), s.le)
		if p >= s.le {
			return false
		}
		if n := quoteAt(buf, p, s.le); n > 0 {
			w.rule, w.prose = "sentence", false
			s.value(p, w)
			return true
		}
		if verb == " = " || verb == " of " {
			continue
		}
		e := p
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		t := e
		for t > p && (buf[t-1] == '.' || buf[t-1] == ',' || buf[t-1] == ';' || buf[t-1] == ')') {
			t--
		}
		word := buf[p:t]
		for _, b := range proseBad {
			if foldIs(word, b) {
				return true
			}
		}
		if looksSecret(word) || nonSpace(buf, e, s.le) >= s.le && len(word) >= 4 && verb == " is " {
			w.rule = "sentence"
			s.judge(p, t, w, true)
		}
		return true
	}
	return false
}

// verbs say that what follows is the value; by their first letter.
var verbs = [256][]string{
	'i': {" is set to ", " is ", " is: "}, 'w': {" was ", " will be ", " would be ", " with value "}, 's': {" set to "},
	'c': {" changed to "}, 'a': {" are "}, 'e': {" equals "}, '=': {" = ", " => "}, 't': {" to be "}, 'r': {" reset to "}, 'o': {" of "},
}

// verbsIn yields the places of verbs in b.
func verbsIn(b []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i+2 < len(b); i++ {
			if b[i] != ' ' {
				continue
			}
			for _, v := range verbs[lower(b[i+1])] {
				if i+len(v) <= len(b) && foldEqual(b[i:i+len(v)], v) {
					if !yield(i, v) {
						return
					}
					break
				}
			}
		}
	}
}

func indexFold(b []byte, t string) int {
	for i := 0; i+len(t) <= len(b); i++ {
		if foldEqual(b[i:i+len(t)], t) {
			return i
		}
	}
	return -1
}

func cookieName(w want) bool {
	return foldIs(w.key, "cookie") || foldIs(w.key, "set-cookie") || foldIs(w.key, "cookies") || foldIs(w.key, "cookie2") || foldIs(w.key, "set-cookie2")
}

var cookieAttrs = []string{"path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment"}

// cookies hides the values of a Cookie or Set-Cookie header.
func (s *Scanner) cookies(p int, w want) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	end := s.le
	if n := quoteAt(buf, p, s.le); n > 0 {
		if ve, _ := closeQuote(buf, p+n, s.le, buf[p:p+n]); ve >= 0 {
			end = ve
		}
		p += n
	} else if p > 0 {
		// inside a quoted argument: -H 'Cookie: a=b'
		for i := p; i < s.le; i++ {
			if (buf[i] == '\'' || buf[i] == '"') && (i+1 == s.le || isSpace(buf[i+1]) || buf[i+1] == ',') {
				end = i
				break
			}
		}
	}
	for p < end {
		e := bytes.IndexByte(buf[p:end], ';')
		if e < 0 {
			e = end - p
		}
		part := buf[p : p+e]
		if i := bytes.IndexByte(part, '='); i > 0 {
			name := bytes.TrimSpace(part[:i])
			attr := false
			for _, a := range cookieAttrs {
				attr = attr || foldIs(name, a)
			}
			if !attr && bytes.IndexByte(name, ' ') < 0 {
				s.hideText(p+i+1, p+e, keyname.Cookie, "cookie")
			}
		}
		p += e + 1
	}
}

// authorization hides the credentials of an Authorization header, not the
// scheme.
func (s *Scanner) authorization(p int, w want) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	if n := quoteAt(buf, p, s.le); n > 0 {
		s.quoted(p, n, want{class: keyname.Strong, kind: keyname.Token, rule: "authorization"})
		return
	}
	e := p
	for e < s.le && isAlnum(buf[e]) || e < s.le && buf[e] == '-' {
		e++
	}
	v := nonSpace(buf, e, s.le)
	if e < s.le && isSpace(buf[e]) && v < s.le {
		if foldIs(buf[p:e], "digest") {
			s.hideText(v, s.le, w.kind, "authorization")
			return
		}
		p = v
	}
	e = p
	for e < s.le && buf[e] != '"' && buf[e] != '\'' && buf[e] != '\\' && buf[e] != '<' && buf[e] != '`' && buf[e] != '}' && buf[e] != ']' {
		if buf[e] == '[' && e+1 < s.le && buf[e+1] == '\\' {
			break
		}
		if isSpace(buf[e]) && (e == p || buf[e-1] != ',') {
			break
		}
		e++
	}
	w.rule, w.class = "authorization", keyname.Strong
	s.judge(p, e, w, true)
}
