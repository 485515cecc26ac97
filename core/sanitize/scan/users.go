package scan

import "bytes"

// Accounts that are not in the dictionary show by where they stand:
//
//	user=jdoe  username: jdoe  login jdoe  'jdoe'@'%'
//	for jdoe from  for invalid user jdoe  by jdoe(uid=1000)  sudo: jdoe :
//	/home/jdoe
//
// They become pseudonyms there; root and the accounts that every system has
// stay.

// account deals with the hit of one of the words above at pos.
func (s *Scanner) account(pos, stem int) {
	buf := s.buf
	word := stemTable[stem].text
	e := pos + len(word)
	if stem == userWordStem {
		s.userWord(pos, e)
		s.userList(pos)
		s.processes(pos)
		return
	}
	switch word {
	case "/home/", "/users/":
		s.accountAt(e, '/')
		s.passwdLine()
	case "sudo: ":
		s.accountAt(nonSpace(buf, e, s.le), ' ')
	case "fatal: [", "ged: [", "ok: [", "skipping: [":
		// fatal: [web1]: FAILED! of Ansible, at the beginning of a line
		if n := s.wordAt(e); (nonSpace(buf, s.ls, s.le) == pos || word[0] == 'g' && s.before(pos, "chan")) && n > e+1 && n+1 < s.le && (buf[n] == ']' || buf[n] == ' ' && buf[n+1] == '-') && isLetter(buf[e]) && !foldIs(buf[e:n], "localhost") {
			s.ident(e, n, Host)
		}
	case "unreachable=":
		// web1   : ok=3 changed=1 unreachable=0 of its recapitulation
		if n := s.wordAt(s.ls); n > s.ls+1 && isLetter(buf[s.ls]) && bytes.HasPrefix(bytes.TrimLeft(buf[n:pos], " "), []byte(": ok=")) && !foldIs(buf[s.ls:n], "localhost") {
			s.ident(s.ls, n, Host)
		}
	case `uname="`:
		if n := s.wordAt(e); n > e+1 && n < s.le && buf[n] == '"' && s.before(e, `e="`) && pos > s.ls && isSpace(buf[pos-1]) {
			s.ident(e, n, Host) // of Pacemaker
		}
	case "uid: ":
		if pos == s.ls && e < s.le && isLetter(buf[e]) && s.wordAt(e) >= s.le-btoi(buf[s.le-1] == '\r') {
			s.accountAt(e, 0) // an entry of LDIF
		}
	case "machine: ":
		if pos-nonSpace(buf, s.ls, s.le) < 8 {
			s.machine(e - len(": "))
		}
	case "benutzer", "utilisateur", "usuario", "ytkownik":
		s.foreignAccount(e)
	case "credential(":
		if q := nonSpace(buf, e, s.le); quoteAt(buf, q, s.le) > 0 {
			s.whomArg(q, s.le) // PSCredential('DOMAIN\NAME', $password)
		}
	case "-aduser ", "setpassword ":
		if n := s.wordAt(e); n > e+2 && (n == s.le || buf[n] == ' ') && isLetter(buf[e]) && (word[0] == '-' || s.before(pos, "user ")) {
			s.addAccount(e, n) // Set-ADUser NAME, samba-tool user setpassword NAME
		}
	case "identity=", "-identity ", "passwd-file(":
		if n := s.wordAt(e); word == "identity=" && n > e && n+1 < s.le && buf[n] == ' ' && bytes.IndexByte(buf[n:s.le], '=') < 0 {
			return // TLSPSKIdentity=PSK 001 is no account
		}
		s.accountAt(e+quoteAt(buf, e, s.le), 0)
	case "ansible_host":
		if b := s.wordAt(s.ls); b > s.ls+2 && b < pos && (buf[b] == ' ' || buf[b] == '.') {
			for b < pos && buf[b] != ' ' {
				b++
			}
			s.ident(s.ls, b, Host)
		}
	case "computername>":
		n := e
		for n < s.le && (isAlnum(buf[n]) || buf[n] == '-') {
			n++
		}
		if n-e > 2 && n < s.le && buf[n] == '<' && isLetter(buf[e]) {
			s.ident(e, n, Host)
		}
	case " cifs ", " nfs":
		s.mounted()
	case "login ":
		if nonSpace(buf, s.ls, s.le) == pos && s.netrc() {
			s.accountAt(e, 0)
		}
	case "author: ":
		s.author(e)
	case "(uid=":
		if e < s.le && isLetter(buf[e]) {
			s.accountAt(e, 0) // (uid=name) of LDAP
			return
		}
		b := pos
		for b > s.ls && isAccountChar(buf[b-1]) {
			b--
		}
		s.addAccount(b, pos)
	case "'@'":
		if q := bytes.LastIndexByte(buf[max(s.ls, pos-64):pos], '\''); q >= 0 {
			s.addAccount(max(s.ls, pos-64)+q+1, pos)
			s.grantHost(e)
		}
	case "password for ", "publickey for ", "interactive/pam for ", "none for ":
		// Accepted password for jdoe from 10.0.0.1
		b := e
		for b < s.le && isAccountChar(buf[b]) {
			b++
		}
		if bytes.HasPrefix(buf[b:s.le], []byte(" from ")) {
			s.addAccount(e, b)
		} else if word == "password for " {
			s.passwordFor(e, b)
		}
	case `acct="`:
		s.accountAt(e, 0)
	case "changed for ":
		if !s.before(e, "for ") || !bytes.HasPrefix(buf[e:s.le], []byte("user ")) {
			s.accountAt(e, 0)
		}
	case "user name: ":
		if n := s.wordAt(e); s.before(pos, "enter the ") && n > e+2 && n >= s.le-btoi(buf[s.le-1] == '\r') {
			s.addAccount(e, n)
		}
	case "entity-name ":
		if s.hasWord("type users") || s.hasWord("type user ") {
			s.addAccount(e, s.wordAt(e))
		}
	case "sql(", "pam(", "ldap(", "imap(", "pop3(", "lmtp(":
		// sql(NAME,10.0.0.1,<x>), imap(NAME)<123> of Dovecot
		n := e
		for n < s.le && isAccountChar(buf[n]) {
			n++
		}
		if n > e+1 && n+1 < s.le && isLetter(buf[e]) && (buf[n] == ',' && (isDigit(buf[n+1]) || buf[n+1] == '<') || buf[n] == ')' && buf[n+1] == '<') {
			s.ident(e, n, User)
		}
	case "sysname", "switchname":
		if b := nonSpace(buf, s.ls, s.le); b == pos || pos > s.ls && (buf[pos-1] == ']' || buf[pos-1] == '#') {
			if e < s.le && buf[e] == ' ' && nonSpace(buf, s.wordAt(e+1), s.le) >= s.le {
				s.directiveHost(e, e+1)
			} else if e < s.le && buf[e] == ':' && word == "switchname" {
				s.machine(e)
			}
		}
	case "hostname", "host-name":
		s.machine(e)
	case ` \\`, `"\\`, `=\\`, `'\\`:
		s.share(e)
	case "ppid":
		s.processes(pos)
	case " role ":
		if s.before(pos, "create") || s.before(pos, "alter") || s.before(pos, "drop") {
			s.accountAt(e+quoteAt(buf, e, s.le), 0)
		}
	default:
		s.placedAccount(pos, word)
	}
}

