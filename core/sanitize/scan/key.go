package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// keyBounds finds the whole name around a stem at pos.
func (s *Scanner) keyBounds(pos, stemLen int) (int, int) {
	buf := s.buf
	ks := pos
	for ks > s.ls && isKeyChar(buf[ks-1]) && !isWidePunct(buf, ks-1) && pos-ks < 100 {
		// \n and \t in front of a name are escapes, not letters of it.
		if ks-2 >= s.ls && buf[ks-2] == '\\' && (buf[ks-1] == 'n' || buf[ks-1] == 't' || buf[ks-1] == 'r') {
			break
		}
		ks--
	}
	ke := min(pos+stemLen, s.le)
	for ke > pos+1 && !isKeyChar(buf[ke-1]) {
		ke--
	}
	for ke < s.le && isKeyChar(buf[ke]) && !isWidePunct(buf, ke) && ke-pos < 100 {
		// key-> and key.= and name--: not part of the name
		if buf[ke] == '-' && ke+1 < s.le && (buf[ke+1] == '>' || buf[ke+1] == '-') {
			break
		}
		if buf[ke] == '.' && (ke+1 >= s.le || !isKeyChar(buf[ke+1]) || buf[ke+1] == '.') {
			break
		}
		ke++
	}
	// Percent-encoded and hex escapes before the name.
	for ks < pos && (buf[ks] == '.' || buf[ks] == '-') {
		ks++
	}
	return ks, ke
}

// isWidePunct is true inside quotation marks and full-width punctuation, which
// belong to no name.
func isWidePunct(buf []byte, i int) bool {
	return (buf[i] >= 0x80 || i > 0 && buf[i-1] >= 0x80) && inWidePunct(buf, i)
}

func inWidePunct(buf []byte, i int) bool {
	for back := 0; back < 3 && i-back >= 0; back++ {
		if j := i - back; j+2 < len(buf)+0 && buf[j] >= 0xe0 {
			a, b := buf[j+1], buf[j+2]
			switch buf[j] {
			case 0xe2:
				return a == 0x80 && back <= 2
			case 0xef:
				return a == 0xbc && b < 0xa1 || a == 0xbd
			case 0xe3:
				return a == 0x80 && b <= 0x91
			}
			return false
		}
	}
	return i > 0 && buf[i-1] == 0xc2 || buf[i] == 0xc2
}

