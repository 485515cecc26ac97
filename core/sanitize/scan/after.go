package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// name is where the name of a key stands, and what stands around it.
type name struct {
	ks, ke    int  // the name itself
	p         int  // behind the quote and the brackets that close it
	quote     int  // the length of that quote; 0 for none
	by        byte // its last byte
	sep       int  // the first that is no blank behind p
	gap       int  // how many blanks there are
	lineStart bool // nothing but indentation and the like before the name
}

// after looks at what follows the name buf[ks:ke] of a key.
func (s *Scanner) after(ks, ke int, class keyname.Class, kind keyname.Kind) {
	w := want{class: class, kind: kind, rule: "key-value", key: s.buf[ks:ke]}
	if l := s.buf[s.ls:ks]; l0(l) == '#' && foldIs(w.key, "secret") && len(l) < 40 && containsFold(l, "client") && containsFold(l, "server") && s.State.Mode == Normal {
		s.enter(InFile, keyname.Password, 0, maxFileLines, byte(formChap)) // # client server secret IP addresses
		return
	}
	if s.before(ks, "checksum/") || ks > s.ls && s.buf[ks-1] == '-' && foldIs(w.key, "secret") && s.hasWord("secrets versions") {
		return
	}
	if ke < s.le && s.buf[ke] == ':' && packageArchs.has(firstWord(s.buf[ke+1:s.le])) || s.before(ks, "public key ") && foldIs(w.key, "token") {
		return // libsecret-1-0:amd64, and what names an assembly
	}
	if ke+2 < s.le && s.buf[ke] == '\\' && s.buf[ke+1] == 'n' && class == keyname.Strong && s.isNamed(ks) && s.escapedPair(ke, w) {
		return
	}
	if foldIs(w.key, "auth") && (s.resp(ke) || s.monitored(ks, ke)) {
		return
	}
	if s.before(ks, "property: ") && s.boundProperty(ke, w) {
		return
	}
	n := s.closed(ks, ke)
	if w.kind == keyname.Password && class == keyname.Strong && ke+9 < s.le && n.quote == 0 && s.defaultOf(ke, w) {
		return
	}
	// The other side of a comparison or a pair: value before the key.
	if s.reversed(ks, ke, w) || s.atLineEnd(n, w) {
		return
	}
	if class == keyname.Strong && s.buf[ke] != '=' && s.buf[ke] != ':' && (s.filledIn(n, w) || s.buf[ke] != '"' && s.against(ks, w)) {
		return
	}
	if ks > s.ls && s.buf[ks-1] == '^' {
		return // a regular expression that looks for the name
	}
	if n.gap == 1 && n.quote == 0 && n.sep < s.le && s.buf[n.sep] >= 0xc3 && s.buf[ks] >= 0x80 {
		e := n.sep // whose it is, in another script
		for e < s.le && s.buf[e] >= 0x80 {
			e++
		}
		if e < s.le && s.buf[e] == ':' {
			n.sep = e
		}
	}
	n.lineStart = s.startsLine(ks) || s.prompted(ks, n.sep)
	w.json = n.by == '"' && n.quote >= 1
	w.indent = s.indentOf()
	if n.sep < s.le && (s.buf[n.sep] == '<' && s.htmlCell(ks, n.sep, w) || s.buf[n.sep] == ':' && n.sep+2 < s.le && s.buf[n.sep+1] == '<' && s.htmlCell(ks, n.sep+1, w)) {
		return
	}
	if op := separator(s.buf, n.sep, s.le); op > 0 {
		if s.buf[n.sep] == ':' && op == 1 {
			if k := s.visibility(n.sep); k > 0 {
				n.sep += k
				op = 2
			}
		}
		s.assigned(n, op, w)
		return
	}
	switch c := s.buf[n.sep]; {
	case c == ',':
		if !s.tuple(n, w) {
			s.behindComma(n, w)
		}
	case c == '.' && s.consed(n, w):
	case c == '{' && (s.macro(n, w) || s.property(n, w)):
	case (c == '"' || c == '\'') && n.gap == 1 && n.quote == 0 && s.pairOfWords(n, w):
	case s.behindTag(n, w):
	case n.quote > 0 && (c == '}' || c == ']' || c == ';'):
		if c != ';' || !s.serialized(n, w) {
			s.pair(ks, n.sep, w)
		}
	case c == '(' && n.gap > 0 && class == keyname.Strong && s.remark(n.sep) > 0:
		s.behindRemark(n, w)
	case c == '(' && n.gap == 1 && class == keyname.Strong && s.inParentheses(n.sep, w):
	case c == '.' && n.sep+3 < s.le && s.buf[n.sep+1] == '.' && s.buf[n.sep+2] == '.':
		v := n.sep
		for v < s.le && (s.buf[v] == '.' || s.buf[v] == ' ' || s.buf[v] == ':') {
			v++
		}
		s.value(v, w)
	case c == '|' && (n.gap > 0 || ks > s.ls && s.buf[ks-1] == '|'):
		s.cell(n.sep+1, w)
	case n.gap > 0 && n.quote > 1 && valueWord(s.buf[n.sep:s.le]) > 0 && s.isNamed(ks):
		s.pair(ks, n.sep, w) // name=&quot;password&quot; value=&quot;x&quot;
	case n.gap > 0 && n.quote > 0 && s.blockLabel(ks, n.sep):
	case n.gap > 0:
		s.words(n, w)
	}
}

