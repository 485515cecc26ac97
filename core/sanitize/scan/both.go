package scan

import "bytes"

// Names that announce an account and its password at once:
//
//	User / Pass: bob / x
//	username and password: bob x

// both hides the second of the words at v, if the name at ks follows that of an
// account. False if there are not two.
func (s *Scanner) both(ks, v int, w want) bool {
	buf := s.buf
	e := ks
	for e > s.ls && (isSpace(buf[e-1]) || buf[e-1] == '/' || buf[e-1] == '&' || buf[e-1] == '|' || buf[e-1] == '+' || buf[e-1] == ',') {
		e--
	}
	if b := wordStart(buf, s.ls, e); joining.has(buf[b:e]) {
		for e = b; e > s.ls && isSpace(buf[e-1]); {
			e--
		}
	} else if e == ks || len(bytes.TrimSpace(buf[e:ks])) == 0 {
		return false
	}
	if b := wordStart(buf, s.ls, e); !ofAccount.has(buf[b:e]) {
		return false
	}
	// NAME x, NAME / x
	p := nonSpace(buf, v, s.le)
	end := p
	for end < s.le && !isSpace(buf[end]) && buf[end] != '/' && buf[end] != '|' {
		end++
	}
	name := bytes.TrimRight(buf[p:end], ",:;")
	q := end
	for q < s.le && (isSpace(buf[q]) || buf[q] == '/' || buf[q] == '|' || buf[q] == '-' && q+1 < s.le && isSpace(buf[q+1]) || buf[q] == ':' || buf[q] == '&') {
		q++
	}
	t := q
	for t < s.le && !isSpace(buf[t]) {
		t++
	}
	if q >= s.le || !isSpace(buf[q-1]) || len(name) == 0 || !allAccount(bytes.Trim(name, "\"'`")) {
		return false
	}
	if plain := len(bytes.TrimSpace(buf[end:q])) == 0; plain && (nonSpace(buf, t, s.le) < s.le || spokenBad(name) || !mixedWord(buf[q:t])) {
		return false // a sentence
	}
	if s.Identify {
		s.addAccount(p, p+len(name))
	}
	b, t, _ := unquoted(buf, q, t)
	if last := t; last < s.le && (buf[last] == '!' || buf[last] == '?') {
		t++ // more likely the end of a password than of a sentence
	}
	s.judge(b, t, w, true)
	return true
}

func wordStart(buf []byte, from, e int) int {
	for e > from && (isLetter(buf[e-1]) || buf[e-1] >= 0x80 || buf[e-1] == '_') {
		e--
	}
	return e
}

// joining are words between both names, ofAccount the first of them.
var (
	joining   = listOf("and", "und", "et", "y", "e", "or", "en", "og", "och", "i", "a")
	ofAccount = listOf("user", "username", "user_name", "userid", "login", "account", "name", "id", "uid", "usr", "benutzer", "benutzername", "utilisateur", "identifiant", "usuario", "utente", "gebruiker", "gebruikersnaam", "kasutaja", "anvandare", "bruger", "bruker", "uzytkownik", "loginname", "logon")
)
