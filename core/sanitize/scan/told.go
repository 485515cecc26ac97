package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// People tell each other passwords in sentences of their own, in any language:
//
//	I've reset your password to x7y, please change it.
//	the shared secret between NAS and RADIUS: x7y
//	Новый пароль — x7y, логин admin        パスワードを x7y に変更しました
//
// After the forms that [Scanner.sentence] and others know, the rest of such a
// sentence is looked at: a word that no language has, behind one that hands
// something over, is the secret. What merely speaks about passwords (their age,
// their files, who changed them) has another word before it.

// maxTold is how far behind its name a secret is looked for, in bytes.
const maxTold = 140

// told looks at what follows the name of a secret that ends at ke.
func (s *Scanner) told(ke int) {
	buf := s.buf
	if s.source || s.State.open() || s.le-s.ls > 600 {
		return
	}
	if s.asPassword() || s.toldForeign && s.toldInScript() {
		return
	}
	if s.answerTo(ke) {
		return
	}
	end := min(s.le, ke+maxTold)
	if p := nonSpace(buf, ke, end); p >= end || buf[p] == ':' || buf[p] == '=' || bytes.Contains(buf[ke:s.le], []byte("REDACTED_")) {
		return // a setting: that was decided; or it is hidden already
	}
	colons := 0
	foreign := s.toldForeign
	lead := foreign && ke-s.ls > 3 && particles[string(buf[ke-3:ke])]
	lead = lead || s.introduced() || foreign && ke < end && isSpace(buf[ke])
	if bytes.HasPrefix(buf[ke:end], []byte("→")) {
		ke, lead = ke+len("→"), true // passwd→x7y
	}
	var before []byte
	for n, p := 0, ke; p < end && n < 14; n++ {
		p = nonSpace(buf, p, end)
		e := p
		for e < end && !isSpace(buf[e]) {
			e++
		}
		if e == p {
			return
		}
		b, t, quoted := unquoted(buf[:end], p, e)
		if quoted > 0 && (lead || n == 0 && s.happened(b, buf[p:b]) || n == 0 && p > ke && (s.changing() || s.before(s.toldFrom, ", ") || buf[p] == '(') || handing.has(trimEnd(buf[max(s.ls, p-4):p], " "))) {
			if q := closedAt(buf, b, s.le, buf[p:b]); q > b && q-b <= 64 && s.tellable(buf[b:q], true) && (buf[p] != '(' || bytes.IndexByte(buf[b:q], ' ') < 0 && !bytes.ContainsFunc(buf[b:q], func(r rune) bool { return r >= 0x3000 })) {
				s.tell(b, q)
			}
			return
		}
		if lead && s.tellable(buf[b:t], false) {
			s.tell(b, t)
			s.toldNext(e)
			return
		}
		word := bytes.TrimRight(buf[b:t], ":")
		if aside.has(word) && !(foreign && handingAbroad.has(word)) || bytes.ContainsAny(word, "=(){}[]<>;|$") && !arrow(buf[p:e]) && !(n > 0 && e-p == 1 && buf[p] == '=') {
			return
		}
		if n == 0 && s.tried(e, buf[b:t]) {
			s.tell(b, t) // password x7y was rejected
			return
		}
		switch {
		case buf[e-1] == ':' && e-p > 1 || e-p == 1 && (buf[p] == ':' || buf[p] == '=' && n > 0) || bytes.HasSuffix(buf[p:e], []byte("：")):
			if colons++; colons > 1 || n > 6 && !foreign {
				return
			}
			lead = true
			if s.startsLine(s.toldFrom) && ofWhom(buf[ke:e]) && s.toldRest(e) {
				return
			}
		case e-p <= 3 && (arrow(buf[p:e]) || buf[p] >= 0xe3): // — -> を
			lead = true
			if ofWhom(buf[ke:e]) && s.toldRest(e) {
				return
			}
		case ends(buf[e-1]) && e-p > 1 && n > 0:
			return // the sentence
		case foreign && lead && n == 0 && systemAccounts.has(word):
		default:
			if foldIs(buf[p:e], "from") && s.changing() && bytes.Contains(buf[e:s.le], []byte(" to ")) {
				lead = true
				break
			}
			lead = handing.has(buf[p:e]) && (foreign || !needsVerb.has(buf[p:e]) || s.changing()) || foreign && (whose.has(before) || handingAbroad.has(word) && (n == 0 || s.changing()))
			before = buf[p:e]
			if lead && foldIs(buf[s.toldFrom:s.toldAt], "passphrase") && s.toldRest(e) {
				return
			}
		}
		p = e
	}
}