// key deals with a hit inside what may be the name of a key.
func (s *Scanner) key(h hit) {
	buf := s.buf
	if h.pos < s.keyEnd {
		return
	}
	if e := h.pos + len(stemTable[h.stem].text); h.stem != userStem && h.stem != foreignStem && e+1 < s.le && buf[e] == '\\' && buf[e+1] == 'u' && separator(buf, e, s.le) == 0 {
		s.escapedKey(e)
		return
	}
	if e := h.pos + len(stemTable[h.stem].text); h.stem != userStem && h.stem != foreignStem && e < s.le && buf[e] == '%' && escapedLetter(buf, e, s.le) {
		s.codedKey(e)
		return
	}
	stemLen := len(stemTable[h.stem].text)
	if h.stem == userStem || h.stem == foreignStem {
		stemLen = 1
	}
	ks, ke := s.keyBounds(h.pos, stemLen)
	// A secret in the tail of the word itself: cloudplanSECRET-AB12...
	if ke-h.pos > 24 {
		if s.tail(h.pos+stemLen, ke) {
			s.keyEnd = ke
			return
		}
	}
	if ke-ks > 16 && endsInToken(buf[ks:ke]) {
		s.keyEnd = ke
		return
	}
	if ke+3 < s.le && buf[ke] == ' ' && (ks == s.ls || buf[ks-1] != '-') && buf[ke+1]|0x20 == 'i' && buf[ke+2]|0x20 == 'd' && !isKeyChar(buf[ke+3]) {
		// Secret ID = x
		if p := nonSpace(buf, ke+3, s.le); separator(buf, p, s.le) > 0 {
			if c, _ := s.classify(buf[ks : ke+3]); c == keyname.Strong {
				ke += 3
			}
		}
	}
	if i := bytes.IndexByte(buf[ks:ke], 0xe2); i >= 0 && ks+i > h.pos && bytes.HasPrefix(buf[ks+i:ke], []byte("→")) {
		ke = ks + i // passwd→x7y
	}
	phrase := ke + len(" phrase")
	if phrase <= s.le && buf[ke] == ' ' && ke-4 >= ks && foldEqual(buf[ke-4:phrase], "pass phrase") && (phrase == s.le || !isKeyChar(buf[phrase])) {
		ke = phrase // in two words, as OpenSSL has it
	} else {
		phrase = 0
	}
	if p := s.colonBehind(ke); !s.source && p+1 < s.le && (buf[p] == ':' && isSpace(buf[p+1]) && s.message(p+1, s.startsLine(ks)) || bytes.HasPrefix(buf[p:s.le], []byte("：")) && s.message(p+3, false)) {
		s.keyEnd = ke
		return
	}
	if s.le-ke <= 5 {
		s.heading(ks, ke)
		s.collectionSection(ks, ke)
	}
	if h.stem == foreignStem {
		if i := bytes.LastIndex(buf[ks:ke], []byte("\u3000")); i >= 0 && ks+i+3 < ke {
			ks += i + 3 // a blank of full width
		}
		if n := keyname.ForeignEnd(buf[ks:min(s.le, ke+16)]); n > ke-ks && (ks+n == s.le || !isKeyChar(buf[ks+n])) {
			ke = ks + n // two words
		}
		if p := copulaAt(buf, h.pos, s.le); p > 0 && s.copula(p) {
			return
		}
		if c, _ := s.classify(buf[ks:ke]); c == keyname.Strong || keyname.ForeignEnd(buf[ks:ke]) > 0 {
			s.toldFrom, s.toldAt, s.toldForeign = ks, ke, true
		}
	}
	if stemTable[h.stem].what == stemKey && !s.source && foreignWord(buf[ks:ke]) {
		s.toldFrom, s.toldAt, s.toldForeign = ks, ke, true
	}
	if (h.stem == foreignStem || ke-ks < 8 && romance.has(buf[ks:ke])) && (s.foreignPhrase(ks, ke) || s.speaksOnly(ks)) {
		return
	}
	for _, t := range [3]string{" string", " d'ordine", " d'acc\u00e8s"} {
		if n := ke + len(t); n < s.le && buf[ke] == ' ' && foldEqual(buf[ke:n], t) && (ke-ks == 9 || ke-ks == 6 || ke-ks == 5) {
			if p := nonSpace(buf, n, s.le); p < s.le && (buf[p] == ':' || buf[p] == '=') && (foldIs(buf[ks:ke], "community") || foldIs(buf[ks:ke], "parola") || foldIs(buf[ks:ke], "jeton")) {
				s.keyEnd = n // SNMP Community String : x, parola d'ordine: x
				s.value(p+1, want{class: keyname.Strong, kind: keyname.Password, rule: "key-value", toEnd: true})
				return
			}
		}
	}
	if s.toldForeign && s.speaksOnly(ks) {
		s.keyEnd, s.toldAt = ke, 0
		return
	}
	if (foldIs(buf[ks:ke], "mot de passe") || foldIs(buf[ks:ke], "passwort") || foldIs(buf[ks:ke], "kennwort") || foldIs(buf[ks:ke], "wachtwoord")) && s.namedPhrase(ks, ke) {
		return
	}
	ke = s.scoped(ks, ke)
	class, kind := s.classify(buf[ks:ke])
	if phrase > 0 {
		class, kind = keyname.Strong, keyname.Password
	}
	if class >= keyname.Weak && ke < s.le && isSpace(buf[ke]) && cmdlet(buf[ks:ke]) {
		s.keyEnd = ke
		return // Add-EncryptionKey is a command
	}
	if class == keyname.Weak && string(buf[ks:ke]) == "_auth" {
		class, kind = keyname.Strong, keyname.Credential // of npm: user and password in base64
	}
	if class == keyname.Weak && ks > s.ls && buf[ks-1] == '$' && ke-ks > 5 && string(buf[ks:ks+5]) == "http_" {
		class = keyname.Strong // what nginx compares a header with
	}
	if class < keyname.Weak && (foldIs(buf[ks:ke], "message-digest-key") || ke-ks > 5 && foldEqual(buf[ks:ks+5], "hmac-") && ke < s.le && buf[ke] == ':') {
		class, kind = keyname.Weak, keyname.APIKey
	}
	if len(s.UserKeys) > 0 && class != keyname.Strong {
		if k, ok := s.userName(buf[ks:ke]); ok {
			class, kind = keyname.Strong, k
		}
	}
	if class == keyname.Weak && s.below(ks, ke) {
		class = keyname.Strong
	}
	// Two words: "secret key:", "api key :", "mot de passe :"
	if ws, c2, k2 := s.twoWords(ks, ke, class); ws < ks {
		ks, class, kind = ws, c2, k2
	}
	if ke < s.le && buf[ke] == '(' && (s.call(ks, ke, class, kind) || s.equality(ks, ke)) {
		s.keyEnd = ke
		return
	}
	if e := ke + len("::new"); e < s.le && buf[ke] == ':' && string(buf[ke:e+1]) == "::new(" && s.call(ks, e, class, kind) {
		s.keyEnd = e
		return
	}
	if e := ke + len("]::new"); e < s.le && buf[ke] == ']' && string(buf[ke:e+1]) == "]::new(" && s.call(ks, e, class, kind) {
		s.keyEnd = e
		return
	}
	if class == keyname.Strong && (ke == s.le || isSpace(buf[ke]) || buf[ke] == ':' || buf[ke] == '?' || buf[ke] == ')' || buf[ke] == ',' || buf[ke] == '.' || buf[ke] >= 0x80) && (kind == keyname.Password || foldIs(buf[ks:ke], "psk") || kind == keyname.Secret && (s.before(ks, "shared ") || ks-2 > s.ls && buf[ks-2] >= 'A' && buf[ks-2] <= 'Z')) && spokenKey(buf[ks:ke]) {
		s.toldFrom, s.toldAt = ks, ke
	} // the language is known already
	if class == keyname.Weak && foldIs(buf[ks:ke], "key") && (ke == s.le || isSpace(buf[ke])) && s.network() || foldIs(buf[ks:ke], "community") && containsFold(buf[s.ls:ks], "snmp") {
		s.toldFrom, s.toldAt = ks, ke
	}
	if ke-ks == len("community") && s.le == ke && s.before(ks, "config system snmp ") {
		s.fortiCommunities()
	}
	if class < keyname.Weak {
		if class == keyname.Policy {
			s.keyEnd = ke
			if i := bytes.Index(buf[ke:s.le], []byte("echo ")); i > 0 && i < 8 && ke-ks > 8 && (foldIs(buf[ke-8:ke], "_command") || foldIs(buf[ke-8:ke], "-command")) {
				s.value(ke+i+5, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}) // ssl_passphrase_command = 'echo x'
			}
		}
		return
	}
	s.keyEnd = ke
	if s.buf[s.le-1] == '{' && s.keyMap(ks, ke) {
		return
	}
	if class == keyname.Strong && s.header(ks, ke) {
		if s.keyEnd <= ke {
			s.keyEnd = s.le // else the statement goes on
		}
		return
	}
	s.after(ks, ke, class, kind)
}

