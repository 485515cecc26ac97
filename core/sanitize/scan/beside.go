package scan

import "bytes"

// What stands beside the name of a key and is neither a separator nor a value:
// a remark, the rest of a tag, the command that a variable is set for.

// upperTail is a name without the part in small letters that a variable of
// Terraform has: TF_VAR_db_password.
func upperTail(k []byte) []byte {
	if bytes.HasPrefix(k, []byte("TF_VAR_")) {
		return k[:7]
	}
	return k
}

// commandBehind is true when behind the word at p a command follows for which it is set:
// VAULT_TOKEN=x vault status. The word looks like a secret, the next like the
// name of a program, and the line is short.
func (s *Scanner) commandBehind(p int) bool {
	e := p
	for e < s.le && !isSpace(s.buf[e]) {
		e++
	}
	if e >= s.le || !looksSecret(s.buf[p:e]) || !mixedWord(s.buf[p:e]) && e-p < 16 {
		return false
	}
	b := nonSpace(s.buf, e, s.le)
	n := b
	for n < s.le && (s.buf[n] >= 'a' && s.buf[n] <= 'z' || isDigit(s.buf[n]) || s.buf[n] == '-') {
		n++
	}
	return n > b+1 && n < s.le && s.buf[n] == ' ' && s.buf[b] != '-'
}

// remark is where the value begins when a remark stands before the colon:
// Secret (hex): x. 0 if there is none.
func (s *Scanner) remark(p int) int {
	n := bytes.IndexByte(s.buf[p:min(s.le, p+32)], ')')
	if n < 0 || p+n+2 >= s.le || s.buf[p+n+1] != ':' && s.buf[p+n+1] != '=' || !isSpace(s.buf[p+n+2]) {
		return 0
	}
	return p + n + 2
}

// escapedTag is true for the name of an element in text that was escaped.
func (s *Scanner) escapedTag(ks, p int) bool {
	return s.before(ks, "&lt;") && s.le-p > 4 && string(s.buf[p:p+4]) == "&gt;"
}

// selfClosed is true when the tag that p is in ends in />.
func (s *Scanner) selfClosed(p int) bool {
	g := bytes.IndexByte(s.buf[p:s.le], '>')
	return g > 0 && s.buf[p+g-1] == '/'
}

// inParentheses hides the only word in the parentheses at p, if no one would say
// it: the API token (x) expires.
func (s *Scanner) inParentheses(p int, w want) bool {
	n := bytes.IndexByte(s.buf[p:min(s.le, p+120)], ')')
	if n < 13 || bytes.IndexByte(s.buf[p:p+n], ' ') >= 0 || isUUID(s.buf[p+1:p+n]) || !looksRandom(s.buf[p+1:p+n]) {
		return false
	}
	w.rule = "key-word"
	s.judge(p+1, p+n, w, true)
	return true
}
