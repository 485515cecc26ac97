package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Calls that a program printed: the frames of a stack trace in JSON, and calls
// in logs, where strings have no quotes.

// frame takes the arguments in {"function":"checkPassword","args":["u","x"]} and
// {"method":"login","params":["u","x"]}. p is behind the name of the list.
func (s *Scanner) frame(pos, p int) {
	buf := s.buf
	p = nonSpace(buf, p, s.le)
	if p >= s.le || buf[p] != '[' {
		return
	}
	from := max(s.ls, pos-320)
	if i := bytes.LastIndexByte(buf[from:pos], '{'); i >= 0 {
		from += i
	}
	name, at := "", -1
	for _, t := range [...]string{`"function"`, `"method"`, `"command"`, `"op"`, `"cmd"`} {
		if i := bytes.LastIndex(buf[from:pos], []byte(t)); i > at {
			at, name = i, t
		}
	}
	if at < 0 {
		return
	}
	b := from + at + len(name)
	for b < pos && (isSpace(buf[b]) || buf[b] == ':') {
		b++
	}
	if b >= pos || buf[b] != '"' {
		return
	}
	e := b + 1
	for e < pos && buf[e] != '"' {
		e++
	}
	class, kind := s.classify(buf[b+1 : e])
	if s.callAt(b+1, e, p, class, kind) || class != keyname.Strong && !foldIs(buf[b+1:e], "personal_unlockaccount") {
		return
	}
	var args [4]arg
	if got, _ := s.arguments(p, args[:]); got > 0 {
		s.literal(args[min(got-1, btoi(class != keyname.Strong))], keyname.Password)
	}
}

// spokenCall takes the last word in login(maria, x), as logs have it, if it
// cannot be the name of anything. False if this is no such call.
func (s *Scanner) spokenCall(args []arg, at int) bool {
	if s.source || at >= len(args) || args[at].vs > args[at].start {
		return false
	}
	v := s.text(args[at])
	if !mixedWord(v) || bytes.IndexByte(v, '_') >= 0 {
		return false
	}
	if class, _ := s.classify(v); class >= keyname.Weak {
		return false
	}
	s.judge(args[at].vs, args[at].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "argument"}, true)
	return true
}

// asker is true for the name of a function that is given a user and a password to
// look at, or a password and what it should be: checkPassword, password_verify.
func asker(name []byte) (ask, both bool) {
	if i := bytes.LastIndexAny(name, ".:>\\"); i >= 0 {
		name = name[i+1:]
	}
	if len(name) > 40 || !containsFold(name, "pass") && !containsFold(name, "credential") && !containsFold(name, "pw") && !containsFold(name, "login") {
		return false, false
	}
	for _, t := range [...]string{"check", "verify", "validate", "authenticate", "try", "with", "bind", "logon", "signin", "sign_in"} {
		ask = ask || containsFold(name, t)
	}
	for _, t := range [...]string{"verify", "compare", "match", "equal", "checkpw", "check_password_hash", "hashpw"} {
		both = both || containsFold(name, t) && !containsFold(name, "user")
	}
	return ask || both, both
}