// l0 is the first byte of a line, or 0.
func l0(l []byte) byte {
	if len(l) == 0 {
		return 0
	}
	return l[0]
}

// closed finds what closes around the name: quotes, brackets.
func (s *Scanner) closed(ks, ke int) name {
	buf := s.buf
	n := name{ks: ks, ke: ke, p: ke}
	if q := quoteAt(buf, n.p, s.le); q > 0 && (buf[n.p] != '`' || s.backquoted(ks, n.p)) {
		n.quote, n.by = q, buf[n.p+q-1]
		n.p += q
	}
	p := n.p
	for p < s.le && (buf[p] == ']' || buf[p] == ')' || buf[p] == '}' || emptyIndex(buf, p, s.le) > 0) {
		p += max(1, emptyIndex(buf, p, s.le))
	}
	if p > n.p && n.quote == 0 {
		if q := quoteAt(buf, p, s.le); q > 0 && p+q < s.le && (buf[p+q] == ':' || buf[p+q] == '=' || s.tested(p+q)) {
			p += q
		}
	}
	n.p = p
	n.sep = nonSpace(buf, p, s.le)
	n.gap = n.sep - p
	return n
}

// backquoted is true for a name between backticks to which a string is assigned,
// as in R: `password` = 'x'.
func (s *Scanner) backquoted(ks, p int) bool {
	v := nonSpace(s.buf, p+1, s.le)
	if ks > s.ls && s.buf[ks-1] == '`' && v > p+1 && v < s.le && s.buf[v] == '|' {
		return true // a cell of Markdown
	}
	if ks == s.ls || s.buf[ks-1] != '`' || v+2 >= s.le || s.buf[v] != '=' {
		return false
	}
	v = nonSpace(s.buf, v+1, s.le)
	e := v
	for e < s.le && isAlnum(s.buf[e]) {
		e++
	}
	return v < s.le && (s.buf[v] == '"' || s.buf[v] == '\'' || e-v >= 20 && looksRandom(s.buf[v:e]))
}

// tested is true where a shell compares what stands before p: "${password}" == x.
func (s *Scanner) tested(p int) bool {
	buf := s.buf
	v := nonSpace(buf, p, s.le)
	return v > p && v+2 < s.le && (buf[v] == '=' || buf[v] == '!' && buf[v+1] == '=') && bytes.IndexByte(buf[s.ls:p], '[') >= 0
}

// emptyIndex returns the length of [] or [32] at p, as in the declaration of an
// array, or 0.
func emptyIndex(buf []byte, p, end int) int {
	if buf[p] != '[' {
		return 0
	}
	e := p + 1
	for e < end && e-p < 6 && isDigit(buf[e]) {
		e++
	}
	if e < end && buf[e] == ']' {
		return e + 1 - p
	}
	return 0
}

