package tokens

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What is written without branches says what its plain form says.
func TestPlainForms(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const set = "0123456789abcdefabcdef-----gzAF/._=+"
	for n := range 50000 {
		v := make([]byte, 14+r.IntN(30))
		if n%2 == 0 {
			v = make([]byte, 36)
		}
		for i := range v {
			v[i] = set[r.IntN(16+r.IntN(len(set)-15))]
			if len(v) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) && n%16 != 0 {
				v[i] = '-'
			}
		}
		if got, want := plausible(v), plainPlausible(v); got != want {
			t.Fatalf("plausible(%q) = %v", v, got)
		}
		var k Known
		for i, c := range v {
			if is(c, alnum) {
				k.Alnum |= 1 << i
			}
			if is(c, digit) {
				k.Digit |= 1 << i
			}
		}
		if k.Alnum == 0 {
			continue
		}
		if got, want := k.plausible(v), plainPlausible(v); got != want {
			t.Fatalf("known: plausible(%q) = %v", v, got)
		}
		one, ok1 := Shape(v, 0, len(v))
		two, ok2 := shape(v, 0, len(v), k)
		if one != two || ok1 != ok2 {
			t.Fatalf("known: shape(%q) = %v, %v", v, two, one)
		}
		if len(v) == 36 {
			if got, want := lowerUUID(v), plainUUID(v); got != want {
				t.Fatalf("lowerUUID(%q) = %v", v, got)
			}
		}
	}
}

func plainUUID(v []byte) bool {
	digits := 0
	for i, c := range v {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9':
			digits++
		case c < 'a' || c > 'f':
			return false
		}
	}
	return digits >= 2 && !bytes.Contains(v, []byte("4b1d"))
}

func plainPlausible(v []byte) bool {
	var letters, digits, dots, row, longest int
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9':
			digits++
			row++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
			row++
		default:
			if letters+digits == 0 && c == '/' {
				return false
			}
			if c == '/' || c == '.' {
				dots++
			}
			row = 0
		}
		if longest = max(longest, row); digits >= 2 && letters+digits >= 12 && longest >= 8 {
			return true
		}
	}
	return digits == 1 && letters >= 14 && dots == 0 && longest >= 8
}
