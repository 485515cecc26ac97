package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// onceCode takes the code behind words that announce one: your verification code
// is 123 456, unlock code 7A-BC-19.
func (s *Scanner) onceCode(p int) {
	buf := s.buf
	said := false
	for _, t := range [...]string{"is:", "is", "was", "ist", "est", "es ", "\u00e8 ", "lautet:", "lautet", ":", "="} {
		if len(t) < s.le-p && foldEqual(buf[p:p+len(t)], t) {
			p, said = nonSpace(buf, p+len(t), s.le), true
			break
		}
	}
	p += quoteAt(buf, p, s.le)
	e, signs := p, 0
	for e < s.le && (isDigit(buf[e]) || e > p && (buf[e] == '-' || said && buf[e] == ' ' && e-p == 3 && e+3 < s.le+1 && isNumber(buf[e+1:min(s.le, e+4)]))) {
		e++
	}
	if said && e-p >= 4 && e-p <= 9 && (e >= s.le || !isAlnum(buf[e])) {
		s.hide(p, e, keyname.Token, "key-word")
		return
	}
	letters, digits := 0, 0
	for e = p; e < s.le && (isDigit(buf[e]) || isUpper(buf[e]) || buf[e] == '-'); e++ {
		letters += btoi(isUpper(buf[e]))
		digits += btoi(isDigit(buf[e]))
		signs += btoi(buf[e] == '-')
	}
	if letters > 0 && digits > 0 && (said || signs > 0) && e-p >= 6 && e-p <= 40 && (e >= s.le || !isAlnum(buf[e]) && buf[e] != '_') && !isUUID(buf[p:e]) {
		s.hide(p, e, keyname.Token, "key-word")
	}
}

// seed takes what a one-time password is made of, in base32: TOTP seed x.
func (s *Scanner) seed(p int) {
	for _, t := range [...]string{"is ", ": ", "= "} {
		if len(t) < s.le-p && foldEqual(s.buf[p:p+len(t)], t) {
			p = nonSpace(s.buf, p+len(t), s.le)
			break
		}
	}
	e := p
	for e < s.le && (isUpper(s.buf[e]) || s.buf[e] >= '2' && s.buf[e] <= '7') {
		e++
	}
	if e-p >= 16 {
		s.hide(p, e, keyname.Secret, "key-word")
	}
}

// codeBefore takes the code in: G-482913 is your Google verification code.
func (s *Scanner) codeBefore(pos int) {
	from := max(s.ls, pos-48)
	i := bytes.Index(s.buf[from:pos], []byte(" is your "))
	if i < 0 {
		return
	}
	_, word := lastWord(s.buf[s.ls : from+i])
	if n := bytes.LastIndexByte(word, '-'); n >= 0 {
		word = word[n+1:]
	}
	if isNumber(word) && len(word) >= 4 && len(word) <= 9 {
		s.hide(from+i-len(word), from+i, keyname.Token, "key-word")
	}
}