func (s *Scanner) before(pos int, word string) bool {
	return pos-len(word) >= s.ls && foldEqual(s.buf[pos-len(word):pos], word)
}

// userWord deals with "user" as a word or in the name of a key.
func (s *Scanner) userWord(pos, e int) {
	buf := s.buf
	b := pos
	for b > s.ls && isKeyChar(buf[b-1]) {
		b--
	}
	for b < pos && buf[b] == '-' {
		b++
	}
	for e < s.le && isKeyChar(buf[e]) {
		e++
	}
	if e+4 < s.le && e-pos == 4 && foldEqual(buf[e:e+3], " id") && (buf[e+3] == '=' || buf[e+3] == ':') {
		s.accountAt(nonSpace(buf, e+4, s.le), 0) // User ID=x
		return
	}
	name := buf[b:e]
	i := len(name) - 1
	for i >= 0 && name[i] != '.' && name[i] != '-' && name[i] != '_' {
		i--
	}
	if i >= 0 && !foldIs(name[i+1:], "name") && !foldIs(name[i+1:], "id") {
		name = name[i+1:]
	}
	if !foldIs(name, "user") && !foldIs(name, "username") && !foldIs(name, "userid") && !foldIs(name, "user_id") && !foldIs(name, "user-name") && !(len(name) > 4 && foldEqual(name[len(name)-4:], "user")) && !(len(name) > 8 && (foldEqual(name[len(name)-9:], "user_name") || foldEqual(name[len(name)-8:], "username"))) && !foldIs(buf[b:e], "user_login") {
		return
	}
	p := e
	p += quoteAt(buf, p, s.le)
	p = nonSpace(buf, p, s.le)
	if p >= s.le {
		return
	}
	if n := separator(buf, p, s.le); n > 0 {
		p = nonSpace(buf, p+n, s.le)
		q := quoteAt(buf, p, s.le)
		if q == 0 && (foldIs(name, "userid") || foldIs(name, "user_id")) && !s.passwordNext(p) {
			return // a number, or the name of a variable
		}
		p += q
	} else if buf[p] == '>' && p > e && s.inTag(b) && p+1 < s.le && buf[p+1] != '<' {
		p++ // <Attribute Name="Users.2#UserName">x
	} else if buf[p] == ',' && b > s.ls && buf[b-1] == '{' && bytes.HasPrefix(buf[nonSpace(buf, p+1, s.le):s.le], []byte(`<<"`)) {
		p = nonSpace(buf, p+1, s.le) + len(`<<"`) // {default_user, <<"x">>} of Erlang
	} else if buf[p] == ',' && p > e && upperIdent(buf[b:e]) && quoteAt(buf, nonSpace(buf, p+1, s.le), s.le) == 1 {
		p = nonSpace(buf, p+1, s.le) + 1 // define('DB_USER', 'x')
	} else if buf[e] == '>' && s.openTag(b) {
		p = e + 1 // <username>x</username>
		if n := bytes.IndexByte(buf[p:s.le], '<'); n < 1 || !allAccount(buf[p:p+n]) {
			return
		}
	} else if p-e == 1 && (s.configured(b, p) || s.flagDashes(b) > 0 && !isPlaceholderWord(buf[p:min(s.le, p+3)]) && isLetter(buf[p])) {
		p += quoteAt(buf, p, s.le)
	} else if p == e || !foldIs(name, "user") || p-e != 1 {
		return
	} else if !(s.before(b, "for ") || s.before(b, "invalid ") || s.before(b, "of ") || s.before(b, "by ") || s.before(b, "as ") || s.before(b, "illegal ") || s.before(b, "create ") || s.before(b, "alter ") || s.before(b, "drop ") || quoteAt(buf, p, s.le) > 0 || s.acts(p) || bytes.HasPrefix(buf[s.wordAt(p):s.le], []byte(" using "))) {
		return
	} else {
		if s.says(p) {
			return // for user will expire
		}
		p += quoteAt(buf, p, s.le)
	}
	if w := buf[p:s.wordAt(p)]; isTypeName(w) {
		return // username: str
	}
	s.accountAt(p, 0)
}