// handing are words right before what they hand over.
var handing = listOf("is", "is:", "now", "to", "ist", "lautet", "auf", "est", "es", "en", "devient", "będzie", "to:", "als", "into", "å", "til", "till", "a", "be", "jetzt", "maintenant", "ahora", "ora", "nun", "är", "je", "jest", "er", "это", "на", "é", "sono", "bleibt", "wird", "là", "este", "adalah", "è", "ja")

// handingAbroad are more of them, of other languages: they mean something else in
// English.
var handingAbroad = listOf("on", "para", "in", "olarak", "od", "ni", "var", "war", "was", "were", "era", "fue", "foi", "était", "su", "yra", "bude", "zní", "znie", "na")

// whose are words in front of what a secret opens: пароль от роутера x7y.
var whose = listOf("от", "для", "к", "pour", "para", "für", "for", "do", "dla", "del", "de", "di", "för", "pro")

// particles are those behind a name in Japanese and Korean.
var particles = map[string]bool{"を": true, "は": true, "が": true, "를": true, "을": true, "은": true, "는": true}

// needsVerb are those of them that say so only where something changes.
var needsVerb = listOf("to", "auf", "en", "a", "into", "als", "til", "till", "на", "er", "je")

// aside are words that lead to what a sentence says about a secret.
var aside = listOf("by", "hash", "hashed", "algorithm", "type", "policy", "length", "age", "file", "files", "expires", "expired", "expiry", "last", "history", "minimum", "maximum", "min", "max", "level", "strength", "status", "method", "format", "encoding", "server", "version", "changed:", "date", "since", "until", "http", "https", "see", "siehe", "voir", "stored", "salt", "error", "code", "failed", "failure", "reason", "mode", "scheme", "provider", "protocol", "uses", "using", "user", "benutzer", "login", "on", "at", "rule", "ticket", "issue", "vom", "gilt", "läuft", "expire", "count", "quality", "or", "oder", "richtlinie", "länge", "longueur", "política", "политика", "срок")

// changing is true for a line in which somebody sets something.
func (s *Scanner) changing() bool {
	l := s.buf[s.ls:min(s.le, s.ls+300)]
	for _, t := range [...]string{"reset", "chang", "set ", "updat", "rotated", "gesetzt", "ndert", "ersetzt", "mis ", "cambi", "modifi", "puesto", "zmieni", "zet ", "мен", "установ", "обнов", "wijzig", "verander", "alter", "vaihd", "endret", "ændre", "byttet", "schimbat", "změn", "promijen"} {
		if containsFold(l, t) {
			return true
		}
	}
	return false
}

func arrow(v []byte) bool {
	switch string(v) {
	case "—", "–", "-", "->", "=>", "→", "»":
		return true
	}
	return false
}

func ends(c byte) bool { return c == '.' || c == '!' || c == '?' || c == ';' }

