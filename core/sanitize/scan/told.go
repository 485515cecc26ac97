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
	if s.asPassword() {
		return
	}
	end := min(s.le, ke+maxTold)
	if p := nonSpace(buf, ke, end); p >= end || buf[p] == ':' || buf[p] == '=' || bytes.Contains(buf[ke:s.le], []byte("REDACTED_")) {
		return // a setting: that was decided; or it is hidden already
	}
	colons := 0
	lead := ke-s.ls > 3 && (string(buf[ke-3:ke]) == "を" || string(buf[ke-3:ke]) == "は" || string(buf[ke-3:ke]) == "が")
	lead = lead || s.introduced()
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
		if quoted > 0 && (lead || n == 0 && p > ke && (s.changing() || s.before(s.toldFrom, ", ") || buf[p] == '(') || handing.has(trimEnd(buf[max(s.ls, p-4):p], " "))) {
			if q := closedAt(buf, b, s.le, buf[p:b]); q > b && q-b <= 64 && s.tellable(buf[b:q], true) {
				s.tell(b, q)
			}
			return
		}
		if lead && s.tellable(buf[b:t], false) {
			s.tell(b, t)
			return
		}
		word := bytes.TrimRight(buf[b:t], ":")
		if aside.has(word) || bytes.IndexAny(word, "=(){}[]<>;|$") >= 0 && !arrow(buf[p:e]) {
			return
		}
		switch {
		case buf[e-1] == ':' && e-p > 1 || e-p == 1 && buf[p] == ':' || bytes.HasSuffix(buf[p:e], []byte("：")):
			if colons++; colons > 1 || n > 6 {
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
		default:
			lead = handing.has(buf[p:e]) && (!needsVerb.has(buf[p:e]) || s.changing())
		}
		p = e
	}
}

// handing are words right before what they hand over.
var handing = listOf("is", "is:", "now", "to", "ist", "lautet", "auf", "est", "es", "en", "devient", "będzie", "to:", "als", "into", "å", "til", "till", "a", "be")

// needsVerb are those of them that say so only where something changes.
var needsVerb = listOf("to", "auf", "en", "a", "into", "als", "til", "till")

// aside are words that lead to what a sentence says about a secret.
var aside = listOf("by", "hash", "hashed", "algorithm", "type", "policy", "length", "age", "file", "files", "expires", "expired", "expiry", "last", "history", "minimum", "maximum", "min", "max", "level", "strength", "status", "method", "format", "encoding", "server", "version", "changed:", "date", "since", "until", "http", "https", "see", "siehe", "voir", "stored", "salt", "error", "code", "failed", "failure", "reason", "mode", "scheme", "provider", "protocol", "uses", "using", "user", "benutzer", "login", "on", "at", "rule", "ticket", "issue", "vom", "gilt", "läuft", "expire", "count", "quality", "or", "oder", "richtlinie", "länge", "longueur", "política", "политика", "срок")

