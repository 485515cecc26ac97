package scan

import "bytes"

// Beside a secret stands whose it is and where it is good: the account and the
// machine of a command line, of an object, of a row. They become pseudonyms.

// whom takes the accounts and machines among the arguments of a command that has
// been given a secret, or could be.
func (s *Scanner) whom(args []arg) {
	for i, a := range args {
		t := s.text(a)
		if isStop(t) || len(t) < 2 {
			continue
		}
		next := arg{}
		if i+1 < len(args) {
			next = args[i+1]
		}
		switch t[0] {
		case '-':
			switch string(t) {
			case "-u", "-U", "-user", "--user", "-User", "-UserName", "--username", "-username", "--login", "-Credential", "-Identity":
				s.whomArg(next.vs, next.ve)
			case "-h", "-H", "-S", "-host", "--host", "--hostname", "-hostname", "--server", "-server", "-ComputerName", "-Server":
				s.whereArg(next.vs, next.ve)
			}
			if e := bytes.IndexByte(t, '='); e > 2 && t[1] == '-' {
				switch string(t[2:e]) {
				case "user", "username", "login", "name", "bind-user", "db-user", "dbuser":
					s.whomArg(a.vs+e+1, a.ve)
				case "host", "hostname", "server", "db-host":
					s.whereArg(a.vs+e+1, a.ve)
				}
			}
		case '/':
			if len(t) > 4 && t[1] == '/' {
				s.whereArg(a.vs+2, a.ve)
				continue
			}
			c := bytes.IndexByte(t, ':')
			if c < 0 {
				if foldIs(t, "/ru") || foldIs(t, "/u") {
					s.whomArg(next.vs, next.ve)
				}
				continue
			}
			if n := t[1:c]; foldIs(n, "user") || foldIs(n, "u") || foldIs(n, "username") {
				s.whomArg(a.vs+c+1, a.ve)
			} else if foldIs(n, "node") || foldIs(n, "v") || foldIs(n, "server") || foldIs(n, "add") {
				s.whereArg(a.vs+c+1, a.ve)
			}
		case '\\':
			if len(t) > 4 && t[1] == '\\' && bytes.IndexByte(t[2:], '\\') < 0 {
				s.whereArg(a.vs+2, a.ve)
			}
		}
	}
}

// whomArg takes the account in buf[b:e]: NAME, DOMAIN\NAME, NAME%x, NAME:x.
func (s *Scanner) whomArg(b, e int) {
	if b >= e {
		return
	}
	b += quoteAt(s.buf, b, e)
	if i := bytes.IndexByte(s.buf[b:e], '\\'); i > 0 {
		b += i + 1
		b += btoi(b < e && s.buf[b] == '\\')
	}
	n := b
	for n < e && isAccountChar(s.buf[n]) {
		n++
	}
	if n-b > 2 && (n == e || bytes.IndexByte([]byte("%:@'\",;"), s.buf[n]) >= 0) && !isTypeName(s.buf[b:n]) && !isPlaceholderWord(s.buf[b:n]) {
		s.addAccount(b, n)
	}
}

// whereArg takes the machine in buf[b:e], if it is a bare name: those with dots
// are found by themselves.
func (s *Scanner) whereArg(b, e int) {
	if b >= e {
		return
	}
	b += quoteAt(s.buf, b, e)
	n, special := b, 0
	for n < e && (isAlnum(s.buf[n]) || s.buf[n] == '-' || s.buf[n] == '_') {
		special += btoi(isDigit(s.buf[n]) || s.buf[n] == '-')
		n++
	}
	if n-b < 3 || n-b > 63 || !isLetter(s.buf[b]) || special == 0 && n-b < 5 || n < e && bytes.IndexByte([]byte(":/,'\"\\;"), s.buf[n]) < 0 {
		return
	}
	if n+1 < e && s.buf[n] == ':' && !isDigit(s.buf[n+1]) {
		return // ldapi:///, a header
	}
	for _, t := range [...]string{"localhost", "server", "host", "hostname", "computer", "true", "false", "none", "https", "http", "simple"} {
		if foldIs(s.buf[b:n], t) {
			return
		}
	}
	if isPlaceholderWord(s.buf[b:n]) || isToken(s.buf[b:n]) {
		return
	}
	s.ident(b, n, Host)
}

var accountColumns = listOf("user", "username", "user_name", "user name", "login", "login_name", "loginname", "account", "user_login", "userid", "user_id", "benutzer", "benutzername", "utilisateur", "usuario", "nutzer", "usr", "uid", "samaccountname", "admin user", "db_user")

var machineColumns = listOf("host", "hostname", "host_name", "host name", "server", "servername", "machine", "device", "device name", "node", "computer", "rechner", "hostnamen", "gerät", "hôte")

// namesColumns remembers which columns of a table that has secrets hold the
// accounts they belong to, and the machines.
func (s *Scanner) namesColumns(cols []arg) {
	if !s.Identify {
		return
	}
	for i, c := range cols {
		f := bytes.Trim(s.text(c), " '*`")
		switch {
		case accountColumns.has(f):
			s.State.Accounts |= 1 << i
		case machineColumns.has(f):
			s.State.Machines |= 1 << i
		}
	}
}

// namesRow takes them from a row.
func (s *Scanner) namesRow(cols []arg) {
	if s.State.Accounts|s.State.Machines == 0 {
		return
	}
	for i, c := range cols {
		switch {
		case s.State.Accounts>>i&1 != 0:
			s.whomArg(c.vs, c.ve)
		case s.State.Machines>>i&1 != 0:
			if v := s.text(c); len(v) < 40 && len(v) > 2 && isLetter(v[0]) && !isTypeName(v) && bytes.IndexByte(v, ' ') < 0 && bytes.IndexByte(v, '.') < 0 && allAccount(v) && !foldIs(v, "localhost") && !foldIs(v, "none") && !foldIs(v, "null") {
				s.ident(c.vs, c.ve, Host)
			}
		}
	}
}

// foreignAccount takes the value behind a word for users in another language that
// ends at e or with its word: Benutzername: jdoe, Utilisateur : jdoe.
func (s *Scanner) foreignAccount(e int) {
	buf := s.buf
	for e < s.le && (isLetter(buf[e]) || buf[e] >= 0x80 && e+1 < s.le && buf[e+1] >= 0x80) {
		e++
	}
	e += quoteAt(buf, e, s.le)
	if e < s.le && buf[e] == ' ' {
		e++
	}
	if e >= s.le || buf[e] != ':' && buf[e] != '=' || e+1 < s.le && buf[e+1] == buf[e] {
		return
	}
	p := nonSpace(buf, e+1, s.le)
	p += quoteAt(buf, p, s.le)
	n := p
	for n < s.le && isAccountChar(buf[n]) {
		n++
	}
	for n > p && buf[n-1] == '.' {
		n--
	}
	if n-p > 2 && (n == s.le || bytes.IndexByte([]byte(" ,;)\"'.\r<"), buf[n]) >= 0) && !isTypeName(buf[p:n]) {
		s.addAccount(p, n)
	}
}