// atLineEnd deals with a name that ends its line: the value may be on the next
// one, or belong to a pair. False if something follows.
func (s *Scanner) atLineEnd(n name, w want) bool {
	strong := w.class == keyname.Strong
	if n.sep+1 == s.le && s.buf[n.sep] == '\\' && strong && s.flagDashes(n.ks) > 0 || n.sep >= s.le && strong && s.flagDashes(n.ks) > 1 && !s.State.open() {
		// --password, and its value on the next line
		s.enter(InNext, w.kind, max(0, s.indentOf()-1), 1, 0)
		return true
	}
	if n.sep < s.le {
		return false
	}
	if strong && (n.ks == s.ls && n.gap == 0 && s.counted() || n.quote == 1 && s.reply(n.ks, w)) {
		return true
	}
	if strong && w.kind == keyname.Password && n.quote == 0 && s.question(n.ks, w) {
		return true
	}
	if strong && n.gap == 0 && s.openTag(n.ks) {
		s.attributeBelow(w)
	}
	if n.quote > 0 && w.class == keyname.Strong && !s.State.open() && s.hasWord("form-data") {
		s.enter(InNext, w.kind, 0, 2, 'f') // a part of a form: its value stands alone
		return true
	}
	if strong && n.quote == 0 && n.gap == 0 && nonSpace(s.buf, s.ls, s.le) == n.ks && !s.State.open() && foldIs(w.key, "password") && s.netrc() {
		s.enter(InNext, w.kind, 0, 1, 'n') // of netrc, which may break its lines anywhere
		return true
	}
	if foldIs(w.key, "passwords") && n.quote == 0 && n.gap == 0 && s.hasWord("following") && !s.State.open() {
		s.enter(InUsers, keyname.Password, -1, 0, 0) // set the following passwords
		return true
	}
	if n.quote > 0 || s.buf[n.ks-btoi(n.ks > s.lo)] == '/' || s.inTag(n.ks) {
		s.pair(n.ks, n.p, w)
	}
	if w.kind == keyname.Community && s.before(n.ks, "snmp ") && s.buf[s.ls] == '/' {
		s.communityBelow(w)
		return true
	}
	if n.gap == 0 && n.quote == 0 && s.le < s.hi {
		s.path(n.ks, n.ke, w)
	}
	return true
}

