package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Names of several words in other languages: what comes between the word for a
// secret and its colon says whose it is.

// foreignLeads are such names, as they begin.
var foreignLeads = []string{"phrase secr", "phrase de passe", "cl\u00e9 api", "cl\u00e9 d'api", "cl\u00e9 secr", "cl\u00e9 priv", "cl\u00e9 partag", "cl\u00e9 wifi", "cl\u00e9 wpa", "cl\u00e9 d'acc", "cl\u00e9 de chiffrement", "cl\u00e9 de licence", "clave api", "clave secreta", "clave privada", "clave de acceso", "clave wifi", "chave de acesso", "chave api", "chave secreta", "chiave di accesso", "chiave api", "chiave segreta", "frase de contrase\u00f1a", "contrase\u00f1a de", "contrase\u00f1a del", "contrase\u00f1a para", "code pin", "code d'acc\u00e8s", "has\u0142o do", "has\u0142o dla", "l\u00f6senord f\u00f6r", "\u043f\u0430\u0440\u043e\u043b\u044c \u043e\u0442", "\u043f\u0430\u0440\u043e\u043b\u044c \u0434\u043b\u044f", "\u043f\u0430\u0440\u043e\u043b\u044c \u043a"}

// romance are first words of such names without an accent.
var romance = listOf("clave", "chiave", "frase", "chave", "code", "phrase")

// foreignPhrase takes the value of a name of several words, of which one begins
// at ks and ends at ke: Phrase secrète du serveur : x.
func (s *Scanner) foreignPhrase(ks, ke int) bool {
	buf := s.buf
	b := ks
	for b > s.ls && ks-b < 24 && (isLetter(buf[b-1]) || buf[b-1] >= 0x80 || buf[b-1] == ' ' || buf[b-1] == '\'') {
		b--
	}
	b = nonSpace(buf, b, ks)
	if b > s.ls && !isSpace(buf[b-1]) && buf[b-1] != '-' && buf[b-1] != '*' && buf[b-1] != '"' && buf[b-1] != '(' {
		return false
	}
	known := false
	for _, t := range foreignLeads {
		known = known || s.le-b > len(t) && foldEqual(buf[b:b+len(t)], t)
	}
	if !known {
		return false
	}
	words := 0
	for p := ke; p < s.le && p-ke < 48; p++ {
		switch c := buf[p]; {
		case c == ':' || c == '=':
			if p+1 >= s.le || !isSpace(buf[p+1]) {
				return false
			}
			s.keyEnd = p
			s.value(p+1, want{class: keyname.Strong, kind: keyname.Password, rule: "key-value", toEnd: true})
			return true
		case c == ' ':
			words++
		case !isAlnum(c) && c < 0x80 && c != '\'' && c != '-' && c != '/' && c != '_' && c != '.' && c != '@' && c != '(' && c != ')':
			return false
		}
		if words > 6 {
			return false
		}
	}
	return false
}

// policyWords before a name of another language make it speak about a secret
// only: срок действия пароля.
var policyWords = []string{"\u0441\u0440\u043e\u043a ", "\u0434\u043b\u0438\u043d\u0430 ", "\u043f\u043e\u043b\u0438\u0442\u0438\u043a\u0430 ", "\u0434\u0435\u0439\u0441\u0442\u0432\u0438\u044f ", "\u0441\u043c\u0435\u043d\u0430 "}

// speaksOnly is true for such a word right before ks.
func (s *Scanner) speaksOnly(ks int) bool {
	for _, t := range policyWords {
		if ks-len(t) >= s.ls && string(s.buf[ks-len(t):ks]) == t {
			return true
		}
	}
	return false
}

// pinOf takes the digits of a PIN behind words that say whose it is:
// PIN of the safe: 4711.
func (s *Scanner) pinOf(ks, sep int, w want) bool {
	buf := s.buf
	if !foldIs(w.key, "pin") || !(upperIdent(w.key) || s.before(ks, "ode ")) {
		return false
	}
	i := bytes.IndexByte(buf[sep:min(s.le, sep+48)], ':')
	if i < 0 {
		return false
	}
	p := nonSpace(buf, sep+i+1, s.le)
	e := p
	for e < s.le && isDigit(buf[e]) {
		e++
	}
	if e-p < 4 || e-p > 8 || e < s.le && !isSpace(buf[e]) && buf[e] != ',' && buf[e] != '.' && buf[e] != ';' && buf[e] != ')' {
		return false
	}
	s.hide(p, e, keyname.Password, "key-word")
	return true
}