func (s *Scanner) twoWords(ks, ke int, class keyname.Class) (int, keyname.Class, keyname.Kind) {
	buf := s.buf
	if ks-2 < s.ls || !isSpace(buf[ks-1]) || !isKeyChar(buf[ks-2]) {
		return ks, 0, ""
	}
	w := buf[ks:ke]
	if !(len(w) <= 10 && (foldIs(w, "key") || foldIs(w, "token") || foldIs(w, "phrase") || foldIs(w, "passe") || foldIs(w, "code") || foldIs(w, "id") || foldIs(w, "string") || foldIs(w, "hash") || foldIs(w, "cookie"))) {
		return ks, 0, ""
	}
	ws := ks - 1
	for ws > s.ls && isAlnum(buf[ws-1]) {
		ws--
	}
	if ws == ks-1 {
		return ks, 0, ""
	}
	if ws > s.ls && (buf[ws-1] == ':' || buf[ws-1] == '=') {
		return ks, 0, "" // the value of another key
	}
	c, k := s.classify(buf[ws:ke])
	if c == keyname.Strong && class != keyname.Strong || c == keyname.Policy {
		return ws, c, k
	}
	if c == keyname.Harmless && foldIs(w, "key") && foldIs(buf[ws:ks-1], "public") {
		return ws, keyname.Policy, ""
	}
	return ks, 0, ""
}