// assigned deals with a name behind which an operator of size bytes stands.
func (s *Scanner) assigned(n name, size int, w want) {
	buf := s.buf
	op := buf[n.sep : n.sep+size]
	if op[0] == ':' && (s.documented(n.ks) || s.before(n.ks, "://") && bytes.IndexByte(buf[n.sep:s.le], '@') > 0) {
		return // https://x-access-token:x@host is an URL
	}
	v := n.sep + size
	w.coded = op[0] == '%' && size >= 3
	if op[0] == '=' && size == 1 && v+3 < s.le && buf[v] == '3' && (buf[v+1] == 'A' || buf[v+1] == 'D') && (isSpace(buf[v+2]) || buf[v+2] == '"') {
		v += 2 // =3A and =3D of mail
	}
	if n.quote > 0 && s.before(n.ks, "::") {
		return // 'Some::Token' => '1.2': a module and its version
	}
	if size == 2 && op[0] == '-' && n.p > n.ke && buf[n.p-1] == ')' {
		return // f(password) -> what it returns
	}
	if op[0] == ':' && v < s.le && buf[v] == '?' && s.before(n.ks, "${") {
		return // ${PASSWORD:?must be set}
	}
	if len(w.key) > 5 && foldEqual(w.key[:5], "hmac-") && op[0] == ':' && size == 1 {
		// hmac-sha256:NAME:SECRET of nsupdate
		if i := bytes.IndexByte(buf[v:s.le], ':'); i > 0 && i+1 < s.le-v && bytes.IndexByte(buf[v:v+i], '"') < 0 && bytes.IndexByte(buf[v:v+i], ' ') < 0 {
			s.value(v+i+1, want{class: keyname.Strong, kind: keyname.Secret, rule: "key-value"})
		} else if f := bytes.Fields(buf[v:s.le]); len(f) == 2 && s.before(n.ks, "key ") {
			at := v + bytes.LastIndex(buf[v:s.le], f[1])
			s.judge(at, at+len(f[1]), want{class: keyname.Strong, kind: keyname.Secret, rule: "key-value"}, true)
		}
		return
	}
	if w.class == keyname.Weak && foldIs(w.key, "key") && s.before(n.ks, "cache ") {
		return
	}
	if w.class == keyname.Weak && op[0] == '=' && size == 1 && foldIs(w.key, "key") && n.ks > s.ls && (buf[n.ks-1] == '?' || buf[n.ks-1] == '&') {
		e := v
		for e < s.le && isAlnum(buf[e]) {
			e++
		}
		if e-v >= 8 && mixedCase(buf[v:e]) && (e == s.le || buf[e] == '&' || buf[e] == '"' || buf[e] == '\'' || buf[e] == ' ') {
			w.class = keyname.Strong // https://host/cron?key=x
		}
	}
	if t := firstWord(buf[nonSpace(buf, v, s.le):s.le]); w.class == keyname.Weak && op[0] == ':' && foldIs(w.key, "auth") && len(t) > 4 && t[len(t)-1] == ':' {
		return // auth: Debug: what a daemon says
	}
	if w.class == keyname.Weak && op[0] == ':' && foldIs(w.key, "key") && (s.before(n.ks, "with ") || s.before(n.ks, "from ") || s.before(n.ks, "for ")) && (s.hasWord("ache ")) {
		return // Cache saved with key: x
	}
	if t := bytes.Trim(firstWord(buf[nonSpace(buf, v, s.le):s.le]), "\"',;}"); n.quote == 0 && len(t) == len(w.key) && len(t) > 4 && upperIdent(t) && foldIs(w.key, string(t)) || permissions(t) || gpgID(w.key, t) {
		return // --password=PASSWORD, group:tokenreaders:r--, KEY_ID=0xB7A1D90C4E62F835
	} else if foldIs(w.key, "nkey") && isPublicNKey(t) || op[0] == ':' && s.sumOf(n.ks, t) || len(t) == 71 && string(t[:7]) == "sha256:" && len(w.key) > 2 && foldEqual(w.key[len(w.key)-3:], "pin") {
		return // the last is a fingerprint: ca_pin
	}
	if w.class == keyname.Weak && op[0] == '=' && size == 1 && n.lineStart && foldIs(w.key, "key") && s.tacacs() {
		w.class, w.kind = keyname.Strong, keyname.Secret
	}
	if n.quote == 0 && w.class == keyname.Strong && op[len(op)-1] == '=' && size < 3 && !n.lineStart && s.parallel(n.ks, v, w) {
		return
	}
	if s.Identify && w.kind == keyname.Password {
		s.accountBefore(n.ks, op)
	}
	if op[0] == ':' && n.ks > s.ls && buf[n.ks-1] == '/' {
		if i := bytes.LastIndex(buf[s.ls:n.ks], []byte("${")); i >= 0 && bytes.IndexByte(buf[s.ls+i:n.ks], '}') < 0 {
			return // ${file:/etc/secrets.properties:name}
		}
	}
	if op[0] == ':' && (w.kind == keyname.Secret && s.annotated(n.ks, v) || n.quote > 0 && n.ks > s.ls && buf[n.ks-1] == '/' && s.le-v < 3 && buf[s.le-1] == '{') {
		return // "node_modules/js-tokens": {
	}
	if s.promptEnds(n, v) {
		if w.kind == keyname.Password && op[0] == ':' {
			s.expected(n.ks)
		}
		return
	}
	if n.quote > 0 && n.gap > 0 && op[0] == ':' && s.named(v) {
		return // volume "creds" : secret "db" not found
	}
	if op[0] == ':' && size == 1 && n.gap > 0 && n.lineStart && isSpace(buf[min(v, s.le-1)]) && n.quote == 0 {
		w.json = false
	}
	if size == 1 && op[0] == ':' {
		// key: type = value
		if t := typedValue(buf, v, s.le); t > 0 {
			w.json, w.code = false, true
			s.value(t, w)
			return
		}
	} else {
		w.json = false
	}
	before := s.extent(n, op, v, &w)
	if s.Identify && w.kind == keyname.Password && w.class == keyname.Strong {
		s.owner(n.ks)
	}
	if (before == '"' || before == '\'') && size == 1 && op[0] == '=' && n.quote == 0 && upperIdent(w.key) && s.quotedPair(v, before, w) {
		return
	}
	if w.kind == keyname.Cookie && op[0] == '=' && size == 1 {
		w.list = true
	}
	if op[0] == ':' && w.class == keyname.Weak && s.pinGiven(n.ks, v, w) {
		return
	}
	if op[0] == ':' {
		done := false
		if v, done = s.colonRest(v, w, n.quote > 0); done {
			return
		}
	}
	if s.special(v, w) || w.class == keyname.Strong && op[0] == '=' && s.placeholder(v) {
		return
	}
	if size > 1 && op[size-1] == '=' && !(size == 2 && (op[0] == ':' || op[0] == '?' || op[0] == '+' || op[0] == '\\')) && !(size == 3 && op[0] == ':') {
		w.code = true
	}
	if q := nonSpace(buf, v, s.le); string(op) == "||" && !s.source && quoteAt(buf, q, s.le) == 0 {
		return // the next command
	}
	if string(op) == "??" {
		w.code, w.toEnd = true, false
	}
	if before == ';' || before == ' ' && n.ks-2 >= s.ls && buf[n.ks-2] == ';' {
		w.semicolon = op[0] == '='
	}
	if w.kind == keyname.Password && n.quote == 0 && s.both(n.ks, v, w) {
		return
	}
	if !n.lineStart && n.quote == 0 && (op[0] == ':' || size == 1 && n.gap == 0) && s.talk(n.ks, v) {
		return
	}
	if w.toEnd && s.comment() && manyWords(buf[nonSpace(buf, v, s.le):s.le]) {
		return
	}
	if s.changed(v, w) || s.source && w.kind == keyname.Token && size > 1 && s.parsed(op, v) {
		return
	}
	if q := nonSpace(buf, v, s.le); q+1 == s.le && buf[q] == '\\' && w.class == keyname.Strong && !s.State.open() {
		s.enter(InNext, w.kind, w.indent, 1, 'v') // the value is all on the next line
		return
	}
	if op[0] == ':' && size == 1 && n.gap == 0 && n.quote == 0 && w.class == keyname.Strong {
		if e := s.fieldOfGo(n.ks, v); e > 0 {
			s.judge(v, e, w, true)
			s.keyEnd = max(s.keyEnd, e)
			return
		}
		if n.ks > s.ls && s.buf[n.ks-1] == '$' && s.typeOfVariable(v) {
			return
		}
	}
	if string(op) == "=>" && w.class == keyname.Strong && nonSpace(buf, v, s.le) >= s.le && !s.State.open() {
		s.enter(InNext, w.kind, w.indent, 1, 0) // ["password"]=>, and its value below
		return
	}
	if s.collection(v, w) {
		return
	}
	spans := len(s.Spans)
	end := s.value(v, w)
	if w.class == keyname.Strong && !s.source {
		s.formerly(v, w)
	}
	if len(s.Spans) > spans {
		s.keyEnd = max(s.keyEnd, end)
	}
}

