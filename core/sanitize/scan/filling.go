package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Program text in which the name of a secret is an argument itself, and the
// secret stands in the next call: cy.get('#password').type('x').

// fillers are the calls that fill in, set or expect what was named before.
var fillers = []string{".type(", ".fill(", ".send_keys(", ".sendkeys(", ".sendKeys(", ".val(", ".setValue(", ".set(", ".pressSequentially(", ".tobe(", ".toBe(", ".toEqual(", ".thenReturn(", ".isEqualTo(", ".equals(", ".returns(", ".and_return(", ".unwrap_or(", ".orElse(", ".getOrElse(", ".orElseGet(", ".or_else(", ".to eq(", ".perform(typeText("}

// filledIn takes the string of such a call behind the name, or the argument
// behind that which the name stands in. False if there is none.
func (s *Scanner) filledIn(n name, w want) bool {
	if w.class != keyname.Strong {
		return false
	}
	buf, p := s.buf, n.ke
	comma := false
	for p < s.le && p-n.ke < 12 {
		c := buf[p]
		if c == ',' && !comma {
			comma = true
		} else if c != '"' && c != '\'' && c != ')' && c != ']' && c != '/' && c != 'i' && c != '(' && !(c == ' ' && comma) || comma && (c == '"' || c == '\'') {
			break
		}
		p++
	}
	if p == n.ke || p >= s.le {
		return false
	}
	w.rule = "argument"
	if comma {
		if quoteAt(buf, p, s.le) != 1 || !s.fills(n.ks) {
			return false
		}
		return s.filler(p, w)
	}
	if bytes.HasPrefix(buf[p:s.le], []byte(".clear()")) {
		p += len(".clear()")
	}
	if bytes.HasPrefix(buf[p:s.le], []byte(".value = ")) {
		return s.filler(p+len(".value = "), w)
	}
	for _, t := range fillers {
		if s.le-p > len(t) && string(buf[p:p+len(t)]) == t {
			return s.filler(p+len(t), w)
		}
	}
	return false
}

// filler hides the string at p.
func (s *Scanner) filler(p int, w want) bool {
	q := p
	if q < s.le && s.buf[q] == 'b' {
		q++
	}
	if quoteAt(s.buf, q, s.le) != 1 {
		return false
	}
	e := stringEnd(s.buf, q, s.le)
	if e < 0 || bytes.IndexByte(s.buf[q:e], ' ') > 0 || bytes.ContainsAny(s.buf[q:e], "#<>[") {
		return false
	}
	if i := bytes.IndexByte(s.buf[q:e], '{'); i > 4 {
		e = q + i // {enter}
	}
	spans := len(s.Spans)
	s.judge(q+1, e, w, true)
	s.keyEnd = max(s.keyEnd, e)
	return len(s.Spans) > spans
}

// fills is true when the call around ks fills in a form.
func (s *Scanner) fills(ks int) bool {
	o := bytes.LastIndexByte(s.buf[s.ls:ks], '(')
	for n := 0; o > 0 && n < 3; n++ {
		for _, t := range [...]string{"type", "fill", "fillField", "setValue", "change", "populate"} {
			if s.before(s.ls+o, t) {
				return true
			}
		}
		o = bytes.LastIndexByte(s.buf[s.ls:s.ls+o], '(')
	}
	return false
}

// keyword takes the default that stands behind the name in the same call:
// env('NAME', default='x'), fill_in 'Password', with: 'x'. v is behind the comma.
func (s *Scanner) keyword(v int, w want) bool {
	buf := s.buf
	for _, t := range [...]string{"default=", "default: ", ":default => ", "default => ", "with: ", ":with => ", "fallback="} {
		if s.le-v > len(t) && string(buf[v:v+len(t)]) == t {
			if q := v + len(t); quoteAt(buf, q, s.le) == 1 && !s.spaced(q) {
				w.rule = "argument"
				s.value(q, w)
				return true
			}
		}
	}
	return false
}