func foldIs(b []byte, t string) bool { return len(b) == len(t) && foldEqual(b, t) }

// tail finds a secret that hangs on the word that announces it.
func (s *Scanner) tail(from, to int) bool {
	for i := from; i < to && i < from+24; i++ {
		c := s.buf[i]
		if c != '-' && c != '_' && c != '.' && c != '=' {
			continue
		}
		rest := s.buf[i+1 : to]
		if len(rest) >= 20 && !bytes.ContainsAny(rest, "._") && (looksRandom(rest) && mixed(rest) || upperIdent(s.buf[from-3:from]) && onlyAlnum(rest)) {
			s.hide(i+1, to, keyname.Token, "key-tail")
			return true
		}
	}
	return false
}

// mixed wants digits and letters in turn, as in generated keys.
func mixed(v []byte) bool {
	d, turns := 0, 0
	for i, c := range v {
		if isDigit(c) {
			d++
		}
		if i > 0 && isDigit(c) != isDigit(v[i-1]) {
			turns++
		}
	}
	return d >= 4 && turns >= 4
}

// talk is true for sentences with a colon: "invalid token: unexpected end".
func (s *Scanner) talk(ks, v int) bool {
	buf := s.buf
	if ks-2 < s.ls || buf[ks-1] != '*' && (!isSpace(buf[ks-1]) || !isLetter(buf[ks-2])) || v >= s.le || !isSpace(buf[v]) && !isSpace(buf[v-1]) {
		return false
	}
	v = nonSpace(buf, v, s.le)
	e := v
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	if e == v || e+1 >= s.le || !isLetter(buf[e+1]) {
		return false
	}
	return lowerWord(buf[v:e]) || buf[e+1] >= 'a' && complaints.has(buf[v:e])
}

// complaints are the first words of what went wrong: failed to get a token:
// Invalid credentials.
var complaints = listOf("invalid", "unable", "failed", "error", "connection", "could", "cannot", "no", "not", "permission", "access", "bad", "unknown", "missing", "expired", "timeout", "request", "too", "unexpected", "wrong", "internal", "incorrect", "unauthorized", "forbidden", "insufficient", "unsupported", "malformed", "rejected", "denied")

// annotated is true for the name of a secret, with its namespace, in an
// annotation of Kubernetes: example.com/auth-secret: cloud/basic-auth.
func (s *Scanner) annotated(ks, v int) bool {
	buf := s.buf
	if ks-4 < s.ls || buf[ks-1] != '/' {
		return false
	}
	dot := false
	for i := ks - 2; i >= s.ls && (isAlnum(buf[i]) || buf[i] == '-' || buf[i] == '.'); i-- {
		dot = dot || buf[i] == '.'
	}
	v = nonSpace(buf, v, s.le)
	v += quoteAt(buf, v, s.le)
	slash := false
	for v < s.le && (buf[v] >= 'a' && buf[v] <= 'z' || isDigit(buf[v]) || buf[v] == '-' || buf[v] == '/') {
		slash = slash || buf[v] == '/'
		v++
	}
	return dot && slash && (v == s.le || isSpace(buf[v]) || buf[v] == '"' || buf[v] == '\'' || buf[v] == ',' || buf[v] == '}')
}