// named is true for a word and a name in quotes at v: no value of JSON.
func (s *Scanner) named(v int) bool {
	v = nonSpace(s.buf, v, s.le)
	e := v
	for e < s.le && s.buf[e] >= 'a' && s.buf[e] <= 'z' {
		e++
	}
	return e > v+2 && e+1 < s.le && s.buf[e] == ' ' && quoteAt(s.buf, e+1, s.le) > 0
}

// promptEnds is true when a quote at v ends the string that the name is in:
// a prompt such as "Password: ".
func (s *Scanner) promptEnds(n name, v int) bool {
	buf := s.buf
	v = nonSpace(buf, v, s.le)
	return v < s.le && n.quote == 0 && (buf[v] == '"' || buf[v] == '\'') && (v+1 >= s.le || isSpace(buf[v+1]) || buf[v+1] == ')' || buf[v+1] == ',' || buf[v+1] == ';') && s.openQuote(n.ks) == buf[v]
}

// extent settles how far the value at v may reach: one word, to the end of the
// line, over a block. It returns the byte before the name.
func (s *Scanner) extent(n name, op []byte, v int, w *want) byte {
	// A flag of a command (--password=x) or a query parameter is one word.
	before := byte(' ')
	if n.ks > s.ls {
		before = s.buf[n.ks-1]
	}
	w.list = before == '?' || before == '&' || before == ';'
	w.toEnd = n.lineStart && n.quote == 0 && before != '-' && before != '`' && !w.list && (len(op) == 1 || string(op) == ":=" || string(op) == "::=" || string(op) == "：")
	if op[0] == '=' && v < s.le && !isSpace(s.buf[v]) && (s.shellLine(n.ks) || upperIdent(upperTail(w.key)) && s.commandBehind(v)) && !s.itemStart(n.ks) {
		w.toEnd = false
	}
	if s.source && !s.commented(n.ks) && !s.inString(n.ks, n.quote) {
		w.code, w.toEnd = true, false
	}
	w.block = n.lineStart
	return before
}

