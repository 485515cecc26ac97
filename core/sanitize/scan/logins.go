package scan

import (
	"bytes"
	"unicode/utf8"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Credentials that a program was given to log in, and that say by themselves
// what they are.

// basic hides what follows the name of the scheme, if it is a user and a
// password in base64 (RFC 7617), however short: Basic YTpi.
func (s *Scanner) basic(p int) {
	if p+6 < s.le && string(s.buf[p:p+5]) == "auth " {
		// Using basic auth NAME:x
		v := firstWord(s.buf[p+5 : s.le])
		if i := bytes.IndexByte(v, ':'); i > 1 && isIdent(v[:i]) && mixedWord(v[i+1:]) && !isNumber(v[i+1:]) {
			s.userPair(p+5, p+5+len(v))
		}
		return
	}
	e := p
	for e < s.le && (isAlnum(s.buf[e]) || s.buf[e] == '+' || s.buf[e] == '/') {
		e++
	}
	b := e
	for e < s.le && s.buf[e] == '=' && e-b < 2 {
		e++
	}
	if e-p < 6 || b-p > 1024 || (b-p)%4 == 1 || e > b && (e-p)%4 != 0 {
		return
	}
	var out [768]byte
	plain := decode64(out[:0], s.buf[p:b])
	if b-p >= 16 && looksRandom(s.buf[p:b]) && containsFold(s.buf[s.ls:s.le], "authorization") {
		s.hide(p, e, keyname.Credential, "basic")
		return
	}
	i := bytes.IndexByte(plain, ':')
	if i < 0 || i+1 == len(plain) && i < 8 || !utf8.Valid(plain) {
		return
	}
	for _, c := range plain {
		if c < 0x20 || c == 0x7f {
			return
		}
	}
	s.hide(p, e, keyname.Credential, "basic")
}

// grantCode hides the code that OAuth exchanges for a token (RFC 6749), in the
// query of an address.
func (s *Scanner) grantCode(p int) {
	e := p
	for e < s.le && (isAlnum(s.buf[e]) || s.buf[e] == '-' || s.buf[e] == '_' || s.buf[e] == '.' || s.buf[e] == '~' || s.buf[e] == '/' || s.buf[e] == '%' || s.buf[e] == '+' || s.buf[e] == '=') {
		e++
	}
	if v := s.buf[p:e]; isUUID(v) || looksRandom(v) && !isVersionish(v) {
		s.hide(p, e, keyname.Token, "oauth-code")
	}
}

// jdbcLogin hides the password behind the address of a data base that is an
// argument: ("jdbc:...", "user", "password").
func (s *Scanner) jdbcLogin(pos int) {
	end := min(s.hi, pos+600)
	p := pos
	for n := 0; n < 3; n++ {
		if p >= end || s.buf[p] != '"' {
			return
		}
		e := stringEnd(s.buf, p, end)
		if e < 0 {
			return
		}
		if n == 2 {
			s.judge(p+1, e, want{class: keyname.Strong, kind: keyname.Password, rule: "argument"}, true)
			return
		}
		for p = e + 1; p < end && (isBlank(s.buf[p]) || s.buf[p] == ','); p++ {
		}
	}
}

// loginWords hides the second of `user` / `password`, where the line speaks of a
// login.
func (s *Scanner) loginWords(pos, p int) {
	e := bytes.IndexByte(s.buf[p:s.le], '`')
	if e < 3 || bytes.IndexByte(s.buf[p:p+e], ' ') >= 0 {
		return
	}
	line := s.buf[s.ls:s.le]
	for _, t := range []string{"login", "log in", "credential", "anmeld", "zugang", "password", "passwort"} {
		if containsFold(line, t) {
			s.judge(p, p+e, want{class: keyname.Strong, kind: keyname.Password, rule: "sentence"}, true)
			return
		}
	}
}

// oracleLogins are the words of RMAN between connect and the account.
var oracleLogins = []string{"target", "catalog", "auxiliary"}

// oracleConnect hides the password of: connect [target] user/password[@service].
func (s *Scanner) oracleConnect(pos, p int) {
	buf := s.buf
	first := s.startsLine(pos) || s.before(pos, "> ") || s.before(pos, "\"") || s.before(pos, "'")
	e := p
	for e < s.le && isLetter(buf[e]) {
		e++
	}
	named := false
	for _, w := range oracleLogins {
		if foldIs(buf[p:e], w) && e < s.le && isSpace(buf[e]) {
			named, p = true, nonSpace(buf, e, s.le)
			break
		}
	}
	q := quoteAt(buf, p, s.le)
	p += q
	i := p
	for i < s.le && (isAccountChar(buf[i]) || buf[i] == '$' || buf[i] == '#') {
		i++
	}
	if i == p || i+1 >= s.le || buf[i] != '/' || buf[i+1] == '/' {
		return
	}
	v := i + 1
	if n := quoteAt(buf, v, s.le); n == 1 {
		// user/"password"@service
		if c := bytes.IndexByte(buf[v+1:s.le], buf[v]); c > 0 {
			s.judge(v+1, v+1+c, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
		}
		return
	}
	e = v
	for e < s.le && !isSpace(buf[e]) && buf[e] != ';' && buf[e] != '"' && buf[e] != '\'' {
		e++
	}
	at := bytes.LastIndexByte(buf[v:e], '@')
	if at > 0 {
		e = v + at
	}
	if named || at > 0 && first || first && looksSecret(buf[v:e]) {
		if s.Identify {
			s.addAccount(p, i)
		}
		s.judge(v, e, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
	}
}

// question takes the default in what is asked of a script:
// read -p "Password (default: x): " password.
func (s *Scanner) question(ks int, w want) bool {
	if b := nonSpace(s.buf, s.ls, s.le); !bytes.HasPrefix(s.buf[b:ks], []byte("read ")) {
		return false
	}
	i := indexFold(s.buf[s.ls:ks], "default")
	if i < 0 {
		return false
	}
	p := s.ls + i + len("default")
	for p < ks && (s.buf[p] == ':' || s.buf[p] == '=' || isSpace(s.buf[p])) {
		p++
	}
	e := p
	for e < ks && !isSpace(s.buf[e]) && s.buf[e] != ')' && s.buf[e] != ']' && s.buf[e] != '"' && s.buf[e] != '\'' {
		e++
	}
	w.rule = "sentence"
	if e-p >= 3 {
		s.judge(p, e, w, true)
	}
	return true
}

// db2Connect hides the password of: connect to NAME user NAME using PASSWORD.
// p is behind "user".
func (s *Scanner) db2Connect(p int) {
	i := bytes.Index(s.buf[p:s.le], []byte(" using "))
	if i < 0 || i > 40 {
		if i = bytes.Index(s.buf[p:s.le], []byte(" USING ")); i < 0 || i > 40 {
			return
		}
	}
	if !containsFold(s.buf[s.ls:p], "connect to ") {
		return
	}
	p += i + len(" using ")
	e := p
	for e < s.le && !isSpace(s.buf[e]) && s.buf[e] != '"' && s.buf[e] != '\'' && s.buf[e] != ';' {
		e++
	}
	s.judge(p, e, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
}

// defaultOf takes the value that a description of a password ends in:
// Password of the user. Default: x, password (default: x). n is behind the name.
func (s *Scanner) defaultOf(n int, w want) bool {
	buf := s.buf
	i := indexFold(buf[n:min(s.le, n+64)], "default")
	if i < 2 || s.le-n-i < 9 {
		return false
	}
	p := n + i
	seam := false
	for _, c := range buf[n:p] {
		switch {
		case c == '.' || c == ',' || c == '(' || c == '[':
			seam = true
		case !isSpace(c) && !isLetter(c) || seam && isLetter(c):
			return false
		}
	}
	if !seam && p-n > 2 {
		return false
	}
	p += 7
	for _, t := range []string{"s to ", " is ", " = ", ": ", "=", " value: ", " value is "} {
		if s.le-p > len(t) && foldEqual(buf[p:p+len(t)], t) {
			p += len(t)
			break
		}
	}
	bare := false
	if !isSpace(buf[p-1]) && buf[p-1] != '=' {
		if !isSpace(buf[p]) || !s.comment() {
			return isSpace(buf[p])
		}
		bare = true // , default x
	}
	p = nonSpace(buf, p, s.le)
	w.rule, w.toEnd, w.json = "sentence", false, false
	if quoteAt(buf, p, s.le) > 0 {
		s.value(p, w)
		return true
	}
	e := p
	for e < s.le && !isSpace(buf[e]) {
		e++
	}
	rest := bytes.TrimRight(buf[e:s.le], " \t.)]")
	for e > p && (buf[e-1] == '.' || buf[e-1] == ')' || buf[e-1] == ']' || buf[e-1] == ',' || buf[e-1] == ';') {
		e--
	}
	v := buf[p:e]
	for _, b := range proseBad {
		if foldIs(v, b) {
			return true
		}
	}
	if bare && (len(rest) > 0 || len(v) < 4) {
		return true
	}
	if len(v) >= 3 && (len(rest) == 0 || looksSecret(v)) && !isNumber(v) {
		s.judge(p, e, w, true)
	}
	return true
}

// jar hides the value of a cookie in a jar of Netscape's format, which curl and
// browsers keep: domain, TRUE, path, TRUE, expiry, name, value.
func (s *Scanner) jar() {
	f := bytes.Split(s.buf[s.ls:s.le], []byte{'\t'})
	if len(f) != 7 || !isNumber(f[4]) || len(f[6]) < 6 {
		return
	}
	class, _ := s.classify(f[5])
	if class >= keyname.Weak || looksSecret(f[6]) && len(f[6]) >= 8 {
		s.hide(s.le-len(f[6]), s.le, keyname.Cookie, "cookie")
	}
}

// loginAt hides the password in NAME:x@10.0.0.4, whose @ is at pos.
func (s *Scanner) loginAt(pos int) {
	b := pos
	for b > s.ls && pos-b < 80 && !isSpace(s.buf[b-1]) && bytes.IndexByte([]byte("\"'=(,;@/<"), s.buf[b-1]) < 0 {
		b--
	}
	i := bytes.IndexByte(s.buf[b:pos], ':')
	if i < 2 || !allAccount(s.buf[b:b+i]) || !isLetter(s.buf[b]) || !s.tellable(s.buf[b+i+1:pos], false) {
		return
	}
	if s.Identify {
		s.addAccount(b, b+i)
	}
	s.hide(b+i+1, pos, keyname.Password, "url")
}