// comment is true for lines that a program ignores.
func (s *Scanner) comment() bool {
	p := nonSpace(s.buf, s.ls, s.le)
	return p < s.le && (s.buf[p] == '#' || s.buf[p] == ';' || s.buf[p] == '/' && p+1 < s.le && s.buf[p+1] == '/' || s.buf[p] == '*')
}

// manyWords is true for a sentence: four words of small letters and more.
func manyWords(v []byte) bool {
	words := 0
	for len(v) > 0 && words < 4 {
		e := bytes.IndexByte(v, ' ')
		if e < 0 {
			e = len(v)
		}
		for i, c := range v[:e] {
			if !isLetter(c) && c != '(' && c != ')' && c != ',' && c != '.' && c != '\'' || i > 0 && c >= 'A' && c <= 'Z' {
				return false
			}
		}
		if e > 0 {
			words++
		}
		v = v[min(len(v), e+1):]
	}
	return words >= 4
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cell takes the next cell of a table.
func (s *Scanner) cell(p int, w want) {
	if s.source && !s.comment() {
		return // one bit or another
	}
	e := bytes.IndexByte(s.buf[p:s.le], '|')
	if e < 0 {
		if w.class == keyname.Strong && bytes.Contains(s.buf[max(s.lo, s.ls-800):s.ls], []byte("-[ RECORD ")) {
			s.judge(p, s.le, w, true) // password | x, of psql -x
		} else if above := s.buf[max(s.lo, s.ls-400):s.ls]; w.class == keyname.Strong && (bytes.Contains(above, []byte("--|")) || bytes.Contains(above, []byte("-- |")) || bytes.Contains(above, []byte(":|:"))) {
			// the last cell of Markdown without a line at its end
			p = nonSpace(s.buf, p, s.le)
			v := trimEnd(s.buf[p:s.le], " `")
			p += btoi(len(v) > 0 && v[0] == '`')
			if v = trimEnd(s.buf[p:s.le], " `"); looksSecret(v) && bytes.IndexByte(v, ' ') < 0 {
				w.rule = "table"
				s.judge(p, p+len(v), w, true)
			}
		}
		return
	}
	v := bytes.TrimSpace(s.buf[p : p+e])
	if n := len(v); n > 2 && v[0] == '`' && v[n-1] == '`' {
		v = v[1 : n-1]
	}
	if n := len(v); n > 6 && string(v[:2]) == "{{" && string(v[n-2:]) == "}}" && bytes.ContainsAny(v, "0123456789") && bytes.IndexByte(v, '.') < 0 {
		v = v[2 : n-2] // in the letters of a machine, as Jira writes it
	}
	if len(v) == 0 || s.spare(v, w.class) || bytes.IndexByte(v, ' ') > 0 || !looksSecret(v) {
		return
	}
	at := p + bytes.Index(s.buf[p:p+e], v)
	w.rule = "table"
	s.judge(at, at+len(v), w, true)
}

// issuer hides the id of an application in a key that begins with the name of
// its issuer: fourteen characters, too few to be told by themselves.
func (s *Scanner) issuer(pos, n int) {
	buf := s.buf
	ks, ke := s.keyBounds(pos, n)
	p := ke + quoteAt(buf, ke, s.le)
	p = nonSpace(buf, p, s.le)
	k := separator(buf, p, s.le)
	if k == 0 || pos-ks > 12 {
		return
	}
	p = nonSpace(buf, p+k, s.le)
	p += quoteAt(buf, p, s.le)
	e := p
	for e < s.le && isAlnum(buf[e]) {
		e++
	}
	if v := buf[p:e]; len(v) == 14 && mixedWord(v) {
		s.hide(p, e, keyname.APIKey, "issuer-id")
	}
}

// upperIdent is true for names of constants.
func upperIdent(k []byte) bool {
	for _, c := range k {
		if c >= 'a' && c <= 'z' || c == '.' || c >= 0x80 {
			return false
		}
	}
	return len(k) > 2
}

// inArray tells a list of names (["password", "token"]) from arguments.
func (s *Scanner) inArray(ks, keyQuote int) bool {
	i := ks - 1 - keyQuote
	for i >= s.ls && isSpace(s.buf[i]) {
		i--
	}
	return i >= s.ls && (s.buf[i] == '[' || s.buf[i] == ',' && bytes.LastIndexByte(s.buf[max(s.ls, i-512):i], '(') < 0)
}

// secondArgument is true when another argument stands before the quoted one at
// ks: f("a", "secret", "b") has no names.
func (s *Scanner) secondArgument(ks, keyQuote int) bool {
	i := ks - 1 - keyQuote
	for i >= s.ls && isSpace(s.buf[i]) {
		i--
	}
	return i >= s.ls && s.buf[i] == ','
}

// startsLine is true when nothing but white space, a comment mark, a list dash
// or a keyword such as export stands before the name.
func (s *Scanner) startsLine(ks int) bool {
	p := s.ls
	for p < ks {
		c := s.buf[p]
		switch {
		case isSpace(c) || c == '#' || c == ';' || c == '/' || c == '*' || c == '-' || c == '"' || c == '\'' || c == '!' || c == '$' || c == '+' || c == '`' || c == '\\' || c == '.' || c == '(' || c == '>':
			p++
			continue
		case isLetter(c):
			e := p
			for e < ks && isLetter(s.buf[e]) {
				e++
			}
			if e < ks && isSpace(s.buf[e]) && isDeclarator(s.buf[p:e]) {
				p = e
				continue
			}
		case c >= 0x80:
			// the first words of a foreign name
			if s.buf[ks] >= 0x80 {
				p++
				continue
			}
		}
		return s.afterEscape(ks)
	}
	return true
}

func (s *Scanner) afterEscape(ks int) bool {
	return ks-2 >= s.ls && s.buf[ks-2] == '\\' && s.buf[ks-1] == 'n'
}

var declarators = listOf("export", "set", "setenv", "var", "let", "const", "val", "def", "my", "our", "local", "static", "final", "private", "public", "protected", "string", "declare", "env", "arg", "auto", "char", "dim", "global", "readonly", "typeset", "environment", "add")

func isDeclarator(w []byte) bool { return declarators.has(w) }

// shellLine is true for lines on which KEY=value is one word among others:
// VAR=x command, or a Makefile's or Dockerfile's.
func (s *Scanner) shellLine(ks int) bool {
	e := ks
	end := min(s.le, ks+512)
	for e < end && s.buf[e] != '=' {
		e++
	}
	sp := bytes.IndexAny(s.buf[e:end], " \t")
	if sp < 0 {
		return false
	}
	rest := s.buf[e+sp : end]
	return bytes.Contains(rest, []byte(" -")) || bytes.Contains(rest, []byte("&&")) || bytes.IndexByte(rest, '|') >= 0 || bytes.Contains(rest, []byte(" ./")) || bytes.IndexByte(rest, '>') >= 0
}

func (s *Scanner) indentOf() int {
	n := 0
	for s.ls+n < s.le && (s.buf[s.ls+n] == ' ' || s.buf[s.ls+n] == '\t') {
		n++
	}
	return n
}

func (s *Scanner) classify(name []byte) (keyname.Class, keyname.Kind) {
	return s.memo.classify(name)
}