// special reads values with a grammar of their own. True if this was one.
func (s *Scanner) special(v int, w want) bool {
	if foldIs(w.key, "passwd") && messageOfPasswd(s.buf[nonSpace(s.buf, v, s.le):s.le]) {
		return true
	}
	if t := nonSpace(s.buf, v, s.le); t < s.le && (s.buf[t] == '(' || s.buf[t] == '[') && s.loginPair(t, w) {
		return true
	}
	if cookieName(w) {
		s.cookies(v, w)
		return true
	}
	if k := len(w.key) - len("authorization"); k >= 0 && foldEqual(w.key[k:], "authorization") {
		s.authorization(v, w)
		return true
	}
	return false
}

// flagDefault takes what a flag of a Go program is without being set:
// StringVar(&v, "db-pass", "x", "usage"); and lists of names and values:
// options('Username','u','Password','x').
func (s *Scanner) flagDefault(n name, w want) bool {
	if !s.secondArgument(n.ks, n.quote) {
		return false
	}
	w.rule = "argument"
	v := nonSpace(s.buf, n.sep+1, s.le)
	switch before := s.buf[s.ls:n.ks]; {
	case bytes.Contains(before, []byte("StringVarP(")):
		c := bytes.IndexByte(s.buf[v:s.le], ',')
		if c < 0 {
			return true
		}
		v = nonSpace(s.buf, v+c+1, s.le) // behind the short name
	case bytes.Contains(before, []byte("StringVar(")):
	case containsFold(before, "('user") || containsFold(before, "(\"user"):
	default:
		return false
	}
	if quoteAt(s.buf, v, s.le) == 1 && v+1 < s.le && !s.spaced(v) {
		s.value(v, w)
	}
	return true
}

// spaced is true if the string at v holds blanks: a description.
func (s *Scanner) spaced(v int) bool {
	e := stringEnd(s.buf, v, s.le)
	return e < 0 || bytes.IndexByte(s.buf[v:e], ' ') > 0
}

// stringStart is where the string begins whose end the name is: "/prod/password".
func (s *Scanner) stringStart(n name) int {
	if n.quote != 1 || n.ks == s.ls || s.buf[n.ks-1] == n.by {
		return n.ks
	}
	i := bytes.LastIndexByte(s.buf[max(s.ls, n.ks-64):n.ks], n.by)
	if i < 0 || bytes.ContainsAny(s.buf[max(s.ls, n.ks-64)+i+1:n.ks], " =,{") {
		return n.ks
	}
	return max(s.ls, n.ks-64) + i + 1
}

