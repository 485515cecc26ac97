package scan

import "bytes"

// The output of commands and the names of directories show accounts by their
// place: ls -l, id, who, distinguished names of LDAP.

// placedAccount deals with word, which was found at pos.
func (s *Scanner) placedAccount(pos int, word string) {
	buf := s.buf
	e := pos + len(word)
	switch word {
	case `\users\`:
		e += btoi(e < s.le && buf[e] == '\\')
		n := e
		for n < s.le && isAccountChar(buf[n]) {
			n++
		}
		if n < s.le && buf[n] == '\\' && !foldIs(buf[e:n], "public") && !foldIs(buf[e:n], "default") {
			s.addAccount(e, n)
		}
	case "drwx", "-rw-", "-rwx", "lrwx":
		s.listed(pos)
	case "gid=":
		// uid=1001(name) gid=1001(name) groups=1001(name),27(sudo)
		if !bytes.Contains(buf[s.ls:pos], []byte("uid=")) {
			break
		}
		for p := s.ls; p < s.le; p++ {
			if buf[p] != '(' || p == s.ls || !isDigit(buf[p-1]) {
				continue
			}
			n := p + 1
			for n < s.le && isAccountChar(buf[n]) {
				n++
			}
			if n < s.le && buf[n] == ')' {
				s.addAccount(p+1, n)
			}
		}
	case ",ou=":
		// uid=name,ou=people
		b := pos
		for b > s.ls && isAccountChar(buf[b-1]) {
			b--
		}
		if s.before(b, "uid=") || s.before(b, "samaccountname=") {
			s.addAccount(b, pos)
		}
	case " pts/":
		// name pts/0 at the beginning of a line of who, w and last
		b := pos
		for b > s.ls && buf[b-1] == ' ' {
			b--
		}
		if b > s.ls && b-s.ls < 33 && allAccount(buf[s.ls:b]) {
			s.addAccount(s.ls, b)
		}
	case "ner:", "ner=":
		if !s.before(pos, "ow") {
			break
		}
		p := nonSpace(buf, e, s.le)
		p += quoteAt(buf, p, s.le)
		n := p
		for n < s.le && isAccountChar(buf[n]) {
			n++
		}
		if n >= s.le || buf[n] == '"' || buf[n] == '\'' || buf[n] == ',' {
			s.addAccount(p, n)
		}
	case "odename:", "odename\":", "odename=":
		if s.before(pos, "n") {
			s.machine(pos + len("odename"))
		}
	case "gnu/linux":
		// uname -a: Linux name 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux
		if pos-s.ls < 20 || !foldEqual(buf[s.ls:s.ls+6], "linux ") {
			break
		}
		e = s.ls + 6
		n := e
		for n < s.le && (isAlnum(buf[n]) || buf[n] == '-' || buf[n] == '.') {
			n++
		}
		if n-e >= 3 && n+3 < s.le && buf[n] == ' ' && isDigit(buf[n+1]) && bytes.Contains(buf[n:s.le], []byte(" #")) && !bytes.HasPrefix(buf[e:n], []byte("version")) && !bytes.HasPrefix(buf[e:n], []byte("localhost")) {
			s.ident(e, n, Host)
		}
	}
}

func allAccount(v []byte) bool {
	for _, c := range v {
		if !isAccountChar(c) {
			return false
		}
	}
	return true
}

// listed takes the owner and the group in a line of ls -l, whose mode is at pos:
// drwxr-xr-x 2 name group 4096 Nov  3 10:00 file.
func (s *Scanner) listed(pos int) {
	buf := s.buf
	p := pos
	for p < s.le && !isSpace(buf[p]) {
		p++
	}
	if n := p - pos; n < 10 || n > 11 {
		return
	}
	p = nonSpace(buf, p, s.le)
	n := p
	for n < s.le && isDigit(buf[n]) {
		n++
	}
	if n == p || n >= s.le || buf[n] != ' ' {
		return
	}
	var at [2][2]int
	for i := range at {
		p = nonSpace(buf, n, s.le)
		n = p
		for n < s.le && isAccountChar(buf[n]) {
			n++
		}
		if n == p || n >= s.le || buf[n] != ' ' {
			return
		}
		at[i] = [2]int{p, n}
	}
	if p = nonSpace(buf, n, s.le); p < s.le && isDigit(buf[p]) {
		s.addAccount(at[0][0], at[0][1])
		s.addAccount(at[1][0], at[1][1])
	}
}

// person takes the name in front of an address that ends at e: Jane Doe
// <jane@example.com>, "Doe, Jane" <jane@example.com>. Its words begin with
// capitals.
func (s *Scanner) person(buf []byte, e, from int) {
	b, words := e, 0
	quoted := e > from && buf[e-1] == '"'
	e -= btoi(quoted)
	for p := e; p > from && words < 4; {
		w := p
		for w > from && (isLetter(buf[w-1]) || buf[w-1] >= 0x80 || buf[w-1] == '-' || buf[w-1] == '\'' || buf[w-1] == '.' || buf[w-1] == ',' && quoted) {
			w--
		}
		if w == p || !(buf[w] >= 'A' && buf[w] <= 'Z' || buf[w] >= 0x80) {
			break
		}
		b = w
		words++
		if w == from || buf[w-1] != ' ' {
			break
		}
		p = w - 1
	}
	if words < 2 || e-b > 48 || b > from && bytes.IndexByte([]byte(" :\",;(\t>"), buf[b-1]) < 0 {
		return
	}
	s.ident(b, e, User)
}

// machine takes the value of a key that ends at e and names a machine.
func (s *Scanner) machine(e int) {
	buf := s.buf
	p := e + quoteAt(buf, e, s.le)
	if p = nonSpace(buf, p, s.le); p >= s.le {
		return
	}
	if buf[p] != ':' && buf[p] != '=' {
		s.directiveHost(e, p)
		return
	}
	p = nonSpace(buf, p+1, s.le)
	p += quoteAt(buf, p, s.le)
	n := p
	for n < s.le && (isAlnum(buf[n]) || buf[n] == '-' || buf[n] == '.') {
		n++
	}
	if n-p == 12 && hexOnly(buf[p:n]) && (n == s.le || isBlank(buf[n]) || buf[n] == '"') {
		s.ident(p, n, Host) // of a container
		return
	}
	if n-p >= 3 && isLetter(buf[p]) && !isSwitch(buf[p:n]) && !fieldNames.has(buf[p:n]) && !bytes.HasPrefix(buf[p:n], []byte("localhost")) {
		s.ident(p, n, Host)
	}
}

// directiveHost takes the machine in: hostname NAME, set system host-name NAME,
// alone on its line.
func (s *Scanner) directiveHost(e, p int) {
	buf := s.buf
	b := nonSpace(buf, s.ls, s.le)
	if p != e+1 || buf[e] != ' ' || b+len("hostname") < e-1 && string(buf[b:b+4]) != "set " {
		return
	}
	p += quoteAt(buf, p, s.le)
	n := p
	for n < s.le && (isAlnum(buf[n]) || buf[n] == '-' || buf[n] == '.' || buf[n] == '_') {
		n++
	}
	if n-p < 3 || !isLetter(buf[p]) || n+1 < s.le || n < s.le && buf[n] != '"' && buf[n] != ';' || bytes.HasPrefix(buf[p:n], []byte("localhost")) || isSwitch(buf[p:n]) || lowerWord(buf[p:n]) && n-p < 5 {
		return
	}
	s.ident(p, n, Host)
}

// accountWords stand behind the account in a line of configuration that begins
// with user or username.
var accountWords = []string{"password", "privilege", "secret", "class", "role", "insecure-password", "authentication", "encrypted", "nopassword", "auth", "network-admin", "network-operator"}

// configured is true for: username NAME privilege 15, set system login user NAME.
func (s *Scanner) configured(b, p int) bool {
	if first := nonSpace(s.buf, s.ls, s.le); first != b && !(b > s.ls && (s.buf[b-1] == '#' || s.buf[b-1] == '>')) && !s.before(b, "login ") && !s.before(b, "snmp-server ") {
		return false
	}
	for p < s.le && isAccountChar(s.buf[p]) {
		p++
	}
	if p >= s.le {
		return isSpace(s.buf[s.ls]) && s.before(b+len("username "), "username ") // username NAME, in a block
	}
	if s.buf[p] != ' ' {
		return false
	}
	e := p + 1
	for e < s.le && isAccountChar(s.buf[e]) {
		e++
	}
	for _, w := range accountWords {
		if foldIs(s.buf[p+1:e], w) {
			return true
		}
	}
	return s.before(b, "snmp-server ")
}

// visitor takes the account of a line of an access log, behind the address that
// ends at end: 198.51.100.4 - NAME [12/Jan/2026:06:25:45 +0000].
func (s *Scanner) visitor(buf []byte, end, to int) {
	p := end + len(" - ")
	e := p
	for e < to && e-p < 33 && isAccountChar(buf[e]) {
		e++
	}
	if e-p < 2 || e+3 > to || string(buf[e:e+2]) != " [" || !isDigit(buf[e+2]) || !isLetter(buf[p]) {
		return
	}
	if !keptUsers.has(buf[p:e]) {
		s.ident(p, e, User)
	}
}

// acts says that somebody is spoken of: user NAME authenticated.
func (s *Scanner) acts(p int) bool {
	for p < s.le && isAccountChar(s.buf[p]) {
		p++
	}
	if p >= s.le || s.buf[p] != ' ' {
		return false
	}
	b := p + 1
	for p = b; p < s.le && isLetter(s.buf[p]); p++ {
	}
	for _, w := range []string{"authenticated", "logged", "locked", "unlocked", "disabled", "deleted", "signed", "disconnected", "connected", "expired"} {
		if foldIs(s.buf[b:p], w) {
			return true
		}
	}
	return false
}

// shortName takes db1 behind db1.acme.internal, as /etc/hosts has it.
func (s *Scanner) shortName(buf []byte, start, end, to int) {
	p := end
	for p < to && isSpace(buf[p]) {
		p++
	}
	n := bytes.IndexByte(buf[start:end], '.')
	if p == end || n < 3 || p+n > to || !bytes.Equal(buf[p:p+n], buf[start:start+n]) || !isLetter(buf[p]) {
		return
	}
	if e := p + n; e == to || isBlank(buf[e]) || buf[e] == '#' {
		s.ident(p, e, Host)
	}
}

// processes takes the line as the head of a table of processes, if the USER at
// pos is one of its columns: ps aux, top.
func (s *Scanner) processes(pos int) {
	head := s.buf[s.ls:s.le]
	if string(s.buf[pos:pos+4]) == "PPID" { // ps -ef
		if pos = nonSpace(s.buf, s.ls, s.le); string(s.buf[pos:pos+4]) != "UID " {
			return
		}
	} else if string(s.buf[pos:pos+4]) != "USER" {
		return
	}
	if s.State.Mode != Normal || s.le-s.ls > 256 || !bytes.Contains(head, []byte("PID")) || !bytes.Contains(head, []byte("COMMAND")) && !bytes.Contains(head, []byte("CMD")) {
		return
	}
	if col := len(bytes.Fields(s.buf[s.ls:pos])); col < 4 {
		s.enter(InPeople, "", 0, col, 0)
	}
}

// process takes the account in a line of such a table.
func (s *Scanner) process() {
	var at [5][2]int
	n := 0
	for p := nonSpace(s.buf, s.ls, s.le); p < s.le && n < len(at); n++ {
		e := p
		for e < s.le && !isSpace(s.buf[e]) {
			e++
		}
		at[n] = [2]int{p, e}
		p = nonSpace(s.buf, e, s.le)
	}
	col, pid := s.State.Left, 0
	if col == 0 {
		pid = 1
	}
	if n < len(at) || !isNumber(s.buf[at[pid][0]:at[pid][1]]) {
		s.leave()
		return
	}
	if b, e := at[col][0], at[col][1]; allAccount(s.buf[b:e]) {
		s.addAccount(b, e)
	}
}
