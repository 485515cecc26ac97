package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// words deals with a name that is followed by white space only: directives of
// configuration, flags, tables and sentences.
func (s *Scanner) words(n name, w want) {
	buf := s.buf
	ks, ke, sep, gap, keyQuote, lineStart := n.ks, n.ke, n.sep, n.gap, n.quote, n.lineStart
	c := buf[sep]
	if gap >= 2 && w.class == keyname.Strong && s.hasWord(" mgr/") && s.inPath(ks) { // ceph config dump
		w.rule = "table"
		s.judge(sep, sep+len(firstWord(buf[sep:s.le])), w, true)
		return
	}
	if len(firstWord(buf[sep:s.le])) < 6 && !bytes.ContainsFunc(buf[sep:s.le], isWordRune) {
		return // "<<< secret >>>"
	}
	if c == '`' && w.class == keyname.Strong {
		// `x' as GNU quotes it
		if i := bytes.IndexByte(buf[sep:s.le], '\''); i > 1 && bytes.IndexByte(buf[sep+1:sep+i], '`') < 0 && bytes.IndexByte(buf[sep+1:sep+i], ' ') < 0 && (w.kind != keyname.Token || mixedWord(buf[sep+1:sep+i])) && looksSecret(buf[sep+1:sep+i]) {
			w.rule = "key-word"
			s.judge(sep+1, sep+i, w, true)
			return
		}
	}
	if foldIs(w.key, "community") && editions.has(firstWord(buf[sep:s.le])) {
		return // the edition of a program
	}
	if s.inPath(ks) {
		return // the name of a file, in a list of them
	}
	if foldIs(w.key, "authorization") {
		s.authorizationWords(sep, w)
		return
	}
	if w.class == keyname.Weak && s.pinOf(ks, sep, w) || s.grammatical() {
		return
	}
	if s.source && quoteAt(buf, sep, s.le) == 0 && !s.commented(ks) && !s.inString(ks, keyQuote) {
		// A type, and maybe the value behind it: var token string = "x"
		for i := sep; i < s.le && i < sep+64; i++ {
			if c := buf[i]; c == '=' {
				if v := nonSpace(buf, i+1, s.le); quoteAt(buf, v, s.le) > 0 {
					s.value(v, w)
				}
				return
			} else if !isAlnum(c) && !isSpace(c) && c != '_' && c != '[' && c != ']' && c != '*' && c != '.' && c != '<' && c != '>' {
				return
			}
		}
		return
	}
	if c == '(' && w.class == keyname.Strong && s.dumped(sep, w) {
		return
	}
	if w.class == keyname.Strong && (s.pamLine() || s.inLastSpan(ks) || s.columnType(sep)) {
		return
	}
	if c == '"' && w.class == keyname.Strong && keyQuote == 0 && ks > s.ls && buf[ks-1] == ':' && (ks-1 == s.ls || isSpace(buf[ks-2]) || buf[ks-2] == '{' || buf[ks-2] == '(') && !s.wordsBehind(sep) {
		w.rule = "directive"
		s.value(sep, w) // {:user "bot" :pass "x"} of Clojure
		return
	}
	if w.class == keyname.Strong && c == '[' && w.kind != keyname.Cookie && !s.source {
		// with password [x]
		if i := bytes.IndexByte(buf[sep:s.le], ']'); i > 4 && (w.kind == keyname.Password && mixedWord(buf[sep+1:sep+i]) || i > 8 && looksRandom(buf[sep+1:sep+i]) && !isUUID(buf[sep+1:sep+i])) {
			w.rule = "key-word"
			s.judge(sep+1, sep+i, w, true)
			return
		}
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
	if w.class == keyname.Weak && foldIs(w.key, "authentication") && s.firstHop(ks) {
		w.class = keyname.Strong
	}
	if w.class == keyname.Strong && (s.typed(sep, w) || s.set(n, w)) {
		return
	}
	if w.class == keyname.Weak && foldIs(w.key, "set-key") && s.deviceLine() {
		w.class = keyname.Strong
	}
	if w.class == keyname.Weak && foldIs(w.key, "key-string") && isSpace(buf[s.ls]) && lineStart {
		w.class = keyname.Strong
	}
	if w.class == keyname.Weak && s.deviceLine() && (foldIs(w.key, "key") || foldIs(w.key, "key-string")) && s.sharedKey() {
		w.class = keyname.Strong
	}
	if (foldIs(w.key, "authentication-key") || foldIs(w.key, "message-digest-key")) && s.authenticationKey(sep, w) {
		return
	}
	if s.directiveWords(ks, sep, w) {
		return
	}
	if foldIs(w.key, "wpa_passphrase") && bytes.IndexByte(bytes.TrimSpace(buf[sep:s.le]), ' ') > 0 {
		return // the program: its second argument is the secret
	}
	if (c == '\'' || c == '"') && foldIs(w.key, "bearer") && s.openQuote(ks) == c && s.joined(sep+1) {
		return // "Bearer " + "x"
	}
	if flag := s.flagDashes(ks); flag > 0 {
		if s.manual(sep, w) || foldIs(w.key, "api-token") && s.hasWord("pureadmin") {
			return
		}
		if c == '-' || c == '|' || c == '>' || c == '&' || c == ';' || c == '(' {
			return
		}
		w.rule, w.toEnd = "flag", false
		s.value(sep, w)
		return
	}
	if ks > s.ls && buf[ks-1] == '&' && w.class == keyname.Strong && s.before(ks-1, ": ") && c != '{' && c != '[' {
		// base: &password x
		w.rule, w.toEnd = "key-value", true
		s.value(sep, w)
		return
	}
	if f := firstWord(buf[sep:s.le]); w.class == keyname.Strong && (foldIs(f, "below:") || foldIs(f, "below") || foldIs(f, "follows:")) && nonSpace(buf, sep+len(f), s.le) >= s.le && !s.State.open() {
		s.enter(InNext, w.kind, 0, 2, 'w') // the token below:
		return
	}
	if w.kind == keyname.Token && string(w.key) == "OTP" {
		if f := trimEnd(firstWord(buf[sep:s.le]), ".,"); isNumber(f) && len(f) >= 6 && len(f) <= 8 {
			s.hide(sep, sep+len(f), w.kind, "key-word")
			return
		}
	}
	if w.class == keyname.Strong && s.sentence(ke, sep, w) {
		return
	}
	if w.class == keyname.Weak && s.keyIs(sep) {
		return
	}
	if foldIs(w.key, "key") && s.le-sep > 3 && buf[sep] == 's' && buf[sep+1] == ':' && s.hasWord("iw") {
		e := sep + 2
		for e < s.le && !isSpace(buf[e]) {
			e++
		}
		s.hideText(sep+2, e, keyname.Password, "key-word") // iwconfig wlan0 key s:x
		return
	}
	if c == '{' && w.class == keyname.Strong {
		if foldIs(w.key, "tokens") && s.tokenBlock(sep, w) {
			return
		}
		s.value(sep, w)
		return
	}
	e := sep
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	v := buf[sep:e]
	if w.class == keyname.Strong && s.headerLineStart() && len(v) > 6 && v[len(v)-1] == ';' && mixedWord(v[:len(v)-1]) {
		w.rule = "directive"
		s.judge(sep, e-1, w, true) // proxy_set_header X-Api-Key x;
		return
	}
	if w.class == keyname.Weak && s.headerLineStart() && mixedWord(v) && len(v) >= 8 && !isVersionish(v) {
		w.class, w.rule = keyname.Strong, "directive"
		s.judge(sep, e, w, true) // http-request set-header X-Auth x
		return
	}
	if c == 0xe2 && len(v) == 3 && v[1] == 0x80 && (v[2] == 0x93 || v[2] == 0x94) && w.class == keyname.Strong {
		// password – x
		p := nonSpace(buf, e, s.le)
		q := p
		for q < s.le && !isSpace(buf[q]) {
			q++
		}
		if t := trimEnd(buf[p:q], ",;."); nonSpace(buf, q, s.le) >= s.le && looksSecret(t) {
			w.rule = "key-word"
			s.judge(p, p+len(t), w, true)
		}
		return
	}
	if c == '-' && len(v) == 1 && w.class == keyname.Strong {
		// api key - x, token - 'x'
		p := nonSpace(buf, e, s.le)
		if quoteAt(buf, p, s.le) > 0 {
			w.rule, w.toEnd = "key-word", false
			s.value(p, w)
			return
		}
		q := p
		for q < s.le && !isSpace(buf[q]) {
			q++
		}
		if mixedWord(buf[p:q]) && looksSecret(buf[p:q]) && (looksRandom(buf[p:q]) || nonSpace(buf, q, s.le) >= s.le) {
			w.rule = "key-word"
			s.judge(p, q, w, true)
		}
		return
	}
	if w.class == keyname.Strong && (string(v) == "-v" || foldIs(v, "-value") || string(v) == "--value") {
		// -n node.session.auth.password -v secret
		w.rule, w.toEnd = "flag", false
		s.value(e, w)
		return
	}
	if string(v) == "-m" && s.hasWord("hdr(") {
		if n := nonSpace(buf, e, s.le); n < s.le {
			for n < s.le && !isSpace(buf[n]) {
				n++
			}
			w.class, w.rule, w.toEnd = keyname.Strong, "directive", false
			s.value(n, w) // acl t req.hdr(X-Api-Key) -m str x
		}
		return
	}
	if w.class == keyname.Strong && len(v) > 8 && string(v[:8]) == "--value=" {
		w.rule, w.toEnd = "flag", false
		s.value(sep+8, w) // --name node.session.auth.password --value=x
		return
	}
	if w.class == keyname.Strong && s.optionAfter(sep, e, w) {
		return
	}
	if c == '-' && (len(v) <= 3 || v[1] == '-') {
		return // a flag follows: the name was a command
	}
	if c == '"' && w.class == keyname.Weak && s.headerLineStart() {
		if i := bytes.IndexByte(buf[sep+1:s.le], '"'); i >= 8 && mixedWord(buf[sep+1:sep+1+i]) {
			w.class, w.rule = keyname.Strong, "directive"
			s.judge(sep+1, sep+1+i, w, true) // RequestHeader set X-Backend-Auth "x"
			return
		}
	}
	if quoteAt(buf, sep, s.le) > 0 {
		if w.class == keyname.Strong && s.secondString(sep, w) > 0 {
			return
		}
		if c == '`' && w.kind == keyname.Password && !s.source {
			if e := bytes.IndexByte(buf[sep+1:s.le], '`'); e > 0 && mixedWord(buf[sep+1:sep+1+e]) && looksSecret(buf[sep+1:sep+1+e]) {
				w.rule = "key-word"
				s.judge(sep+1, sep+1+e, w, true) // user `x` and password `y`
			}
			return
		}
		compound := bytes.IndexAny(w.key, "_-.") > 0 && !s.wordsBehind(sep) && !s.source
		if w.class == keyname.Strong && (lineStart || compound || s.opensBlock(ks) || s.before(ks-1, "define") || upperIdent(w.key) && (w.kind == keyname.Password || w.kind == keyname.Secret && c == '\'') || w.kind == keyname.Community || keyQuote > 0 || ks-2 >= s.ls && buf[ks-2] == ':' && upperIdent(w.key)) && c != '`' {
			if (lineStart || s.opensBlock(ks)) && !hasCamel(w.key) && s.wordsBehind(sep) {
				return // token "x" has expired
			}
			w.rule = "directive"
			s.value(sep, w)
		} else if w.class == keyname.Strong && c != '`' && (s.netrc() || w.kind == keyname.Password && (s.offered(ks) || (len(w.key) <= 8 || s.hasWord("OPTIONS")) && (s.hasWord("user ") || s.hasWord("OPTIONS") || s.hasWord("set password ") || s.statement(ks))) || s.headerLineStart() || s.deviceLine() && w.kind == keyname.APIKey) {
			w.rule = "directive"
			s.value(sep, w)
		}
		return
	}
	if n := len(v); n >= 2 && n <= 3 && v[n-1] == ':' && isNumber(v[:n-1]) && w.class == keyname.Strong && !foldIs(w.key, "pass") {
		if i := bytes.LastIndex(buf[e:s.le], []byte(" (")); i > 0 && buf[s.le-1] == ')' {
			le := s.le
			s.le = e + i
			defer func() { s.le = le }()
		}
		w.rule, w.toEnd = "directive", true
		s.value(e, w) // Community 1: x (rw)
		return
	}
	if lineStart && gap == 1 && w.kind == keyname.Password && (foldIs(v, "strength-check") || foldIs(v, "secure-mode") || foldIs(v, "encryption") || foldIs(v, "complexity") || foldIs(v, "history") || foldIs(v, "aging") || foldIs(v, "policy")) {
		return
	}
	// Cisco and the like: the type of the encryption comes first.
	if len(v) == 1 && isDigit(v[0]) && w.class >= keyname.Weak && e < s.le && (s.deviceLine() || w.kind == keyname.Password || w.kind == keyname.Secret) {
		sep = nonSpace(buf, e, s.le)
		for e = sep; e < s.le && !isSpace(buf[e]); {
			e++
		}
		v = buf[sep:e]
		if len(v) >= 3 && (looksSecret(v) || isNumber(v)) || s.deviceLine() && len(v) > 0 && !unitOfTime(v) && w.class == keyname.Strong {
			w.rule = "device"
			s.judge(sep, e, w, true)
		}
		return
	}
	if formats.has(v) {
		nv := nonSpace(buf, e, s.le)
		if nv+2 < s.le && isDigit(buf[nv]) && isSpace(buf[nv+1]) && (s.deviceLine() || foldIs(v, "ascii")) {
			w.rule, w.toEnd = "device", false
			s.value(nonSpace(buf, nv+1, s.le), w) // wpa-psk ascii 0 x
			return
		}
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
	if w.class == keyname.Weak && (len(v) == 40 && hexOnly(v) || len(v) == 18 && v[0] == '0' && v[1] == 'x') {
		return // the id of a key: using RSA key 4AEE...
	}
	if w.class == keyname.Strong && gap >= 3 && lineStart && keyQuote == 0 && (bytes.IndexByte(w.key, '.') > 0 || bytes.IndexByte(w.key, '_') > 0) && s.le-sep < 80 && !isNumber(v) && bytes.IndexByte(buf[sep:s.le], '\t') < 0 && !bytes.Contains(buf[sep:s.le], []byte("  ")) {
		w.rule, w.toEnd = "directive", true
		s.value(sep, w) // bind.credential      mud pie 12
		return
	}
	if n := len(w.key); len(v) > n && v[n] == '-' && bytes.EqualFold(v[:n], w.key) {
		return // WPA-PSK WPA-PSK-SHA256
	}
	rest := nonSpace(buf, e, s.le)
	single := rest >= s.le || buf[rest] == '#' || buf[rest] == '!' && rest+1 < s.le && isSpace(buf[rest+1])
	compound := bytes.IndexAny(w.key, "_-.") > 0 || hasCamel(w.key) || directive(w.key)
	if w.class == keyname.Strong {
		switch {
		case w.kind == keyname.Community && (foldIs(v, "read") || foldIs(v, "write")) && rest+1 < s.le:
			if e = indexFold(buf[rest:s.le], "cipher "); e >= 0 {
				rest = nonSpace(buf, rest+e+7, s.le)
			}
			w.rule, w.toEnd = "directive", false
			s.value(rest, w)
			return
		case lineStart && hasCamel(w.key) && gap == 1 && !s.source && s.le-sep < 60 && !sayings[string(v)] && !spokenBad(v) && !bytes.ContainsAny(buf[sep:s.le], "=:;{("):
			w.rule, w.toEnd = "directive", true
			s.value(sep, w) // OIDCCryptoPassphrase three words of it
			return
		case w.kind == keyname.Community && bytes.IndexByte(buf[s.ls:ks], '{') >= 0 && rest < s.le && !spokenBad(v) && !foldIs(v, "string") && !foldIs(v, "name") && !foldIs(v, "group") && isIdent(v):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case w.kind == keyname.Community && s.opensBlock(ks) && rest < s.le && (buf[rest] == '{' || buf[rest] == ';'):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case w.kind == keyname.Password && single && gap == 1 && s.deviceLine() && !spokenBad(v) && (s.before(ks, "set ") || foldIs(firstWord(bytes.TrimLeft(buf[s.ls:s.le], " ")), "neighbor")):
			w.rule = "device"
			s.judge(sep, e, w, true)
			return
		case w.kind == keyname.Community && single && bytes.IndexByte(w.key, '_') > 0:
			w.rule = "directive"
			s.judge(sep, e, w, true) // acl pub snmp_community x
			return
		case w.kind == keyname.Password && lineStart && single && isSpace(buf[s.ls]) && s.underLine():
			w.rule = "device"
			s.judge(sep, e, w, true)
			return
		case foldIs(w.key, "key-string") && lineStart:
			w.rule, w.toEnd = "device", true
			s.value(sep, w)
			return
		case w.kind == keyname.Community && foldIs(w.key, "community") && rest < s.le && lowerWord(v) && bytes.Count(buf[rest:s.le], []byte{' '}) > 1 && !bytes.ContainsAny(buf[rest:s.le], "0123456789;{/"):
			return // of people
		case w.kind == keyname.Community && (lineStart || s.deviceLine()):
			if foldIs(v, "to") && rest < s.le {
				sep, e = rest, rest+len(firstWord(buf[rest:s.le])) // set snmp community to x
				v = buf[sep:e]
			}
			w.rule = "directive"
			if !foldIs(v, "string") && !foldIs(v, "is") && !foldIs(v, "of") && !foldIs(v, "and") {
				s.judge(sep, e, w, true)
			}
			return
		case lineStart && compound && (single || !lowerWord(v)) && !foldIs(v, "is") && (!isNumber(v) || w.kind == keyname.Password && single && len(v) >= 4) && !quantity(v):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case lineStart && single && gap <= 2 && !hasUpper(w.key) && (longName(w.key) || s.amongDirectives()) && !spokenBad(v) && !speaksOf(v) && letters(v):
			w.rule = "directive"
			s.judge(sep, e, w, true) // password summer, below user anna
			return
		case lineStart && single && (s.netrc() || looksSecret(v)) && !(foldIs(w.key, "passwd") && !looksRandom(v)):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case s.opensBlock(ks) && !lowerWord(v) && v[0] != '{' && v[0] != '(' && !bytes.ContainsAny(v, "=;}"):
			w.rule = "directive"
			s.judge(sep, e, w, true)
			return
		case s.opensBlock(ks) && !s.source && len(v) > 6 && v[len(v)-1] == ';' && mixedWord(v[:len(v)-1]) && looksSecret(v[:len(v)-1]) && !bytes.ContainsAny(v, "=(}"):
			w.rule = "directive"
			s.judge(sep, e-1, w, true) // { id 7; secret x; }
			return
		case s.netrc() || s.deviceLine():
			if !lowerWord(v) && !speaksOf(v) || s.netrc() {
				if q := s.openQuote(ks); q != 0 && e > sep+1 && buf[e-1] == q {
					e-- // echo "machine x login y password z"
				}
				w.rule = "directive"
				s.judge(sep, e, w, true)
			}
			return
		}
	}
	if w.kind == keyname.Password && single && gap == 1 && len(v) > 4 && v[len(v)-1] == ';' && foldIs(w.key, "password") && s.statement(ks) && !s.source {
		// CREATE ROLE app WITH LOGIN PASSWORD x;
		if t := v[:len(v)-1]; !foldIs(t, "expire") && !foldIs(t, "default") && !foldIs(t, "optional") && !foldIs(t, "history") && !foldIs(t, "verify") {
			w.rule = "sql"
			s.judge(sep, sep+len(t), w, true)
			return
		}
	}
	if v := trimEnd(v, "\"'"); w.class == keyname.Strong && (w.kind == keyname.Password || compound && w.kind != keyname.Credential && looksSecret(v) || w.kind == keyname.Secret && (len(v) < e-sep || s.hasWord("chap"))) && single && gap == 1 && mixedWord(v) {
		w.rule = "key-word"
		s.judge(sep, sep+len(v), w, true)
		return
	}
	if w.class == keyname.Strong && w.kind == keyname.Password && gap == 1 && mixedWord(v) && looksSecret(v) && (s.offered(ks) || containsFold(buf[s.ls:ks], "user ")) {
		w.rule = "key-word"
		s.judge(sep, e, w, true) // login with password x failed
		return
	}
	if w.kind == keyname.Password && gap >= 3 && single && keyQuote == 0 && ks-s.ls < 24 && looksSecret(v) && !quantity(v) && mixedWord(v) {
		w.rule = "directive"
		s.judge(sep, e, w, true) // Bind password       x
		return
	}
	if single && gap == 1 && upperIdent(w.key) && len(v) >= 20 && onlyAlnum(v) && lineStart == (ks == s.ls) {
		w.rule, w.class = "key-word", keyname.Strong
		s.judge(sep, e, w, true) // ACME SECRET KEY x
		return
	}
	// Anywhere: a word that no one would say.
	v = trimEnd(v, ",;.)\"'")
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

// formats are words of a device that say how the secret behind them is written.
var formats = listOf("ascii-text", "hexadecimal", "ascii", "wpa-psk", "encrypted", "enc", "cipher", "simple", "irreversible-cipher", "clear", "plain", "cleartext", "local", "hash", "text", "plaintext", "sha256", "sha512", "md5", "0x")

// inLastSpan is true for a name that is the end of something hidden.
func (s *Scanner) inLastSpan(ks int) bool {
	n := len(s.Spans)
	return n > 0 && s.Spans[n-1].Start <= ks && ks < s.Spans[n-1].End
}

// columnTypes are types of SQL that have a length.
var columnTypes = []string{"character(", "varchar(", "char(", "nvarchar(", "nchar(", "varchar2(", "varbinary(", "binary(", "character varying", "text not null", "text default", "text,", "bytea", "blob,", "blob not null"}

// columnType is true for the type of a column, behind its name in SQL.
func (s *Scanner) columnType(p int) bool {
	for _, t := range columnTypes {
		if s.le-p >= len(t) && foldEqual(s.buf[p:p+len(t)], t) {
			return true
		}
	}
	return false
}

func allUpper(v []byte) bool {
	for _, c := range v {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(v) > 0
}

// quantity is true for 2m, 11Mi, 12C: a number and its unit.
func quantity(v []byte) bool {
	i := 0
	for i < len(v) && isDigit(v[i]) {
		i++
	}
	return i > 0 && len(v) > i && len(v)-i <= 2 && i <= 6 && letters(v[i:])
}

// joined hides the string that is joined at p to what ends before.
func (s *Scanner) joined(p int) bool {
	p = nonSpace(s.buf, p, s.le)
	if p >= s.le || s.buf[p] != '+' && s.buf[p] != '.' && s.buf[p] != '&' {
		return false
	}
	for p < s.le && (s.buf[p] == '+' || s.buf[p] == '.' || s.buf[p] == '&' || isSpace(s.buf[p])) {
		p++
	}
	if quoteAt(s.buf, p, s.le) == 0 {
		return false
	}
	s.value(p, want{class: keyname.Strong, kind: keyname.Token, rule: "authorization"})
	return true
}

// mixedWord has letters and digits and nothing else but what passwords add.
func mixedWord(v []byte) bool {
	letters, digits := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case isLetter(c) || c >= 0x80:
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

// opensBlock is true for a word behind a bracket or ; as in the blocks of Groovy.
func (s *Scanner) opensBlock(ks int) bool {
	i := ks - 1
	for i >= s.ls && isSpace(s.buf[i]) {
		i--
	}
	return i >= s.ls && i < ks-1 && (s.buf[i] == '{' || s.buf[i] == ';' || s.buf[i] == '}')
}

// wordsBehind is true when a sentence goes on behind the string at p.
func (s *Scanner) wordsBehind(p int) bool {
	n := quoteAt(s.buf, p, s.le)
	_, e := closeQuote(s.buf, p+n, s.le, s.buf[p:p+n])
	return e+2 < s.le && s.buf[e] == ' ' && s.buf[e+1] >= 'a' && s.buf[e+1] <= 'z' && isLetter(s.buf[e+2])
}

var headerLines = listOf("proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param", "add_header", "requestheader", "more_set_", "http-request set-header", "setenv ", "header ")

// headerLineStart is true for directives of web servers that set a header.
func (s *Scanner) headerLineStart() bool {
	return headerLines.begins(s.buf[nonSpace(s.buf, s.ls, s.le):s.le]) != ""
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

// offered is true for a password that somebody tried: with password x.
func (s *Scanner) offered(ks int) bool {
	for _, w := range []string{"with ", "using ", "wrong ", "invalid ", "bad ", "incorrect ", "new ", "old ", "default ", "temporary ", "initial "} {
		if s.before(ks, w) {
			return true
		}
	}
	// user NAME, password x
	return s.before(ks, ", ") && containsFold(s.buf[max(s.ls, ks-48):ks], "user ")
}

// secondString takes "x" in: password "Auth" "x", which a client of OpenVPN
// says. 0 if it is not that.
func (s *Scanner) secondString(p int, w want) int {
	for _, t := range []string{`"Auth" "`, `"Private Key" "`, `'Auth' '`} {
		if s.le-p > len(t) && string(s.buf[p:p+len(t)]) == t {
			return s.value(p+len(t)-1, w)
		}
	}
	return 0
}

// netrc is true for lines and files of machine/login/password words.
func (s *Scanner) netrc() bool {
	if s.le-s.ls > 512 {
		return false
	}
	from := max(s.lo, s.ls-160)
	w := s.buf[from:s.le]
	if !bytes.Contains(w, []byte("login ")) && !bytes.Contains(w, []byte("login\n")) {
		return false
	}
	line := s.buf[s.ls:s.le]
	return bytes.Contains(w, []byte("machine ")) || bytes.Contains(line, []byte("login ")) && bytes.Contains(line, []byte(" password ")) && bytes.Contains(w, []byte("default "))
}

func indexFold(b []byte, t string) int {
	// A cheap look at the first letter before the rest is compared.
	if len(t) == 0 {
		return 0
	}
	first := t[0] | 0x20
	for i := 0; i+len(t) <= len(b); i++ {
		if b[i]|0x20 == first && foldEqual(b[i:i+len(t)], t) {
			return i
		}
	}
	return -1
}

func onlyAlnum(v []byte) bool {
	for _, c := range v {
		if !isAlnum(c) {
			return false
		}
	}
	return true
}
