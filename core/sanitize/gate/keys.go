package gate

import (
	"bytes"
	"regexp"
)

const ruleKey = "assigned-secret"

// keyStarts are the first four bytes of the names whose values are secrets
// when they look drawn by chance.
var keyStarts = []string{"pass", "secr", "api_", "api-", "apik", "acce", "auth", "priv"}

// assignment is such a name, quotes, an operator and the value.
var assignment = regexp.MustCompile(`(?i)^(?:password|passwd|passphrase|secret(?:[_-]?access)?(?:[_-]?key)?|api[_-]?key|access[_-]?token|auth[_-]?token|private[_-]?key)["']?[ \t]*(?:=|:|:=|=>)[ \t]*["']?([0-9A-Za-z+/_!@#%^&*~-]{10,}={0,2})(?:["'\s,;&<]|$)`)

func (b *builder) keys() {
	for _, w := range keyStarts {
		b.add(w, entry{rule: ruleKey, check: assigned})
	}
}

func assigned(text []byte, i int) bool {
	if i > 0 && letterOrDigit(text[i-1]) {
		return false // the end of a longer word: a name that is not known
	}
	if !operator(text[i:min(len(text), i+40)]) {
		return false
	}
	m := assignment.FindSubmatch(text[i:min(len(text), i+512)])
	return m != nil && chance(m[1])
}

// operator says whether a name, closing quotes and an operator are all that
// comes first: what is no assignment need not be matched at all.
func operator(b []byte) bool {
	i := 0
	for i < len(b) && (letterOrDigit(b[i]) || b[i] == '_' || b[i] == '-') {
		i++
	}
	b = bytes.TrimLeft(b[i:], "\"' \t")
	return len(b) > 0 && (b[0] == '=' || b[0] == ':')
}

// chance says whether a value was drawn by chance, beyond doubt: letters in
// both cases and digits, mixed, and no word of five letters in it.
func chance(v []byte) bool {
	if bytes.Contains(v, []byte("REDACTED")) || bytes.ContainsAny(v[:1], "/@%&#*-") {
		return false
	}
	var lower, upper, digits, turns, run int
	prev := 0
	for _, c := range v {
		kind := 0
		switch {
		case c >= 'a' && c <= 'z':
			lower++
			kind = 1
		case c >= 'A' && c <= 'Z':
			upper++
			kind = 2
		case c >= '0' && c <= '9':
			digits++
			kind = 3
		}
		if kind == prev {
			run++
		} else {
			run, turns = 1, turns+1
		}
		if run >= 5 && kind != 3 {
			return false
		}
		prev = kind
	}
	return lower >= 2 && upper >= 2 && digits >= 2 && turns >= 6
}
