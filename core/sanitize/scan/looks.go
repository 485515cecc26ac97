package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// What the look of a value tells, with its key or without.

// serviceKey is true for what a service gave to somebody, in a key that is named
// after the service: shotstack_key = abcdef12345.
func serviceKey(v []byte, w want) bool {
	n := len(w.key) - 4
	if w.kind != keyname.APIKey || n < 3 || len(v) < 10 || len(v) > 64 || !foldEqual(w.key[n+1:], "key") || w.key[n] != '_' {
		return false
	}
	letters, digits := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case isLetter(c):
			letters++
		default:
			return false
		}
	}
	return letters >= 3 && digits >= 3
}

// packedAuth is true for user:password in base64, as the configuration of Docker
// has it, or for what looks like no word: the case changes again and again.
func packedAuth(v []byte) bool {
	if len(v) < 12 || len(v)%4 != 0 || !isBase64(v) {
		return false
	}
	turns := 0
	for i := 1; i < len(v); i++ {
		turns += btoi(isLetter(v[i]) && isLetter(v[i-1]) && (v[i]^v[i-1])&0x20 != 0)
	}
	return turns >= 4
}

// leet is true for a word behind a dollar that has digits in the place of letters,
// as no variable has: $tr0m.
func leet(v []byte) bool {
	if len(v) < 4 || v[0] != '$' {
		return false
	}
	inside := false
	for i, c := range v[1:] {
		switch {
		case c >= 'a' && c <= 'z':
		case isDigit(c):
			inside = inside || i > 0 && i+2 < len(v) && isLetter(v[i]) && isLetter(v[i+2])
		default:
			return false
		}
	}
	return inside
}

func isURL(v []byte) bool {
	i := bytes.Index(v, []byte("://"))
	if i < 2 || i > 24 {
		return false
	}
	for _, c := range v[:i] {
		if !isAlnum(c) && c != '+' && c != '.' && c != '-' && c != ':' {
			return false
		}
	}
	return true
}

// isClassName is true for dotted names such as org.acme.auth.TokenFilter.
func isClassName(v []byte) bool {
	dots, digits := 0, 0
	for i, c := range v {
		switch {
		case c == '.':
			dots++
			if i == 0 || !isLetter(v[i-1]) && !isDigit(v[i-1]) {
				return false
			}
		case isDigit(c):
			digits++
		case !isLetter(c) && c != '_' && c != '$':
			return false
		}
	}
	return dots >= 2 && digits <= 2
}

// looksSecret is true for words that no sentence would hold: digits inside,
// punctuation, upper case in the middle.
func looksSecret(v []byte) bool {
	if len(v) < 4 {
		return false
	}
	var upper, lower, digit, punct int
	for i, c := range v {
		switch {
		case isDigit(c):
			digit++
		case c >= 'A' && c <= 'Z':
			if i > 0 {
				upper++
			}
		case c >= 'a' && c <= 'z':
			lower++
		case c == '.' && i == len(v)-1, c == '-' && i > 0 && i < len(v)-1, c >= 0x80:
		default:
			punct++
		}
	}
	if isVersionish(v) || isPath(v) {
		return false
	}
	return digit > 0 && digit < len(v) && lower+upper > 0 || upper > 0 && lower > 0 || punct > 0 && len(v) >= 6
}
