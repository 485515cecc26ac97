package scan

import "bytes"

// What can be a secret that somebody tells, and what is around it.

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
var standards = listOf("rs", "es", "ps", "hs", "sha", "md", "aes", "des", "rsa", "tls", "ssl", "utf", "rfc", "http", "https", "base", "x", "oauth", "ipv", "ip", "pbkdf", "argon", "scrypt", "bcrypt", "pkcs", "ed", "hmac", "ntlm", "ntlmv", "krb", "smb", "nfs", "nfsv", "snmp", "snmpv", "v", "ver", "version", "win", "windows", "rhel", "el", "ubuntu", "debian", "sles", "centos", "python", "java", "jdk", "php", "node", "iso", "type", "mode", "level", "step", "day", "days", "cve", "kb", "port", "vlan", "eth", "line", "page", "chapter", "inc", "chg", "req", "ticket", "case", "bug", "issue", "jira", "db", "host", "server", "srv", "web", "node", "esx", "vm", "nas", "fs", "user", "test", "sr", "id", "code", "error", "errno", "ora", "s")

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
		if !isDigit(c) && c != '.' && c != '-' && c != '_' && c != '/' && c != '#' {
			return false
		}
	}
	return true
}

// plainWords is true for words without a sentence in them, as a passphrase has.
func plainWords(v []byte) bool {
	n := 0
	for w := range bytes.FieldsSeq(v) {
		if n++; len(w) < 3 || !letters(w) || isUpper(w[0]) || spokenBad(w) || aside.has(w) || handing.has(w) || speaking.has(w) {
			return false
		}
	}
	return n >= 3 && n <= 8
}

// speaking are words of sentences, and of no passphrase.
var speaking = listOf("the", "and", "for", "not", "you", "your", "has", "have", "had", "was", "were", "will", "must", "should", "please", "none", "with", "from", "same", "this", "that", "below", "above", "before", "can", "cannot", "may", "been", "only", "when", "where", "which", "ask", "call", "kept", "der", "die", "das", "und", "les", "des", "los", "las")

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
