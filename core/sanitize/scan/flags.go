package scan

import "bytes"

// Flags of commands, and what stands behind them.

// flagDashes counts the dashes of a flag (or one for a slash) before ks.
func (s *Scanner) flagDashes(ks int) int {
	n := 0
	for ks-n-1 >= s.ls && s.buf[ks-n-1] == '-' {
		n++
	}
	if n == 0 || n > 2 {
		return 0
	}
	if i := ks - n - 1; i >= s.ls && !isSpace(s.buf[i]) && s.buf[i] != '"' && s.buf[i] != '\'' && s.buf[i] != '[' && s.buf[i] != '(' && s.buf[i] != ',' {
		return 0
	}
	return n
}

// manual is true when what stands at p behind a flag is no value, but what it
// means: [--password PASSWORD], --password string   The password, --secret id=x.
func (s *Scanner) manual(p int, w want) bool {
	buf := s.buf
	e := p
	for e < s.le && !isSpace(buf[e]) && buf[e] != ']' && buf[e] != '|' {
		e++
	}
	v := buf[p:e]
	for _, t := range spokenOf {
		if len(v) == len(t) && string(v) == t && e+1 < s.le && isSpace(buf[e]) && isLetter(buf[e+1]) {
			return true
		}
	}
	if e < s.le && buf[e] == ']' && allUpper(v) {
		return true // [--secret-id NAME]
	}
	if isTypeName(v) && (e+1 < s.le && isSpace(buf[e]) && isSpace(buf[e+1])) {
		return true
	}
	if isPlaceholderWord(v) && (e >= s.le || buf[e] == ']' || foldIs(v, string(w.key)) || isSpace(buf[e])) && !bytes.ContainsAny(v, "0123456789") && v[0] >= 'A' && v[0] <= 'Z' {
		return true
	}
	if foldIs(w.key, "credential") && isIdent(v) && !mixedWord(v) {
		return true // whose it is, in PowerShell
	}
	if foldIs(w.key, "secret") {
		i := bytes.IndexByte(v, '=')
		return i > 0 && (foldIs(v[:i], "id") || foldIs(v[:i], "source") || foldIs(v[:i], "type") || foldIs(v[:i], "src"))
	}
	return foldIs(w.key, "secret-id") && s.hasWord("secretsmanager")
}

// spokenOf are words behind a flag that is spoken of: using --password via.
var spokenOf = []string{"via", "option", "flag", "or", "and", "is", "was", "argument", "parameter", "on", "instead", "from", "must", "may", "can", "requires"}

// optionAfter takes the value of a name that other options follow first:
// -o cfgUserAdminPassword -i 2 x, /v DefaultPassword /t REG_SZ /d x,
// -object secret,id=s0,data=x.
func (s *Scanner) optionAfter(p, e int, w want) bool {
	buf := s.buf
	w.rule, w.toEnd = "flag", false
	switch v := buf[p:e]; {
	case string(v) == "--plaintext" || string(v) == "--iscrypted" || string(v) == "--crypted":
		s.value(e, w) // rootpw --plaintext x
		return true
	case string(v) == "-i" || string(v) == "-x":
		n := nonSpace(buf, e, s.le)
		k := n
		for k < s.le && isDigit(buf[k]) {
			k++
		}
		if k > n && k+1 < s.le && isSpace(buf[k]) && buf[k+1] != '-' {
			s.value(k+1, w)
			return true
		}
	case len(v) == 2 && v[0] == '/':
		if i := indexFold(buf[p:s.le], "/d "); i >= 0 {
			s.value(p+i+3, w)
			return true
		}
	}
	return false
}
