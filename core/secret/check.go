package secret

import (
	"fmt"
	"strings"
)

// Context is what a stranger would try besides the words that everybody tries.
type Context struct {
	SystemNames []string // names, serial numbers and ids of the system
	People      []string // names of accounts, of the customer, of the vendor
}

// WeakError says why a secret is refused.
type WeakError struct{ Reason string }

func (e *WeakError) Error() string { return "the secret is too easy to guess: " + e.Reason }

// ExitCode is that of a wrong use.
func (e *WeakError) ExitCode() int { return 2 }

// Hint says what to do.
func (e *WeakError) Hint() string { return "let one be generated: --generate-secret" }

const (
	// MinLength is the least number of characters, spaces and dashes aside.
	MinLength = 8
	// enough is how many characters must be left when everything is taken
	// away that is no choice: what goes on from the character before, words that
	// everybody tries, names.
	enough = 5
	// enoughDigits is the same where there are only digits, of which each says
	// less.
	enoughDigits = 6
)

// Check decides whether a secret that somebody chose is good enough for three
// guesses by a stranger. It returns nil, a [*WeakError], or an error of
// [Normalise]. It asks for no mixture of signs: length and surprise are what
// counts.
func Check(typed []byte, c Context) error {
	n, err := Normalise(typed)
	if err != nil {
		return err
	}
	defer Clear(n)
	s := []rune(string(n)) // the copies live as long as this call
	defer clear(s)
	if len(s) < MinLength {
		return &WeakError{fmt.Sprintf("it has %d characters, at least %d are needed", len(s), MinLength)}
	}
	if unit := period(s); unit <= len(s)/2 {
		return &WeakError{"it repeats itself"}
	}
	if d := distinct(s); d < enough {
		return &WeakError{fmt.Sprintf("it has only %d different characters", d)}
	}
	if left := unpredictable(s); left < enough {
		return &WeakError{"it runs along the alphabet, the digits or the keyboard"}
	}
	for _, list := range []struct {
		what  string
		words []string
	}{
		{"a name of this system", c.SystemNames},
		{"the name of somebody or something involved", c.People},
		{"a word that everybody tries", common},
	} {
		for _, w := range list.words {
			if rest, found := without(s, w); found && unpredictable(rest) < enough {
				return &WeakError{"it is little more than " + list.what}
			}
		}
	}
	// Several words that everybody tries, one after another.
	rest, found := s, false
	for _, w := range common {
		if r, ok := without(rest, w); ok {
			rest, found = r, true
		}
	}
	if found && unpredictable(rest) < enough-1 && len(s) < 2*MinLength {
		return &WeakError{"it is made of words that everybody tries"}
	}
	if digits(s) && date(s) {
		return &WeakError{"it is a date"}
	}
	if digits(s) && unpredictable(s) < enoughDigits {
		return &WeakError{"it is a number without enough surprise; add letters or make it longer"}
	}
	return nil
}

// period is the length of the shortest piece of which s is a repetition,
// the last one perhaps cut short.
func period(s []rune) int {
	for n := 1; n < len(s); n++ {
		same := true
		for i := n; i < len(s) && same; i++ {
			same = s[i] == s[i-n]
		}
		if same {
			return n
		}
	}
	return len(s)
}

func distinct(s []rune) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

func digits(s []rune) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// rows are orders in which people go on without thinking. The letters that
// Normalise writes as digits are digits here.
var rows = fold2(
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"01234567890",
	"QWERTYUIOP", "QWERTZUIOP", "AZERTYUIOP",
	"ASDFGHJKL", "QSDFGHJKLM", "ZXCVBNM", "YXCVBNM", "WXCVBN",
	"1QAZ2WSX3EDC4RFV5TGB6YHN7UJM8IK9OL0P",
)

func fold2(rows ...string) []string {
	for i, r := range rows {
		rows[i] = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(r)
	}
	return rows
}

// unpredictable counts the characters that do not go on from the one before.
func unpredictable(s []rune) int {
	n := 0
	for i, r := range s {
		if i == 0 || !goesOn(s[i-1], r) {
			n++
		}
	}
	return n
}

func goesOn(a, b rune) bool {
	if a == b {
		return true
	}
	for _, row := range rows {
		if strings.Contains(row, string([]rune{a, b})) || strings.Contains(row, string([]rune{b, a})) {
			return true
		}
	}
	return false
}

// without takes every occurrence of a word out of s, however its letters are
// dressed up as digits and signs. Words of less than three characters are not
// looked for.
func without(s []rune, word string) (rest []rune, found bool) {
	n, err := Normalise([]byte(word))
	if err != nil {
		return s, false
	}
	w := []rune(string(n))
	if len(w) < 3 || len(w) > len(s) {
		return s, false
	}
	for i := 0; i < len(s); {
		if i+len(w) <= len(s) && looksLike(s[i:i+len(w)], w) {
			i += len(w)
			found = true
			continue
		}
		rest = append(rest, s[i])
		i++
	}
	return rest, found
}

func looksLike(a, b []rune) bool {
	for i := range a {
		if undress(a[i]) != undress(b[i]) {
			return false
		}
	}
	return true
}

// undress turns a sign back into the letter that it stands for.
func undress(r rune) rune {
	switch r {
	case '3', '€':
		return 'E'
	case '4', '@':
		return 'A'
	case '5', '$':
		return 'S'
	case '7', '+':
		return 'T'
	case '8':
		return 'B'
	case '9', '6':
		return 'G'
	case '!', '|':
		return '1'
	}
	return r
}

// date reports whether eight digits are a day of the last or this century.
func date(s []rune) bool {
	if len(s) != 8 {
		return false
	}
	num := func(from, to int) (n int) {
		for _, r := range s[from:to] {
			n = 10*n + int(r-'0')
		}
		return n
	}
	day := func(y, a, b int) bool {
		return y >= 1900 && y < 2100 && (a >= 1 && a <= 12 && b >= 1 && b <= 31 || b >= 1 && b <= 12 && a >= 1 && a <= 31)
	}
	return day(num(0, 4), num(4, 6), num(6, 8)) || day(num(4, 8), num(0, 2), num(2, 4))
}

// common are the words that are tried first, here and in every list of
// passwords, and those that suggest themselves in a session with support.
var common = strings.Fields(`
password passwort passw0rd passwd secret geheim kennwort welcome willkommen bienvenue letmein
admin administrator root user guest test testing demo default changeme temp temporary login master
support remote remotesupport helpdesk service session engineer customer vendor
infinidat infinibox infiniguard latchstring storage array datacenter system server linux ubuntu debian redhat
abc123 qwerty qwertz azerty asdf iloveyou monkey dragon sunshine princess football baseball soccer hockey
shadow superman batman trustno1 whatever freedom starwars cheese summer winter spring autumn sommer herbst
january february march april june july august september october november december
januar februar maerz juni juli oktober dezember
monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag
hello hallo bonjour company computer internet office london berlin paris newyork america
michael jennifer jordan thomas robert daniel andrew joshua charlie
2020 2021 2022 2023 2024 2025 2026 2027 2028 2029 2030
`)
