package scan

import "bytes"

// Messages that begin with the name of a secret and a colon, in many languages:
//
//	Kennwort: entspricht nicht den Richtlinien (Mindestlänge 12)
//	Пароль: берётся из хранилища паролей
//	トークン: 無効 (署名アルゴリズムが一致しません)

// message is true for a sentence behind the colon at p that says something about a
// secret, and has none in it. At the beginning of a line, where a setting may
// stand, it has to be longer.
func (s *Scanner) message(p int, lineStart bool) bool {
	v := bytes.TrimSpace(s.buf[p:min(s.le, p+400)])
	if len(v) < 6 {
		return false
	}
	if d := len(v) - len(bytes.TrimLeft(v, "0123456789")); d > 0 && d < 6 && d+1 < len(v) && (v[d] >= 0x80 || v[d] == ' ' && v[d+1] >= 0x80) {
		return !s.hasTellable(v) // 45 дней, 1800秒
	}
	if !isLetter(v[0]) && v[0] < 0x80 {
		return false
	}
	if v[0] >= 0xe3 {
		return !s.hasTellable(v)
	}
	words, common := 0, false
	for w := range bytes.FieldsSeq(v) {
		t := trimEnd(w, ".,;!)")
		if words++; words == 1 && (len(t) < len(w) && len(w) < 4 || !spelled(t)) {
			return false
		}
		common = common || words > 1 && commonWords.has(t)
	}
	marked := bytes.Contains(v, []byte(", ")) || bytes.Contains(v, []byte(" ("))
	if words < 3 || lineStart && (words < 5 || !common) && !(marked && (common || v[0] >= 0x80)) || !common && !marked {
		return false
	}
	return !bytes.ContainsAny(v, "\";{}<>|") && !s.hasTellable(v)
}

// hasTellable is true if a word of v can be a secret.
func (s *Scanner) hasTellable(v []byte) bool {
	for w := range bytes.FieldsFuncSeq(v, func(r rune) bool { return r >= 0x3000 || bytes.ContainsRune([]byte(" ,()='`"), r) }) {
		if s.tellable(trimEnd(w, ".;!"), false) {
			return true
		}
	}
	return false
}

// spelled is true for a word of letters of any script, in small ones or in capitals.
func spelled(v []byte) bool {
	upper, lower := 0, 0
	for i, c := range v {
		switch {
		case c >= 'a' && c <= 'z' || c >= 0x80 || c == '\'' && i > 0:
			lower++
		case c >= 'A' && c <= 'Z':
			upper += btoi(i > 0)
		default:
			return false
		}
	}
	return len(v) > 0 && (upper == 0 || lower == 0)
}

// commonWords are those that hardly a passphrase has, and every sentence.
var commonWords = listOf("the", "a", "is", "be", "are", "was", "must", "no", "not", "of", "for", "from", "with", "by", "has", "will", "ago", "longer", "nicht", "den", "der", "die", "das", "dem", "wird", "ist", "zu", "von", "aus", "bei", "est", "par", "une", "un", "les", "le", "la", "tous", "de", "des", "du", "se", "del", "el", "en", "para", "por", "non", "da", "dal", "della", "di", "il", "z", "ze", "nie", "jest", "из", "не", "на", "в", "с", "для", "от", "по", "à", "é", "são", "det", "den", "och", "og", "het", "een", "van", "niet")

// permissions is true for those of an ACL: r-x.
func permissions(v []byte) bool {
	return len(v) == 3 && (v[0] == 'r' || v[0] == '-') && (v[1] == 'w' || v[1] == '-') && (v[2] == 'x' || v[2] == '-')
}

// gpgID is true for the number of a key of OpenPGP under a name that says so.
func gpgID(key, v []byte) bool {
	if len(key) < 6 || !foldEqual(key[len(key)-6:], "key_id") && !foldEqual(key[len(key)-6:], "key id") && !foldEqual(key[len(key)-5:], "keyid") {
		return false
	}
	if len(v) > 2 && v[0] == '0' && v[1] == 'x' {
		v = v[2:]
	}
	return (len(v) == 8 || len(v) == 16) && hexOnly(v)
}

// colonBehind is where the colon behind the name that ends at ke may stand: behind
// one word more in another script, as in Ключ защиты: x.
func (s *Scanner) colonBehind(ke int) int {
	p := nonSpace(s.buf, ke, s.le)
	if p == ke+1 && p < s.le && s.buf[p] >= 0x80 {
		e := p
		for e < s.le && s.buf[e] >= 0x80 {
			e++
		}
		return e
	}
	if p-ke > 2 {
		return s.le
	}
	return p
}
