package scan

import "bytes"

// nobodys are words behind "password for" that name no account.
var nobodys = []string{"this", "that", "all", "any", "each", "our", "my", "your", "his", "her", "every", "access", "use", "new", "more", "an", "it", "its", "some", "them", "you", "me", "us", "both", "other", "these", "those", "login", "database", "example", "account", "accounts", "users", "key", "invalid", "illegal", "keystore", "certificate"}

// passwordFor takes the account in: Setting new password for jdoe.
func (s *Scanner) passwordFor(b, e int) {
	w := s.buf[b:e]
	if len(w) < 3 || e < s.le && s.buf[e] != ' ' && s.buf[e] != ',' && s.buf[e] != ':' {
		return
	}
	for _, n := range nobodys {
		if foldIs(w, n) {
			return
		}
	}
	s.addAccount(b, e)
}

// accountBefore takes the account in front of the name of a password at ks:
// name=NAME password=x, NAME Cleartext-Password := "x".
func (s *Scanner) accountBefore(ks int, op []byte) {
	buf := s.buf
	if ks-s.ls < 3 || !isSpace(buf[ks-1]) {
		return
	}
	e := ks - 1
	for e > s.ls && isSpace(buf[e-1]) {
		e--
	}
	b := e
	for b > s.ls && !isSpace(buf[b-1]) {
		b--
	}
	switch w := buf[b:e]; {
	case len(w) > 5 && string(w[:5]) == "name=" && allAccount(w[5:]):
		s.addAccount(b+5, e)
	case b == s.ls && len(op) == 2 && op[1] == '=' && allAccount(w) && string(w) != "DEFAULT" && bytes.IndexByte(buf[ks:min(s.le, ks+24)], '-') > 0:
		s.addAccount(b, e)
	}
}

// mounted takes the machine at the front of a line of fstab: //NAME/share,
// NAME:/path.
func (s *Scanner) mounted() {
	b := s.ls
	if i := bytes.Index(s.buf[s.ls:s.le], []byte("//")); i > 0 && (s.buf[s.ls+i-1] == ' ' || s.buf[s.ls+i-1] == ':' && i > 1 && s.buf[s.ls+i-2] == ' ') {
		s.whereArg(s.ls+i+2, s.le) // mount -t cifs //NAME/share
		return
	}
	for b < s.le && s.buf[b] == '/' {
		b++
	}
	e := b
	for e < s.le && (isAlnum(s.buf[e]) || s.buf[e] == '-' || s.buf[e] == '_') {
		e++
	}
	if e-b < 3 || e+1 >= s.le || !isLetter(s.buf[b]) || b == s.ls+2 && s.buf[e] != '/' || b == s.ls && (s.buf[e] != ':' || s.buf[e+1] != '/') || b == s.ls+1 {
		return
	}
	s.ident(b, e, Host)
}

// author takes the name in: Author: Jane Doe <jane@example.com>.
func (s *Scanner) author(b int) {
	e := bytes.Index(s.buf[b:s.le], []byte(" <"))
	if e < 3 || e > 48 || bytes.IndexByte(s.buf[b+e:s.le], '@') < 0 || !isLetter(s.buf[b]) && s.buf[b] < 0x80 {
		return
	}
	s.ident(b, b+e, User)
}

// passwdLine takes the name and the person of a line of /etc/passwd:
// jdoe:x:1000:1000:John Doe,,,:/home/jdoe:/bin/sh.
func (s *Scanner) passwdLine() {
	line := s.buf[s.ls:s.le]
	var at [5]int
	p := 0
	for i := range at {
		c := bytes.IndexByte(line[p:], ':')
		if c < 0 {
			return
		}
		at[i] = p + c
		p += c + 1
	}
	if !isNumber(line[at[1]+1:at[2]]) || !isNumber(line[at[2]+1:at[3]]) {
		return
	}
	s.addAccount(s.ls, s.ls+at[0])
	g := line[at[3]+1 : at[4]]
	if i := bytes.IndexByte(g, ','); i >= 0 {
		g = g[:i]
	}
	if bytes.IndexByte(g, ' ') > 0 && isLetter(g[0]) {
		b := s.ls + at[3] + 1
		s.ident(b, b+len(g), User)
	}
}

// urlNames takes the account and the host of an URL that has credentials, and
// the host of one with a port. The authority is buf[from:end], at is the place
// of its last @ or -1.
func (s *Scanner) urlNames(from, at, colon int) {
	buf := s.buf
	h := from
	if at >= 0 {
		e := at
		if colon >= 0 && colon < at {
			e = colon
		}
		b := from
		for b < e && isAccountChar(buf[b]) {
			b++
		}
		if b == e && e > from && !looksRandom(buf[from:e]) {
			s.addAccount(from, e)
		}
		h = at + 1
	}
	dots := 0
	e := h
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '-' || buf[e] == '_' || buf[e] == '.') {
		dots += btoi(buf[e] == '.')
		e++
	}
	for e > h && buf[e-1] == '.' {
		e--
		dots--
	}
	v := buf[h:e]
	port := e+1 < s.le && buf[e] == ':' && isDigit(buf[e+1])
	if len(v) < 3 || !isLetter(v[0]) || at < 0 && (dots > 0 || !port) || foldIs(v, "localhost") || foldIs(v, "host") || foldIs(v, "hostname") || isPublic(v) || isToken(v) {
		return
	}
	if e < s.le && (buf[e] == '$' || buf[e] == '{' || buf[e] == '%' || buf[e] == '@') {
		return
	}
	s.ident(h, e, Host)
}