// against takes the string that a secret is compared with, where it stands
// first: assertEquals("x", user.getPassword()), "x".equals(password).
func (s *Scanner) against(ks int, w want) bool {
	buf := s.buf
	i := ks
	for i > s.ls && (isAlnum(buf[i-1]) || bytes.IndexByte([]byte("_.$->*&"), buf[i-1]) >= 0) {
		i--
	}
	for _, t := range [...]string{".equals(", ".contentEquals(", ".equalsIgnoreCase("} {
		if s.before(i, t) {
			i -= len(t) - 1
			return s.stringBefore(i-1, w)
		}
	}
	if i-2 <= s.ls || buf[i-1] != ' ' && buf[i-1] != ',' {
		return false
	}
	for i > s.ls && buf[i-1] == ' ' {
		i--
	}
	if i == s.ls || buf[i-1] != ',' {
		return false
	}
	o := bytes.LastIndexByte(buf[s.ls:i], '(')
	if o <= 0 {
		return false
	}
	name := buf[max(s.ls, s.ls+o-24) : s.ls+o]
	if !containsFold(name, "equal") && !containsFold(name, "cmp") && !containsFold(name, "check") && !containsFold(name, "match") && !containsFold(name, "compare") {
		return false
	}
	return s.stringBefore(i-1, w)
}

// stringBefore hides the string that ends right before p.
func (s *Scanner) stringBefore(p int, w want) bool {
	buf := s.buf
	if p <= s.ls+2 || buf[p-1] != '"' && buf[p-1] != '\'' {
		return false
	}
	q := bytes.LastIndexByte(buf[s.ls:p-1], buf[p-1])
	if q < 0 || bytes.IndexByte(buf[s.ls+q:p], ' ') >= 0 {
		return false
	}
	w.rule = "comparison"
	spans := len(s.Spans)
	s.judge(s.ls+q+1, p-1, w, true)
	return len(s.Spans) > spans
}

// charArray takes the string in ks.load(in, "x".toCharArray()): passwords of
// Java are arrays of characters. An alphabet is assigned to a name.
func (s *Scanner) charArray(pos int) {
	buf := s.buf
	i := bytes.LastIndexByte(buf[max(s.ls, pos-16):pos+1], '"')
	if i < 0 {
		return
	}
	e := max(s.ls, pos-16) + i
	if !foldEqual(buf[e+1:min(s.le, e+14)], ".tochararray("[:min(s.le, e+14)-e-1]) {
		return
	}
	q := bytes.LastIndexByte(buf[s.ls:e], '"')
	if q < 0 {
		return
	}
	b := s.ls + q - 1
	for b > s.ls && buf[b] == ' ' {
		b--
	}
	if b <= s.ls || buf[b] != '(' && buf[b] != ',' || bytes.HasPrefix(buf[s.ls+q+1:e], []byte("0123")) || bytes.HasPrefix(buf[s.ls+q+1:e], []byte("abcd")) {
		return
	}
	s.judge(s.ls+q+1, e, want{class: keyname.Strong, kind: keyname.Password, rule: "argument"}, true)
}

// property takes the value of a property of C#: string Password { get; set; } = "x".
// The value of let(:password) { 'x' } of RSpec stands in the braces.
func (s *Scanner) property(n name, w want) bool {
	buf := s.buf
	if w.class != keyname.Strong || n.gap != 1 || n.sep+3 >= s.le || buf[n.sep+1] != ' ' {
		return false
	}
	w.rule = "argument"
	if n.p > n.ke && quoteAt(buf, n.sep+2, s.le) == 1 {
		s.value(n.sep+2, w)
		return true
	}
	if !bytes.HasPrefix(buf[n.sep:s.le], []byte("{ get;")) {
		return false
	}
	i := bytes.IndexByte(buf[n.sep:s.le], '}')
	if i < 0 {
		return true
	}
	if p := nonSpace(buf, n.sep+i+1, s.le); p < s.le && buf[p] == '=' {
		w.code = true
		s.value(p+1, w)
	}
	return true
}