// toldRest takes a few words to the end of the line, of which one has digits:
// pw for the keystore: Dill 77 Gurke.
func (s *Scanner) toldRest(p int) bool {
	p = nonSpace(s.buf, p, s.le)
	v := bytes.TrimRight(s.buf[p:s.le], " \t\r")
	if _, _, quoted := unquoted(v, 0, len(v)); quoted > 0 {
		return false
	}
	if foldIs(firstWord(s.buf[s.toldFrom:s.toldAt]), "passphrase") && plainWords(v) {
		s.tell(p, p+len(v))
		return true
	}
	if n := bytes.Count(v, []byte{' '}); n < 1 || n > 4 || len(v) > 48 || bytes.ContainsAny(v, ":;=(){}<>/\\,\"'`") || !bytes.ContainsAny(v, "0123456789") || isDigit(v[0]) {
		return false
	}
	for w := range bytes.FieldsSeq(v) {
		if aside.has(w) || spokenBad(w) || handing.has(w) {
			return false
		}
	}
	s.tell(p, p+len(v))
	return true
}

func (s *Scanner) tell(b, e int) {
	for b < e && (s.buf[b] == ' ' || b+1 < e && s.buf[b] == 0xc2 && s.buf[b+1] == 0xa0) {
		b += 1 + btoi(s.buf[b] == 0xc2)
	}
	if n := e + 1; n+1 < s.le && s.buf[e] == '!' && isSpace(s.buf[n]) && s.buf[n+1] >= 'a' && s.buf[n+1] <= 'z' {
		e++ // the sentence goes on
	}
	s.judge(b, e, want{class: keyname.Strong, kind: keyname.Password, rule: "sentence"}, true)
}

// hiddenBehind is true if something close behind p is hidden already.
func (s *Scanner) hiddenBehind(from, p int) bool {
	for _, sp := range s.Spans[from:] {
		if sp.Start >= p && sp.Start < p+20 {
			return true
		}
	}
	return false
}

// spokenKey is true for the name of a secret as people say it: a word without
// the signs of settings.
func spokenKey(v []byte) bool {
	return len(v) <= 16 && !bytes.ContainsAny(v, "_.[]") && !foldIs(v, "pass")
}

// happened is true for a text in quotation marks that something is said about: the
// password 'x 7y' was rejected.
func (s *Scanner) happened(b int, open []byte) bool {
	e := closedAt(s.buf, b, s.le, open)
	if e < b+6 || !s.tellable(s.buf[b:e], true) || bytes.IndexByte(s.buf[b:e], '_') >= 0 {
		return false
	}
	p := nonSpace(s.buf, min(e+1, s.le), s.le)
	word := bytes.TrimRight(firstWord(s.buf[p:s.le]), ".,;")
	return happening.has(word)
}

// happening are words behind a password that somebody tried.
var happening = listOf("was", "is", "works", "worked", "did", "does", "didn't", "doesn't", "wasn't", "rejected", "accepted", "refused", "ist", "wurde", "war", "funktioniert", "geht", "fonctionne", "est", "funciona")

// toldNext takes what comes instead: changed from x7y to z8w.
func (s *Scanner) toldNext(p int) {
	p = nonSpace(s.buf, p, s.le)
	to := firstWord(s.buf[p:s.le])
	if !foldIs(to, "to") && !foldIs(to, "auf") && !foldIs(to, "en") && !foldIs(to, "zu") {
		return
	}
	p = nonSpace(s.buf, p+len(to), s.le)
	b, t, _ := unquoted(s.buf, p, p+len(firstWord(s.buf[p:s.le])))
	if s.tellable(s.buf[b:t], false) {
		s.tell(b, t)
	}
}

// systemAccounts are accounts whose passwords people tell each other.
var systemAccounts = listOf("root", "admin", "administrator", "oracle", "postgres", "sa", "system", "support", "service")

// tried is true for a word behind the name of a secret that something is said about,
// which ends at e.
func (s *Scanner) tried(e int, v []byte) bool {
	p := nonSpace(s.buf, e, s.le)
	return p > e && happening.has(trimEnd(firstWord(s.buf[p:s.le]), ".,;")) && s.tellable(v, false) && bytes.IndexByte(v, '_') < 0
}
