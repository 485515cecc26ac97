package secret

import (
	"bytes"
	"crypto/rand"
	"strings"
)

// alphabet is Crockford's base32: no I, L, O or U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	generated = 9 // characters: eight that are random, one that checks them
	groupSize = 3
)

// Generate returns a new secret, 40 random bits in three groups of three
// characters: K7M-2Q9-XPT.
func Generate() []byte {
	for {
		s := random()
		// One in thousands looks like what people choose; a dull one would
		// be taken for a mistake.
		if weak := Check(s, Context{}); weak == nil {
			return s
		}
		Clear(s)
	}
}

func random() []byte {
	var r [generated - 1]byte
	rand.Read(r[:])
	s := make([]byte, 0, generated+generated/groupSize)
	var plain [generated]byte
	for i, b := range r {
		plain[i] = alphabet[b&31] // 256 is a multiple of 32: no character is preferred
	}
	plain[generated-1] = checkCharacter(plain[:generated-1])
	for i, c := range plain {
		if i > 0 && i%groupSize == 0 {
			s = append(s, '-')
		}
		s = append(s, c)
	}
	clear(r[:])
	clear(plain[:])
	return s
}

// checkCharacter is a weighted sum in the field of 32 elements. It notices any
// one wrong character and any two that were swapped.
func checkCharacter(s []byte) byte {
	sum, weight := byte(0), byte(2)
	for _, c := range s {
		sum ^= times(weight, byte(strings.IndexByte(alphabet, c)))
		weight = times(weight, 2)
	}
	return alphabet[sum]
}

// times multiplies in GF(32) with the polynomial x^5 + x^2 + 1.
func times(a, b byte) byte {
	var p byte
	for range 5 {
		p ^= a * (b & 1)
		b >>= 1
		a <<= 1
		a ^= (a >> 5) * 0x25
	}
	return p & 31
}

// Mistyped reports whether a secret has the form of a generated one but cannot
// be one: a character was misheard or mistyped. It costs nothing to ask again,
// and a wrong secret costs one of three tries. A secret that somebody chose may
// look so by chance, so that he must be able to insist.
func Mistyped(typed []byte) bool {
	n, err := Normalise(typed)
	if err != nil {
		return false
	}
	defer Clear(n)
	if len(n) != generated || bytes.ContainsFunc(n, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }) {
		return false
	}
	return checkCharacter(n[:generated-1]) != n[generated-1]
}

// Groups returns a secret in the groups in which it is shown and read aloud.
func Groups(typed []byte) ([]string, error) {
	n, err := Normalise(typed)
	if err != nil {
		return nil, err
	}
	defer Clear(n)
	size := 4
	if len(n)%groupSize == 0 && len(n) <= generated {
		size = groupSize
	}
	var groups []string
	group := ""
	for _, r := range string(n) {
		if len([]rune(group)) == size {
			groups, group = append(groups, group), ""
		}
		group += string(r)
	}
	return append(groups, group), nil
}

// Spoken returns a secret as words for the telephone, a line a group: letters by
// the NATO alphabet, digits by name.
func Spoken(typed []byte) ([]string, error) {
	groups, err := Groups(typed)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(groups))
	for i, g := range groups {
		var words []string
		for _, r := range g {
			w, ok := spoken[r]
			if !ok {
				w = string(r)
			}
			words = append(words, w)
		}
		lines[i] = strings.Join(words, " ")
	}
	return lines, nil
}

var spoken = map[rune]string{
	'0': "zero", '1': "one", '2': "two", '3': "three", '4': "four",
	'5': "five", '6': "six", '7': "seven", '8': "eight", '9': "nine",
	'A': "Alfa", 'B': "Bravo", 'C': "Charlie", 'D': "Delta", 'E': "Echo",
	'F': "Foxtrot", 'G': "Golf", 'H': "Hotel", 'J': "Juliett", 'K': "Kilo",
	'M': "Mike", 'N': "November", 'P': "Papa", 'Q': "Quebec", 'R': "Romeo",
	'S': "Sierra", 'T': "Tango", 'U': "Uniform", 'V': "Victor", 'W': "Whiskey",
	'X': "X-ray", 'Y': "Yankee", 'Z': "Zulu",
	'.': "dot", ',': "comma", '!': "exclamation mark", '?': "question mark", '+': "plus",
	'#': "hash", '$': "dollar", '%': "percent", '&': "ampersand", '*': "asterisk", '/': "slash",
	':': "colon", ';': "semicolon", '=': "equals", '@': "at", '(': "open bracket", ')': "close bracket",
}
