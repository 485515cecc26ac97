package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// What programs ask for, and what they say of it.

// prompters are the words that a program asks with.
var prompters = map[string]bool{"enter": true, "retype": true, "re-enter": true, "reenter": true, "confirm": true, "repeat": true, "verify": true, "type": true, "provide": true, "input": true}

// prompted is true for a name in what a program asks for, at the beginning of
// its line: Enter a passphrase: x.
func (s *Scanner) prompted(ks, sep int) bool {
	if sep >= s.le || s.buf[sep] != ':' || ks-s.ls > 48 {
		return false
	}
	p := nonSpace(s.buf, s.ls, ks)
	e := p
	for e < ks && (isLetter(s.buf[e]) || s.buf[e] == '-') {
		e++
	}
	var low [12]byte
	if e-p > len(low) {
		return false
	}
	for i, c := range s.buf[p:e] {
		low[i] = lower(c)
	}
	return prompters[string(low[:e-p])]
}

// counted hides the value of a name that is a line of its own, in the lists of
// Subversion: password, V 6, x.
func (s *Scanner) counted() bool {
	buf, p := s.buf, s.le
	if p+5 >= s.hi || string(buf[p:p+3]) != "\nV " {
		return false
	}
	for p += 3; p < s.hi && isDigit(buf[p]); p++ {
	}
	if p >= s.hi || buf[p] != '\n' {
		return false
	}
	e := bytes.IndexByte(buf[p+1:s.hi], '\n')
	if e < 0 {
		e = s.hi - p - 1
	}
	s.hide(p+1, p+1+e, keyname.Password, "counted")
	return true
}

// reply awaits the value of a name that a client of Redis shows in a list:
//
//  1. "requirepass"
//  2. "x"
func (s *Scanner) reply(ks int, w want) bool {
	b := nonSpace(s.buf, s.ls, ks)
	e := b
	for e < ks && isDigit(s.buf[e]) {
		e++
	}
	if e == b || string(s.buf[e:ks]) != ") \"" || s.State.open() {
		return false
	}
	s.enter(InNext, w.kind, 0, 1, 'r')
	return true
}

// replied hides the last string of the line.
func (s *Scanner) replied(kind keyname.Kind) {
	e := bytes.LastIndexByte(s.buf[s.ls:s.le], '"')
	if e < 4 {
		return
	}
	b := bytes.LastIndexByte(s.buf[s.ls:s.ls+e], '"')
	if b > 2 && string(s.buf[s.ls+b-2:s.ls+b]) == ") " {
		s.hideText(s.ls+b+1, s.ls+e, kind, "next-line")
	}
}

// messageOfPasswd is true for what the program passwd says, and PAM for it.
func messageOfPasswd(v []byte) bool {
	i := bytes.IndexByte(v, ' ')
	if i < 2 || bytes.IndexByte(v[i+1:], ' ') < 0 {
		return false
	}
	for _, t := range []string{"password", "all", "authentication", "you", "permission", "cannot", "can't", "unknown", "unrecognized", "user", "module", "critical", "conversation", "new", "bad", "sorry", "unlocking", "locking", "expiring", "adjusting", "removing", "changing", "updating"} {
		if foldIs(v[:i], t) {
			return true
		}
	}
	return false
}
