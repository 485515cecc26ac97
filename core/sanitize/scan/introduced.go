package scan

import "bytes"

// Secrets told before their name, or right behind it: use x7y as the password, BIOS
// password x7y, iDRAC root/x7y.

// owners are words in front of a name that say what it opens: BIOS password x7y.
var owners = listOf("bios", "root", "admin", "administrator", "ilo", "idrac", "ipmi", "bmc", "wifi", "wlan", "vpn", "ssh", "ftp", "smb", "db", "database", "default", "temp", "temporary", "initial", "enable", "sudo", "grub", "luks", "alte", "altes", "neue", "neues", "altem", "neuem", "ancien", "nouveau", "nueva", "nuova", "vecchia", "und", "mit", "con", "avec", "et", "y", "and", "same", "new", "old", "current", "previous", "our", "my", "your", "his", "her", "their", "shared", "common", "standard", "usual", "following")

// introduced is true for a name that its secret follows at once: (pw x7y), BIOS
// password x7y.
func (s *Scanner) introduced() bool {
	from := s.toldFrom
	if from <= s.ls {
		return false
	}
	if s.buf[from-1] == '(' || foldIs(s.buf[from:s.toldAt], "community") {
		return true
	}
	if s.before(from, "mot de ") {
		from -= len("mot de ")
	}
	rest, word := lastWord(s.buf[s.ls:from])
	if foldIs(word, "le") || foldIs(word, "la") || foldIs(word, "dem") {
		_, word = lastWord(rest) // avec le mot de passe x7y
	}
	return owners.has(word) || s.before(from, ", ") && s.network()
}

// network is true for a line about a wireless network.
func (s *Scanner) network() bool {
	l := s.buf[s.ls:min(s.le, s.ls+200)]
	return containsFold(l, "ssid") || containsFold(l, "wifi") || containsFold(l, "wlan") || containsFold(l, "wi-fi") || containsFold(l, "wpa")
}

// asPassword takes a word before the name: use `x7y` as admin password, it uses
// x7y for its password.
func (s *Scanner) asPassword() bool {
	buf := s.buf
	before := buf[max(s.ls, s.toldFrom-32):s.toldFrom]
	if bytes.HasSuffix(before, []byte(" (")) && s.toldAt < s.le && buf[s.toldAt] == ')' {
		_, word := lastWord(before[:len(before)-2])
		e := s.toldFrom - 2
		if from, to, _ := unquoted(buf, e-len(word), e); to > from && s.tellable(buf[from:to], false) {
			s.tell(from, to) // it works with x7y (password)
			return true
		}
	}
	for _, t := range [...]string{" for its ", " for the "} {
		if bytes.HasSuffix(before, []byte(t)) {
			b, word := lastWord(before[:len(before)-len(t)])
			if _, verb := lastWord(b); (foldIs(verb, "uses") || foldIs(verb, "use") || foldIs(verb, "using") || foldIs(verb, "has")) && s.tellable(word, false) {
				e := s.toldFrom - len(t)
				s.tell(e-len(word), e)
				return true
			}
		}
	}
	for _, t := range [...]string{" als ", " comme ", " como ", " come ", " как ", " as ", " as the ", " as a "} {
		if bytes.HasSuffix(before, []byte(t)) {
			_, word := lastWord(before[:len(before)-len(t)])
			e := s.toldFrom - len(t)
			if from, to, _ := unquoted(buf, e-len(word), e); to > from && s.tellable(buf[from:to], false) {
				s.tell(from, to)
				return true
			}
		}
	}
	i := bytes.LastIndex(before, []byte(" as "))
	if i < 2 || bytes.Count(before[i+4:], []byte{' '}) > 2 {
		return false
	}
	e := s.toldFrom - len(before) + i - 1
	q := buf[e]
	if q != '`' && q != '"' && q != '\'' {
		return false
	}
	from := max(s.ls, e-64)
	b := bytes.LastIndexByte(buf[from:e], q)
	if b < 0 || !s.tellable(buf[from+b+1:e], true) {
		return false
	}
	s.tell(from+b+1, e)
	return true
}

// reaching are words in front of an account and its password: log in with root/x7y.
var reaching = listOf("with", "login", "use", "using", "as", "are", "creds", "credentials", "mit", "avec", "con", "via", "try", "tried", "met", "med", "com")

// accountSlash takes what stands behind root/ or admin/ in a line about a login:
// iDRAC root/x7y.
func (s *Scanner) accountSlash(p int) {
	e := p
	for e < s.le && !isSpace(s.buf[e]) && s.buf[e] != '/' {
		e++
	}
	v := bytes.TrimRight(s.buf[p:e], ".,;:!?)\"'")
	if e < s.le && s.buf[e] == '/' || len(v) == 0 || bytes.IndexByte(v, '.') >= 0 || !s.tellable(v, false) {
		return
	}
	name, before := lastWord(bytes.TrimRight(s.buf[s.ls:p], "/ "))
	if len(before) > 0 && before[0] == '(' {
		before = []byte("with")
	} else {
		_, before = lastWord(name)
	}
	if len(before) == 0 || !handing.has(before) && !owners.has(before) && before[len(before)-1] != ':' && before[len(before)-1] != ',' && !reaching.has(before) {
		return
	}
	l := s.buf[s.ls:min(s.le, s.ls+300)]
	for _, t := range [...]string{"login", "log in", "logged in", "inlog", "einlog", "anmeld", "connect", "acceso", "cred", "pass", "pw", "account", "access", "zugang", "idrac", "ilo ", "ipmi", "bmc", "console"} {
		if containsFold(l, t) {
			s.tell(p, p+len(v))
			return
		}
	}
}

// loginWith takes the word behind an account: log in with admin:x7y.
func (s *Scanner) loginWith(p int) {
	e := p
	for e < s.le && isAccountChar(s.buf[e]) {
		e++
	}
	if e == p || e+1 >= s.le || s.buf[e] != ':' && s.buf[e] != ' ' && s.buf[e] != '/' {
		return
	}
	q := e + 1
	for _, t := range [...]string{"and ", "/ ", "| "} {
		if bytes.HasPrefix(s.buf[q:s.le], []byte(t)) {
			q += len(t)
		}
	}
	b, end, _ := unquoted(s.buf, q, q+len(firstWord(s.buf[q:s.le])))
	if !s.tellable(s.buf[b:end], false) || s.tellable(s.buf[p:e], false) && s.buf[e] == ' ' {
		return
	}
	if s.Identify {
		s.addAccount(p, e)
	}
	s.tell(b, end)
}

// loginAs takes the word behind an account: log in as root with x7y.
func (s *Scanner) loginAs(p int) {
	e := p
	for e < s.le && (isAccountChar(s.buf[e]) || s.buf[e] == '"' || s.buf[e] == '`') {
		e++
	}
	for _, t := range [...]string{" with ", " / ", "/", " using "} {
		if v := e + len(t); e > p && v < s.le && string(s.buf[e:v]) == t {
			b, end, _ := unquoted(s.buf, v, v+len(firstWord(s.buf[v:s.le])))
			if s.tellable(s.buf[b:end], false) {
				if s.Identify {
					s.addAccount(p, e)
				}
				s.tell(b, end)
			}
			return
		}
	}
}