// changing is true for a line in which somebody sets something.
func (s *Scanner) changing() bool {
	l := s.buf[s.ls:min(s.le, s.ls+300)]
	for _, t := range [...]string{"reset", "chang", "set ", "updat", "rotated", "gesetzt", "ndert", "ersetzt", "mis ", "cambi", "modifi", "puesto", "zmieni", "zet "} {
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

// unquoted is the word buf[p:e] without quotation marks, brackets and what ends
// sentences; quoted is the length of the mark that opens it.
func unquoted(buf []byte, p, e int) (b, t, quoted int) {
	b, t = p, e
	for _, q := range [...]string{"„", "“", "”", "(", "«", "‚", "‘", "「", "『", "`", "\"", "'", "**", "<<"} {
		if bytes.HasPrefix(buf[p:e], []byte(q)) {
			b, quoted = p+len(q), len(q)
			break
		}
	}
	for t > b && bytes.IndexByte([]byte(".,;:!?)\"'`*"), buf[t-1]) >= 0 {
		t--
	}
	for _, q := range [...]string{"”", "“", "»", "’", "」", "』", "。", "，", "、"} {
		if bytes.HasSuffix(buf[b:t], []byte(q)) {
			t -= len(q)
		}
	}
	return b, t, quoted
}

// closedAt is where the text at b ends that the mark open opened, or -1.
func closedAt(buf []byte, b, end int, open []byte) int {
	closing := string(open)
	switch closing {
	case "„":
		closing = "“"
		if bytes.Contains(buf[b:end], []byte("”")) {
			closing = "”"
		}
	case "“":
		closing = "”"
	case "(":
		closing = ")"
	case "«":
		closing = "»"
	case "‚", "‘":
		closing = "’"
	case "「":
		closing = "」"
	case "『":
		closing = "』"
	case "<<":
		closing = ">>"
	}
	i := bytes.Index(buf[b:end], []byte(closing))
	if i < 1 {
		return -1
	}
	e := b + i
	for e > b && (buf[e-1] == ' ' || e > b+1 && buf[e-2] == 0xc2 && buf[e-1] == 0xa0) {
		e -= 1 + btoi(buf[e-1] == 0xa0)
	}
	return e
}

// tellable is true for what can be a secret that somebody tells: letters and
// digits that are no version, quantity, path, machine, date or standard.
func (s *Scanner) tellable(v []byte, quoted bool) bool {
	if quoted {
		v = bytes.TrimLeft(v, " \u00a0")
		if bytes.Count(v, []byte{' '}) > 4 {
			return false
		}
	}
	if len(v) < 5 || len(v) > 64 || isToken(v) || isPath(v) || isVersionish(v) || quantity(v) || isSwitch(v) || bytes.Contains(v, []byte("://")) || exampleWord(v) || addressLike(v) {
		return false
	}
	letters, digits, dots := 0, 0, 0
	for _, c := range v {
		letters += btoi(isLetter(c) || c >= 0x80)
		digits += btoi(isDigit(c))
		dots += btoi(c == '.')
	}
	if letters < 2 || digits == 0 || dots > 1 || bytes.IndexByte(v, '=') > 0 || bytes.HasSuffix(v, []byte("()")) {
		return false
	}
	return !standard(v) && !isUUID(v)
}

// standards are what names of algorithms, protocols and the like begin with,
// before their numbers.
var standards = listOf("sha", "md", "aes", "des", "rsa", "tls", "ssl", "utf", "rfc", "http", "https", "base", "x", "oauth", "ipv", "ip", "pbkdf", "argon", "scrypt", "bcrypt", "pkcs", "ed", "hmac", "ntlm", "ntlmv", "krb", "smb", "nfs", "nfsv", "snmp", "snmpv", "v", "ver", "version", "win", "windows", "rhel", "el", "ubuntu", "debian", "sles", "centos", "python", "java", "jdk", "php", "node", "iso", "type", "mode", "level", "step", "day", "days", "cve", "kb", "port", "vlan", "eth", "line", "page", "chapter", "inc", "chg", "req", "ticket", "case", "bug", "issue", "jira", "db", "host", "server", "srv", "web", "node", "esx", "vm", "nas", "fs", "user", "test", "sr", "id", "code", "error", "errno", "ora", "s")

// standard is true for such a name: SHA256, TLS1.2, INC0012345, db01.
func standard(v []byte) bool {
	i := 0
	for i < len(v) && isLetter(v[i]) {
		i++
	}
	if i == 0 || !standards.has(v[:i]) {
		return false
	}
	for _, c := range v[i:] {
		if !isDigit(c) && c != '.' && c != '-' && c != '_' && c != '/' {
			return false
		}
	}
	return true
}

// toldRest takes a few words to the end of the line, of which one has digits:
// pw for the keystore: Dill 77 Gurke.
func (s *Scanner) toldRest(p int) bool {
	p = nonSpace(s.buf, p, s.le)
	v := bytes.TrimRight(s.buf[p:s.le], " \t\r")
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
	return len(v) <= 16 && bytes.IndexAny(v, "_.[]") < 0 && !foldIs(v, "pass")
}

// owners are words in front of a name that say what it opens: BIOS password x7y.
var owners = listOf("bios", "root", "admin", "administrator", "ilo", "idrac", "ipmi", "bmc", "wifi", "wlan", "vpn", "ssh", "ftp", "smb", "db", "database", "default", "temp", "temporary", "initial", "enable", "sudo", "grub", "luks")

// introduced is true for a name that its secret follows at once: (pw x7y), BIOS
// password x7y.
func (s *Scanner) introduced() bool {
	from := s.toldFrom
	if from <= s.ls {
		return false
	}
	if s.buf[from-1] == '(' {
		return true
	}
	_, word := lastWord(s.buf[s.ls:from])
	return owners.has(word) || s.before(from, ", ") && s.network()
}

// network is true for a line about a wireless network.
func (s *Scanner) network() bool {
	l := s.buf[s.ls:min(s.le, s.ls+200)]
	return containsFold(l, "ssid") || containsFold(l, "wifi") || containsFold(l, "wlan") || containsFold(l, "wi-fi")
}

// asPassword takes a word before the name: use `x7y` as admin password, it uses
// x7y for its password.
func (s *Scanner) asPassword() bool {
	buf := s.buf
	before := buf[max(s.ls, s.toldFrom-32):s.toldFrom]
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
	blank := bytes.LastIndexByte(s.buf[s.ls:p], ' ')
	if blank < 0 {
		return
	}
	if _, before := lastWord(s.buf[s.ls : s.ls+blank]); len(before) == 0 || !handing.has(before) && !owners.has(before) && before[len(before)-1] != ':' && before[len(before)-1] != ',' && !foldIs(before, "with") && !foldIs(before, "login") {
		return
	}
	l := s.buf[s.ls:min(s.le, s.ls+300)]
	for _, t := range [...]string{"login", "log in", "cred", "pass", "pw", "account", "access", "zugang", "idrac", "ilo ", "ipmi", "bmc", "console"} {
		if containsFold(l, t) {
			s.tell(p, p+len(v))
			return
		}
	}
}