// passwordNext is true for a word at p behind which a password comes.
func (s *Scanner) passwordNext(p int) bool {
	e := s.wordAt(p)
	return e > p && e+6 < s.le && (s.buf[e] == ' ' || s.buf[e] == ',' || s.buf[e] == ';') && foldEqual(s.buf[e+1:e+5], "pass")
}

// sayings are words that go on with a sentence about a user.
var sayings = map[string]bool{"will": true, "would": true, "can": true, "cannot": true, "could": true, "should": true, "must": true, "may": true, "might": true, "has": true, "have": true, "had": true, "is": true, "was": true, "are": true, "were": true, "does": true, "did": true, "not": true, "no": true, "that": true, "which": true, "who": true, "whose": true, "with": true, "without": true, "in": true, "on": true, "at": true, "to": true, "of": true, "or": true, "as": true, "by": true, "if": true, "when": true, "while": true, "but": true, "already": true, "logged": true, "account": true, "accounts": true, "login": true, "session": true, "id": true, "name": true, "input": true, "data": true, "defined": true, "specified": true, "provided": true, "interface": true, "space": true, "agent": true, "action": true, "request": true}

// says is true for such a word at p.
func (s *Scanner) says(p int) bool {
	return sayings[string(s.buf[p:s.wordAt(p)])]
}

// wordAt is where the letters at p end.
func (s *Scanner) wordAt(p int) int {
	for p < s.le && (isLetter(s.buf[p]) || s.buf[p] == '_' || s.buf[p] == '-' || isDigit(s.buf[p])) {
		p++
	}
	return p
}

// accountAt takes the word at p; end, if it is not 0, has to follow it or the
// line ends.
func (s *Scanner) accountAt(p int, end byte) {
	e := p
	for e < s.le && isAccountChar(s.buf[e]) {
		e++
	}
	if end == ' ' && (e >= s.le || s.buf[e] != ' ') {
		return
	}
	s.addAccount(p, e)
	// DOMAIN\user
	if u := e + 1; e > p && u < s.le && s.buf[e] == '\\' {
		u += btoi(s.buf[u] == '\\')
		for e = u; e < s.le && isAccountChar(s.buf[e]); e++ {
		}
		if e-u > 2 {
			s.addAccount(u, e)
		}
	}
}

func (s *Scanner) addAccount(b, e int) {
	for e > b && !isAlnum(s.buf[e-1]) {
		e--
	}
	v := s.buf[b:max(b, e)]
	if len(v) < 2 || len(v) > 32 || !isLetter(v[0]) || isSwitch(v) || isToken(v) {
		return
	}
	if keptUsers.has(v) || len(v) >= len("REDACTED_") && bytes.Contains(v, []byte("REDACTED_")) {
		return
	}
	if e < s.le && (s.buf[e] == '(' || s.buf[e] == '[') && !bytes.HasPrefix(s.buf[e:s.le], []byte("(uid")) {
		return
	}
	s.ident(b, e, User)
}