// isValue is true for a string that is the value of a key itself, as in JSON.
func (s *Scanner) isValue(n name) bool {
	i := n.ks - 1 - n.quote
	for i >= s.ls && isSpace(s.buf[i]) {
		i--
	}
	return i > s.ls && s.buf[i] == ':' && quoteAt(s.buf, i-1, s.le) > 0
}

// behindTag deals with names in tags, escaped or not, and in their attributes.
// False if the name is in none.
func (s *Scanner) behindTag(n name, w want) bool {
	buf, sep := s.buf, n.sep
	switch c := buf[sep]; {
	case c == '>' && n.quote > 0 && s.inTag(n.ks):
		s.pair(n.ks, sep, w)
	case c == '>' && s.openTag(n.ks):
		if n.ks-2 >= s.ls && isLetter(buf[n.ks-2]) && buf[n.ks-1] == '<' {
			if i := bytes.IndexByte(buf[sep:s.le], '<'); i < 0 || sep+i+1 >= s.le || buf[sep+i+1] != '/' {
				return true // C<Authorization> of POD
			}
		}
		s.element(sep+1, w)
	case c == '&' && n.quote > 1 && n.gap == 0 && string(buf[sep:min(s.le, sep+4)]) == "&gt;" && s.isNamed(n.ks):
		// &lt;property name=&quot;password&quot;&gt;text&lt;
		if e := bytes.Index(buf[sep:s.le], []byte("&lt;")); e > 4 {
			s.judge(sep+4, sep+e, w, true)
		}
	case c == '&' && s.escapedTag(n.ks, sep):
		// &lt;password&gt;text&lt;/password&gt;
		if e := bytes.Index(buf[sep:s.le], []byte("&lt;")); e > 4 {
			s.judge(sep+4, sep+e, w, true)
		}
	case c == '\\' && w.class == keyname.Strong && s.le-sep > 6 && string(buf[sep:sep+6]) == `\u003e`:
		if e := bytes.Index(buf[sep:s.le], []byte(`\u003c`)); e > 6 {
			s.judge(sep+6, sep+e, w, true)
		}
	case n.gap > 0 && s.openTag(n.ks) && s.selfClosed(sep):
		// <secret value="x"/>
		if i := bytes.Index(buf[sep:s.le], []byte("value=")); i >= 0 && w.class == keyname.Strong {
			s.value(sep+i+6, w)
		}
	case n.gap > 0 && s.openTag(n.ks):
		// <password encrypted="false">text</password>
		if g := bytes.IndexByte(buf[sep:s.le], '>'); g > 0 && buf[sep+g-1] != '/' && bytes.IndexByte(buf[sep:sep+g], '=') > 0 {
			s.element(sep+g+1, w)
		}
	case (n.quote > 0 || n.gap > 0) && s.inTag(n.ks), c == '<' && sep+2 < s.le && buf[sep+1] == '/':
		// <key>password</key><string>value</string>
		s.pair(n.ks, sep, w)
	default:
		return false
	}
	return true
}

// behindRemark reads: Community (rw): [x]
func (s *Scanner) behindRemark(n name, w want) {
	v := nonSpace(s.buf, s.remark(n.sep), s.le)
	if v+1 < s.le && s.buf[v] == '[' && bytes.IndexByte(s.buf[v:s.le], ']') > 1 {
		s.judge(v+1, v+bytes.IndexByte(s.buf[v:s.le], ']'), w, true)
		return
	}
	if w.toEnd = n.lineStart; w.toEnd && bytes.Contains(s.buf[n.sep:v], []byte("tr")) && bytes.Count(s.buf[v:s.le], []byte{' '}) > 1 {
		return // token (Optional[str]): what it is for
	}
	s.value(v, w)
}

// serialized reads what PHP makes of an array: s:8:"password";s:3:"abc";
func (s *Scanner) serialized(n name, w want) bool {
	p := n.sep + 1
	if p+4 >= s.le || s.buf[p] != 's' || s.buf[p+1] != ':' {
		return false
	}
	for p += 2; p < s.le && isDigit(s.buf[p]); p++ {
	}
	if p >= s.le || s.buf[p] != ':' {
		return false
	}
	s.value(p+1, w)
	return true
}