// set takes the value in: failed to set property [keystorePass] to [x], or
// setting 'keystorePass' to 'x'.
func (s *Scanner) set(n name, w want) bool {
	buf := s.buf
	if v := n.sep + len("to "); n.quote == 1 && n.gap == 1 && v+2 < s.le && string(buf[n.sep:v]) == "to " && buf[v] == n.by && (n.by == '\'' || n.by == '"') && w.kind != keyname.Cookie {
		from := max(s.ls, n.ks-32)
		for _, verb := range [...]string{"set", "chang", "updat", "property", "modif", "overrid"} {
			if i := bytes.IndexByte(buf[v+1:s.le], n.by); i > 0 && bytes.IndexByte(buf[v+1:v+1+i], ' ') < 0 && containsFold(buf[from:n.ks], verb) {
				w.rule = "sentence"
				s.judge(v+1, v+1+i, w, true)
				return true
			}
		}
	}
	if n.p == n.ke || buf[n.p-1] != ']' || buf[n.ks-btoi(n.ks > s.ls)] != '[' {
		return false
	}
	for _, t := range []string{"to [", "to value [", "with value [", "= ["} {
		if v := n.sep + len(t); v < s.le && string(buf[n.sep:v]) == t {
			if i := bytes.IndexByte(buf[v:s.le], ']'); i > 0 {
				w.rule = "sentence"
				s.judge(v, v+i, w, true)
				return true
			}
		}
	}
	return false
}

// parsed is true where a program compares a token that it has read with a word:
// tokens[0] == "IN".
func (s *Scanner) parsed(op []byte, v int) bool {
	if string(op) != "==" && string(op) != "!=" && string(op) != "===" && string(op) != "!==" {
		return false
	}
	v = nonSpace(s.buf, v, s.le)
	if v+1 < s.le && isLetter(s.buf[v]) {
		v++ // r"x"
	}
	if quoteAt(s.buf, v, s.le) != 1 {
		return false
	}
	e := stringEnd(s.buf, v, s.le)
	return e > 0 && e-v < 16 && !mixedWord(s.buf[v+1:e])
}

// macro takes the definition in: \newcommand{\dbpassword}{x} of TeX.
func (s *Scanner) macro(n name, w want) bool {
	buf := s.buf
	if n.ks < s.ls+2 || buf[n.ks-1] != '\\' || buf[n.ks-2] != '{' || n.sep+2 >= s.le || buf[n.sep-1] != '}' || w.class != keyname.Strong {
		return false
	}
	e := bytes.IndexByte(buf[n.sep+1:s.le], '}')
	if e < 0 {
		return false
	}
	w.rule = "argument"
	s.judge(n.sep+1, n.sep+1+e, w, true)
	return true
}

// dictionary takes the values in: PASSWORDS = {"anna": "x", "bob": "y"}, from
// the brace at p on.
func (s *Scanner) dictionary(p int, w want) {
	buf := s.buf
	w.rule, w.json, w.toEnd, w.block = "key-value", true, false, false
	for p < s.le && buf[p] != '}' {
		p = nonSpace(buf, p+1, s.le)
		if quoteAt(buf, p, s.le) != 1 {
			return
		}
		ke := stringEnd(buf, p, s.le)
		if ke < 0 {
			return
		}
		v := nonSpace(buf, ke+1, s.le)
		if separator(buf, v, s.le) == 0 {
			return
		}
		v = nonSpace(buf, v+separator(buf, v, s.le), s.le)
		if quoteAt(buf, v, s.le) != 1 {
			return
		}
		e := stringEnd(buf, v, s.le)
		if e < 0 {
			return
		}
		if t := buf[v+1 : e]; bytes.IndexByte(t, ' ') < 0 && looksSecret(t) {
			s.judge(v+1, e, w, true)
		}
		if p = nonSpace(buf, e+1, s.le); p >= s.le || buf[p] != ',' {
			return
		}
	}
}

