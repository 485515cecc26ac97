package code

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// alphabet is Crockford's: no I, L, O, U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	groupSize = 5 // characters
	maxText   = 4096
)

// Typo is a text that cannot be what was sent: it was misread, mistyped or cut
// off. Nobody guessed anything by it.
type Typo struct{ what string }

func (e *Typo) Error() string { return e.what }

func typo(format string, args ...any) error { return &Typo{fmt.Sprintf(format, args...)} }

// encode writes bytes as groups, the check last.
func encode(kind string, b []byte) string {
	var out strings.Builder
	n := 0
	put := func(v byte) {
		if n > 0 && n%groupSize == 0 {
			out.WriteByte(' ')
		}
		out.WriteByte(alphabet[v&31])
		n++
	}
	var acc uint32
	bits := 0
	for _, c := range b {
		acc = acc<<8 | uint32(c)
		for bits += 8; bits >= 5; bits -= 5 {
			put(byte(acc >> (bits - 5)))
		}
	}
	if bits > 0 {
		put(byte(acc << (5 - bits)))
	}
	sum := check(kind, b)
	for i := 20; i >= 0; i -= 5 {
		put(byte(sum >> i))
	}
	return out.String()
}

// check is 25 bits over the bytes.
func check(kind string, b []byte) uint32 {
	sum := sha256.Sum256(append([]byte("latchstring-check-"+kind+"\x00"), b...))
	return binary.BigEndian.Uint32(sum[:]) >> 7
}

// decode reads groups and holds them against their check.
func decode(kind, text string) ([]byte, error) {
	if len(text) > maxText {
		return nil, typo("this is too long to be a %s", kind)
	}
	symbols := make([]byte, 0, len(text))
	for _, r := range text {
		v, skip := symbol(r)
		switch {
		case skip:
		case v < 0:
			return nil, typo("the character %q after %q is not used in a %s", r, tail(symbols), kind)
		default:
			symbols = append(symbols, byte(v))
		}
	}
	if len(symbols) <= groupSize {
		return nil, typo("this is too short to be a %s", kind)
	}
	data := symbols[:len(symbols)-groupSize]
	var sum uint32
	for _, v := range symbols[len(data):] {
		sum = sum<<5 | uint32(v)
	}
	out := make([]byte, 0, len(data)*5/8)
	var acc uint32
	bits := 0
	for _, v := range data {
		acc = (acc<<5 | uint32(v)) & 0xfff
		if bits += 5; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	if bits >= 5 || acc&(1<<bits-1) != 0 || check(kind, out) != sum {
		return nil, typo("the check at the end of the %s does not fit: a character is wrong, missing or too many", kind)
	}
	return out, nil
}

// symbol is the value of a character, or -1; skip is for what stands between.
func symbol(r rune) (v int, skip bool) {
	switch r {
	case ' ', '\t', '\r', '\n', '-', '>', '"', '\'', '`', '|', ',', '\u00a0', '\u2010', '\u2011', '\u2013', '\u201c', '\u201d', '\u201e', '\u200b', '\ufeff':
		return 0, true
	case 'o', 'O':
		return 0, false
	case 'i', 'I', 'l', 'L':
		return 1, false
	}
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	}
	return strings.IndexRune(alphabet, r), false
}

// tail is the group in which reading stopped.
func tail(symbols []byte) string {
	var b strings.Builder
	for _, v := range symbols[max(0, len(symbols)-groupSize):] {
		b.WriteByte(alphabet[v])
	}
	return b.String()
}
