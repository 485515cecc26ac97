package gate

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

const (
	ruleSecret = "known-secret"
	minSecret  = 6  // shorter ones occur by chance
	minForm    = 8  // shorter ones must stand alone
	minPlain   = 16 // and of nothing but letters, or nothing but digits, those below this
)

// plainWord says whether a value is so plain that it is a secret only where it
// is a word of its own, or some: a password of ten letters is in longer words by
// chance.
func plainWord(s string) bool {
	letters, digits := true, true
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		letters = letters && (letter || s[i] == ' ')
		digits = digits && s[i] >= '0' && s[i] <= '9'
	}
	return len(s) < minPlain && (letters || digits)
}

// secret enters a known value in the forms in which programs write it.
func (b *builder) secret(s string) {
	if len(s) < minSecret {
		return
	}
	seen := map[string]bool{}
	form := func(f string) {
		if len(f) < gram || seen[f] || f != s && len(f) < minForm {
			return
		}
		seen[f] = true
		b.add(f, entry{rule: ruleSecret, literal: f, word: len(f) < minForm || f == s && plainWord(f)})
	}
	form(s)
	if esc, err := json.Marshal(s); err == nil {
		form(string(esc[1 : len(esc)-1]))
	}
	form(url.QueryEscape(s))
	form(url.PathEscape(s))
	x := hex.EncodeToString([]byte(s))
	form(x)
	form(strings.ToUpper(x))
	for shift := range 3 {
		form(inBase64(s, shift))
	}
}

// inBase64 returns what s always looks like inside a longer base64 text when
// shift bytes stand before it in its group of three: the characters that hold
// bits of neither neighbour.
func inBase64(s string, shift int) string {
	e := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + s + "\x00\x00"))
	first := []int{0, 2, 3}[shift]
	whole := (shift + len(s)) * 8 / 6
	return e[first:whole]
}
