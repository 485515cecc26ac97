package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Lines of servers that have a secret by its place.

// fielded takes the secret among the words of a line: CERTIDENT "NAME" "x" of NUT,
// set radius server HOST x and set user NAME x admin of mpd.
func (s *Scanner) fielded(pos int, text string) {
	if nonSpace(s.buf, s.ls, s.le) != pos {
		return
	}
	args := &s.args
	n := s.split(args)
	at, tell := 2, false
	switch text {
	case "set radius server ":
		at = 4
	case "set user ":
		at, tell = 3, true
		if n == 5 && !memberValues.has(s.text(args[4])) || n > 5 {
			return
		}
	}
	if n <= at || tell && !s.tellable(s.text(args[at]), false) {
		return
	}
	if s.Identify && text != "set radius server " {
		s.addAccount(args[at-1].vs, args[at-1].ve)
	}
	s.judge(args[at].vs, args[at].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "directive"}, true)
}

// databases takes the passwords in the list of servers that Exim asks: HOST/DB/USER/x,
// one after another, over several lines.
func (s *Scanner) databases(p int) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	if p >= s.le || buf[p] != '=' {
		return
	}
	for p++; p < s.hi; {
		for p < s.hi && (isBlank(buf[p]) || buf[p] == ':' || buf[p] == '<' || buf[p] == ';') {
			p++
		}
		e := p
		for e < s.hi && !isBlank(buf[e]) {
			e++
		}
		if string(buf[p:e]) == `\` {
			p = e + 1
			continue
		}
		i := bytes.LastIndexByte(buf[p:e], '/')
		if bytes.Count(buf[p:e], []byte{'/'}) < 3 || i+1 >= e-p {
			return
		}
		s.hide(p+i+1, e, keyname.Password, "directive")
		if b := bytes.LastIndexByte(buf[p:p+i], '/'); s.Identify && b > 0 {
			s.addAccount(p+b+1, p+i)
		}
		if p = e; p >= s.hi || buf[p] == '\n' {
			return
		}
	}
}

// relayLogin takes the password in a line of Courier: HOST,PORT USER x.
func (s *Scanner) relayLogin() {
	args := &s.args
	if n := s.split(args); n == 3 && !isNumber(s.text(args[2])) {
		if s.Identify {
			s.addAccount(args[1].vs, args[1].ve)
		}
		s.judge(args[2].vs, args[2].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "password-file"}, true)
	}
}

// newsLogin takes the password in HOST:USER:x:authinfo of INN, which ends at end.
func (s *Scanner) newsLogin(end int) {
	f := bytes.Split(s.buf[s.ls:end], []byte{':'})
	if n := len(f); n == 3 && len(f[2]) > 0 && bytes.IndexByte(s.buf[s.ls:end], ' ') < 0 {
		s.hide(end-len(f[2]), end, keyname.Password, "password-file")
	}
}

// parameter takes the third string of modparam("auth", "secret", "x") of Kamailio,
// if the second names a secret.
func (s *Scanner) parameter(p int) {
	args := &s.args
	n, _ := s.arguments(p, args[:4])
	if n != 3 || args[1].vs == args[1].start || args[2].vs == args[2].start {
		return
	}
	class, kind := s.classify(s.text(args[1]))
	if v := s.text(args[2]); class == keyname.Strong || class == keyname.Weak && looksRandom(v) {
		s.judge(args[2].vs, args[2].ve, want{class: keyname.Strong, kind: kind, rule: "argument"}, true)
	}
}

// substituted takes the value in #!subst "/NAME/x/", if the name is that of a
// secret.
func (s *Scanner) substituted(p int) {
	buf := s.buf
	p += quoteAt(buf, p, s.le)
	if p+4 >= s.le || isAlnum(buf[p]) {
		return
	}
	f := bytes.Split(buf[p+1:s.le], buf[p:p+1])
	if len(f) < 3 {
		return
	}
	if class, kind := s.classify(f[0]); class >= keyname.Weak {
		b := p + 1 + len(f[0]) + 1
		s.judge(b, b+len(f[1]), want{class: keyname.Strong, kind: kind, rule: "argument"}, true)
	}
}

// boundAs takes the password behind a name of LDAP: {dn_lookup_bind, {"cn=a,dc=b", "x"}}.
func (s *Scanner) boundAs(p int) {
	buf := s.buf
	i := bytes.Index(buf[p:s.le], []byte(`", "`))
	if i < 0 || bytes.IndexByte(buf[p:p+i], '=') < 0 {
		return
	}
	b := p + i + len(`", "`)
	if e := bytes.IndexByte(buf[b:s.le], '"'); e > 0 {
		s.judge(b, b+e, want{class: keyname.Strong, kind: keyname.Password, rule: "argument"}, true)
	}
}

// tacacs is true in a file of tac_plus, where key is the secret of a client.
func (s *Scanner) tacacs() bool {
	around := s.buf[max(s.lo, s.ls-600):min(s.hi, s.le+600)]
	return bytes.Contains(around, []byte("= cleartext ")) || bytes.Contains(around, []byte("= des ")) || bytes.Contains(around, []byte("accounting file =")) || bytes.Contains(around, []byte("login = "))
}

// tacacsNames are what has a password in a file of tac_plus.
var tacacsNames = listOf("login", "enable", "pap", "chap", "opap", "global", "arap", "ms-chap", "password", "key")

// tacacsLogin takes the password behind login = cleartext.
func (s *Scanner) tacacsLogin(pos, p int, w want) {
	e := pos
	for e > s.ls && isSpace(s.buf[e-1]) {
		e--
	}
	b := e
	for b > s.ls && (isLetter(s.buf[b-1]) || s.buf[b-1] == '-') {
		b--
	}
	if p < s.le && tacacsNames.has(s.buf[b:e]) {
		w.toEnd = bytes.IndexByte(s.buf[s.ls:pos], '{') < 0
		s.value(p, w)
	}
}

// isPublicNKey is true for the public half of a key of NATS, whose seeds begin
// with an S.
func isPublicNKey(v []byte) bool {
	if len(v) != 56 || v[0] == 'S' {
		return false
	}
	for _, c := range v {
		if !isUpper(c) && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// sumOf is true if a command that sums files stands before ks, and what it found
// behind: sha256sum ta.key: 9f2c...
func (s *Scanner) sumOf(ks int, v []byte) bool {
	if n := len(v); n != 32 && n != 40 && n != 64 && n != 96 && n != 128 || !hexOnly(v) {
		return false
	}
	l := s.buf[max(s.ls, ks-80):ks]
	return containsFold(l, "sum ") || containsFold(l, "sha256") || containsFold(l, "sha1") || containsFold(l, "md5") || containsFold(l, "checksum")
}
