package scan

import (
	"strings"
	"unicode"
)

// What a byte is, looked up: a loop over a word then has one branch for each
// byte, and it is always the same until the word ends.
const (
	charAlnum   = 1 << iota // a letter or digit
	charHex                 // a digit of a hexadecimal number
	charKey                 // what names of keys are made of
	charAccount             // what names of accounts are made of
)

var chars = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		if isLetter(c) || isDigit(c) {
			t[i] |= charAlnum | charKey | charAccount
		}
		if isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' {
			t[i] |= charHex
		}
		if c == '_' || c == '-' || c == '.' {
			t[i] |= charKey | charAccount
		}
		if c >= 0x80 {
			t[i] |= charKey
		}
	}
	return t
}()

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool  { return chars[c]&charAlnum != 0 }
func isHex(c byte) bool    { return chars[c]&charHex != 0 }
func isSpace(c byte) bool  { return c == ' ' || c == '\t' }

// isKeyChar is true for the bytes that names of keys are made of.
func isKeyChar(c byte) bool { return chars[c]&charKey != 0 }

func isAccountChar(c byte) bool { return chars[c]&charAccount != 0 }

// wordList is a list of words in lower case, by the low five bits of their first
// bytes: those do not depend on the case of a letter.
type wordList [32][]string

func listOf(words ...string) *wordList {
	l := new(wordList)
	for _, w := range words {
		l[w[0]&31] = append(l[w[0]&31], w)
	}
	return l
}

// has says whether v is one of the words, whatever the case of its letters.
func (l *wordList) has(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	for _, w := range l[v[0]&31] {
		if foldIs(v, w) {
			return true
		}
	}
	return false
}

// begins returns the first word of the list that more of v follows, or "".
func (l *wordList) begins(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	for _, w := range l[v[0]&31] {
		if len(v) > len(w) && foldEqual(v[:len(w)], w) {
			return w
		}
	}
	return ""
}

// trimEnd is bytes.TrimRight for short sets of bytes that are mostly not there.
func trimEnd(v []byte, set string) []byte {
	for len(v) > 0 && strings.IndexByte(set, v[len(v)-1]) >= 0 {
		v = v[:len(v)-1]
	}
	return v
}

// isWordRune is true for letters and digits of any script.
func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