// attributeBelow takes value="x" of the tag that this line only begins, and the
// next one ends.
func (s *Scanner) attributeBelow(w want) {
	buf := s.buf
	p := s.le
	for p < s.hi && isBlank(buf[p]) {
		p++
	}
	if p+6 < s.hi && foldEqual(buf[p:p+5], "value") && (buf[p+5] == '=' || buf[p+5] == ' ') {
		s.valueAfter(p+5, s.hi, w)
	}
}

// pairOfWords takes the second string in: http.basic_auth 'maria', 'x'.
func (s *Scanner) pairOfWords(n name, w want) bool {
	buf := s.buf
	if k := len(w.key) - len("basic_auth"); k < 0 || !foldEqual(w.key[k:], "basic_auth") && !foldEqual(w.key[k:], "digest_auth"[1:]) || quoteAt(buf, n.sep, s.le) != 1 {
		return false
	}
	e := stringEnd(buf, n.sep, s.le)
	if e < 0 || e+2 >= s.le || buf[e+1] != ',' {
		return false
	}
	w.class, w.kind, w.rule = keyname.Strong, keyname.Password, "argument"
	if v := nonSpace(buf, e+2, s.le); quoteAt(buf, v, s.le) == 1 {
		s.value(v, w)
		return true
	}
	return false
}

// scoped is where the name ends that the name at ks begins, as .NET writes it:
// ["Jwt:Key"]. It returns ke if it is no such name.
func (s *Scanner) scoped(ks, ke int) int {
	buf := s.buf
	if ks == s.ls || ke >= s.le || buf[ke] != ':' || buf[ks-1] != '"' {
		return ke
	}
	e := ke
	for e+1 < s.le && buf[e] == ':' && isLetter(buf[e+1]) {
		for e++; e < s.le && isLetter(buf[e]) && e-ke < 40; e++ {
		}
	}
	if e > ke && e+1 < s.le && buf[e] == '"' && (buf[e+1] == ']' || buf[e+1] == ':' || buf[e+1] == ',') && s.openQuote(ks) == '"' {
		return e
	}
	return ke
}

// equality takes the string in password.equals("x"), whose name is buf[ks:ke].
func (s *Scanner) equality(ks, ke int) bool {
	name := s.buf[ks:ke]
	i := bytes.LastIndexByte(name, '.')
	if i < 2 || !foldIs(name[i+1:], "equals") && !foldIs(name[i+1:], "equalsIgnoreCase") && !foldIs(name[i+1:], "eq") && !foldIs(name[i+1:], "compareTo") {
		return false
	}
	class, kind := s.classify(name[:i])
	if class != keyname.Strong {
		return false
	}
	var args [2]arg
	got, _ := s.arguments(ke, args[:])
	return got == 1 && s.literal(args[0], kind)
}

// loneKey is true for functions whose first argument is their key, alone.
func loneKey(name []byte) bool {
	if i := bytes.LastIndexAny(name, ".:"); i >= 0 {
		name = name[i+1:]
	}
	return foldIs(name, "fernet") || foldIs(name, "hashids") || foldIs(name, "cookieparser") || foldIs(name, "signedstring") || foldIs(name, "bcrypt") || foldIs(name, "crypt")
}

// taker is true for the name of what is made from the secret that it names:
// ssh.Password, DialPassword, from_secret, PasswordProtection.
func taker(name []byte) bool {
	if i := bytes.LastIndexAny(name, ".:"); i >= 0 {
		name = name[i+1:]
		if foldIs(name, "password") || foldIs(name, "passphrase") || foldIs(name, "passwordprotection") {
			return true
		}
	}
	for _, t := range [...]string{"dial", "from_", "use", "plain", "hash", "generate", "derive", "encode", "signing"} {
		if len(name) > len(t) && foldEqual(name[:len(t)], t) {
			return true
		}
	}
	return false
}

// saltLiteral is true for the salt of a program that stands in its text.
func saltLiteral(v, key []byte) bool {
	n := len(key) - 4
	return n >= 0 && foldEqual(key[n:], "salt") && len(v) >= 6 && !lowerName(v) && !bytes.ContainsAny(v, " /{<%")
}
