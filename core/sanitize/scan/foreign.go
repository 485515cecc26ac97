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

// namedPhrase takes the value of a name that other words follow before the colon,
// if it looks like one: Mot de passe IPMI (ancien) : x.
func (s *Scanner) namedPhrase(ks, ke int) bool {
	buf := s.buf
	if !s.startsLine(ks) || ke+2 >= s.le || buf[ke] != ' ' || !isLetter(buf[ke+1]) && buf[ke+1] < 0x80 {
		return false
	}
	i := bytes.IndexByte(buf[ke:min(s.le, ke+48)], ':')
	if i < 0 || ke+i+2 >= s.le || !isSpace(buf[ke+i+1]) || bytes.ContainsAny(buf[ke:ke+i], "=\"';,.{}[]<>") || bytes.Count(buf[ke:ke+i], []byte{' '}) > 5 {
		return false
	}
	p := nonSpace(buf, ke+i+1, s.le)
	v := bytes.TrimRight(buf[p:s.le], " \t\r")
	if bytes.IndexByte(v, ' ') >= 0 || !looksSecret(v) || isNumber(v) || isPath(v) || v[len(v)-1] == '?' {
		return false
	}
	s.keyEnd = s.le
	e := p + len(v)
	if b, t, quoted := unquoted(buf, p, e); quoted > 0 && t > b {
		p, e = b, t
	}
	s.judge(p, e, want{class: keyname.Strong, kind: keyname.Password, rule: "key-value"}, true)
	return true
}

// foreignPhrase takes the value of a name of several words, of which one begins
// at ks and ends at ke: Phrase secrète du serveur : x.
func (s *Scanner) foreignPhrase(ks, ke int) bool {
	buf := s.buf
	b := ks
	for b > s.ls && ks-b < 24 && (isLetter(buf[b-1]) || buf[b-1] >= 0x80 || buf[b-1] == ' ' || buf[b-1] == '\'') {
		b--
	}
	b = nonSpace(buf, b, ks)
	for _, t := range [...]string{"la ", "le ", "el ", "il ", "les ", "the ", "une ", "una "} {
		if ks-b > len(t) && foldEqual(buf[b:b+len(t)], t) {
			b += len(t)
		}
	}
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
var policyWords = []string{"ongueur minimale du ", "omplexit\u00e9 du ", "ur\u00e9e de vie du ", "\u0441\u0440\u043e\u043a ", "\u0434\u043b\u0438\u043d\u0430 ", "\u043f\u043e\u043b\u0438\u0442\u0438\u043a\u0430 ", "\u0434\u0435\u0439\u0441\u0442\u0432\u0438\u044f ", "\u0441\u043c\u0435\u043d\u0430 ", "politique de ", "pol\u00edtica de ", "politica de ", "longueur de ", "longueur du ", "longitud de la ", "lunghezza della ", "r\u00e8gles de ", "Politique de ", "Pol\u00edtica de ", "Politica de ", "Longueur du ", "Longitud de la "}

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
	if e := sep + len(firstWord(buf[sep:s.le])); upperIdent(w.key) && isNumber(trimEnd(buf[sep:e], ".,")) && pinned.has(lastWordOf(buf[s.ls:ks])) {
		if v := trimEnd(buf[sep:e], ".,"); len(v) >= 4 && len(v) <= 8 {
			s.hide(sep, sep+len(v), keyname.Password, "key-word")
			return true // unlock with PIN 4711
		}
	}
	i := bytes.IndexByte(buf[sep:min(s.le, sep+48)], ':')
	p := sep + i + 1
	for _, t := range [...]string{" is ", " ist ", " lautet ", " est ", " es ", " war "} {
		if k := bytes.Index(buf[sep-1:min(s.le, sep+48)], []byte(t)); k >= 0 && (i < 0 || k < i) {
			i, p = k, sep-1+k+len(t)
		}
	}
	if i < 0 {
		return false
	}
	p = nonSpace(buf, p, s.le)
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

// copulas join a name and its value where no blanks do: パスワードは「x」です.
var copulas = []string{"パスワードは", "暗証番号は", "トークンは", "キーは", "密码是", "密码为", "密碼是", "密碼為", "口令是", "口令为", "令牌是", "密钥是", "비밀번호는", "암호는", "토큰은"}

// copulaAt is where the value behind such words begins, close behind i, or 0.
func copulaAt(buf []byte, i, end int) int {
	if buf[i] < 0xe3 || buf[i] > 0xed {
		return 0
	}
	run := buf[i:min(end, i+120)]
	for _, t := range copulas {
		if k := bytes.Index(run, []byte(t)); k >= 0 {
			return i + k + len(t)
		}
	}
	return 0
}

// closers are quotation marks of such scripts.
var closers = map[string]string{"「": "」", "『": "』", "“": "”", "《": "》", "【": "】"}

// copula hides what stands behind such words.
func (s *Scanner) copula(p int) bool {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	w := want{class: keyname.Strong, kind: keyname.Password, rule: "sentence"}
	if p+3 < s.le {
		if c := closers[string(buf[p:p+3])]; c != "" {
			e := bytes.Index(buf[p+3:s.le], []byte(c))
			if e < 1 {
				return false
			}
			s.judge(p+3, p+3+e, w, true)
			return true
		}
	}
	p += quoteAt(buf, p, s.le)
	e := p
	for e < s.le && buf[e] > ' ' && buf[e] < 0x80 {
		e++
	}
	v := trimEnd(buf[p:e], ",;.\"'")
	if len(v) < 4 || !looksSecret(v) {
		return false
	}
	s.judge(p, p+len(v), w, true)
	return true
}

// pinGiven takes the digits of a PIN that more is said about: PIN: 4711 (door).
func (s *Scanner) pinGiven(ks, v int, w want) bool {
	if !foldIs(w.key, "pin") || !upperIdent(w.key) {
		return false
	}
	p := nonSpace(s.buf, v, s.le)
	e := p
	for e < s.le && isDigit(s.buf[e]) {
		e++
	}
	if e-p < 4 || e-p > 8 || e >= s.le || s.buf[e] != ',' && !(s.buf[e] == ' ' && e+1 < s.le && s.buf[e+1] == '(') {
		return false
	}
	s.hide(p, e, keyname.Password, "key-word")
	return true
}

// pinned are words in front of PIN where its digits follow.
var pinned = listOf("with", "the", "your", "using", "my", "use", "enter", "mit", "new", "is", "safe", "card")

func lastWordOf(v []byte) []byte {
	_, w := lastWord(v)
	return w
}
