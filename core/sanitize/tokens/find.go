package tokens

import (
	"bytes"
	"math/bits"
)

// Match is a token found in a window.
type Match struct {
	// Start and End bound the token in the window. They may lie outside the
	// run that was asked about: a token can hold a ':' or a '!'.
	Start, End int
	// Rule is the id of the format or the issuer.
	Rule string
	// Open says that the token reaches the end of the window and may go on
	// beyond it: hide what follows for as long as it is a token character.
	Open bool
}

// flags of a format.
type flags uint8

const (
	foldCase    flags = 1 << iota // prefix in any letter case
	anywhere                      // no boundary needed before the prefix
	exactEnd                      // boundary needed after the tail
	allowDull                     // a tail of x's is hidden too
	needMix                       // tail with letters and digits in variety
	needDigit                     // tail with a digit
	digitOrDull                   // needDigit, or a tail of x's
)

// step is one element of a tail: a literal or a stretch of a class.
type step struct {
	lit      string
	class    class
	min, max int // max 0: without end
}

type format struct {
	id, prefix string
	flags      flags
	steps      []step
}

const (
	// minPrefix is the length of the prefixes that are hashed.
	minPrefix = 3
	// minToken is the length of the shortest token.
	minToken = 10
)

// hash3 mixes the first three bytes of a prefix without regard to case.
// internal/gen has the same function.
func hash3(a, b, c byte) uint16 {
	k := uint32(a|0x20)<<16 | uint32(b|0x20)<<8 | uint32(c|0x20)
	return uint16(k * 2654435761 >> 16)
}

// The tables take so many of the upper bits of the hash.
const (
	headShift   = 16 - 12
	vendorShift = 16 - 14
)

// Find returns the first token that begins in window[start:end], a run of
// token characters ([A-Za-z0-9_+/=.~-]). The window may hold as much context
// before and behind as there is: keywords are looked for in up to 160 bytes
// before, and a token may end behind the run. Ask again from Match.End for
// more tokens in the same run.
func Find(window []byte, start, end int) (Match, bool) {
	return FindNear(window, start, end, true)
}

// FindNear is Find for who knows more of the window: near is false if none of
// [NearWords] is in it, in any letter case.
func FindNear(window []byte, start, end int, near bool) (Match, bool) {
	return FindKnown(window, start, end, near, Known{})
}

// Known is what is known of a run of 64 characters at most: bit i tells of its
// character i. The zero value knows nothing.
type Known struct{ Alnum, Digit uint64 }

// alnumEnd is where the letters and digits from i on end.
func (k Known) alnumEnd(w []byte, start, end, i int) int {
	if k.Alnum == 0 {
		return span(w[:end], i, alnum)
	}
	return min(i+bits.TrailingZeros64(^(k.Alnum>>(i-start))), end)
}

// FindKnown is FindNear for who knows the run too.
func FindKnown(window []byte, start, end int, near bool, known Known) (Match, bool) {
	if !near && start > 0 && end-start == 36 && plainBefore(window[start-1]) && lowerUUID(window[start:end]) {
		// Only a name that it is assigned to makes a token of it.
		return named(window, start, start, end, false)
	}
	if m, ok := shape(window, start, end, known); ok {
		return m, true
	}
	return vendorNear(window, start, end, near, known)
}

// plainBefore is true for bytes that [Shape] makes nothing of before a run.
func plainBefore(b byte) bool { return b == ' ' || b == '"' || b == '\'' || b == '(' || b == ',' }

// lowerUUID is true for an UUID of small letters that begins no other token.
func lowerUUID(v []byte) bool {
	if v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return false
	}
	// No branch for a character: what comes next cannot be foretold.
	all, digits := ^class(0), class(0)
	for _, part := range [...][]byte{v[:8], v[9:13], v[14:18], v[19:23], v[24:36]} {
		for _, c := range part {
			all &= classOf[c]
			digits += classOf[c] & digit
		}
	}
	return all&lowerHex != 0 && digits >= 2 && !bytes.Contains(v, []byte("4b1d"))
}

// NearWords are the words beside which a name makes a token of what follows.
func NearWords() []string { return secretWords[:] }

// Shape is Find for the tokens that can be told by themselves.
//
// A run is taken in segments of letters and digits. A prefix begins with a
// segment, or it has punctuation in it and is told from there.
func Shape(window []byte, start, end int) (Match, bool) {
	return shape(window, start, end, Known{})
}

func shape(window []byte, start, end int, known Known) (Match, bool) {
	if start < 0 || end > len(window) || end-start < minToken {
		return Match{}, false
	}
	if start > 0 && is(window[start-1], foreign) {
		if m, ok := afterForeign(window, start, end); ok {
			return m, true
		}
	}
	word := start // where the stretch of base64URL characters begins
	for i := start; i+minPrefix <= end; {
		j := known.alnumEnd(window, start, end, i)
		if j > i && mayBegin(window, i) || j-i >= minSigned {
			if m, ok := segment(window, start, end, i, j); ok {
				return m, true
			}
		}
		if j == end {
			break
		}
		if j >= start+2 {
			if h := hash3(window[j-2], window[j-1], window[j]); pivotBits.has(h) && pivots[h>>headShift] != 0 {
				if m, ok := tryPivot(window, start, j, int(pivots[h>>headShift])-1); ok {
					return m, true
				}
			}
		}
		if m, ok := infix(window, start, end, word, i, j); ok {
			return m, true
		}
		i = j + 1
		if classOf[window[j]]&base64URL == 0 {
			word = i
		}
	}
	return Match{}, false
}

// afterForeign looks at what the byte before the run, which no run holds, says
// about its beginning.
func afterForeign(w []byte, start, end int) (Match, bool) {
	skip := 0 // what belongs to an escape: "\nghp_", "%3Dghp_", a colour
	switch w[start-1] {
	case ':', '!', '|':
		return led(w, start, end)
	case '$':
		return kerberos(w, start, end)
	case '\\':
		switch w[start] {
		case 'n', 'r', 't':
			skip = 1
		case 'x':
			skip = 3
		case 'u':
			skip = 5
		}
	case '%':
		if m, ok := facebook(w, start, end); ok {
			return m, true
		}
		skip = 2
	case '[', ';':
		if k := span(w[:end], start, digit); k < end && w[k] == 'm' {
			skip = k + 1 - start
		}
	}
	i := start + skip
	if skip == 0 || i+minPrefix > end {
		return Match{}, false
	}
	return segment(w, start, end, i, span(w[:end], i, alnum))
}

// mayBegin says whether a format may begin at i.
func mayBegin(w []byte, i int) bool {
	return headBits.has(hash3(w[i], w[i+1], w[i+2])) || is(w[i], shortStart)
}

// segment looks at the letters and digits w[i:j].
func segment(w []byte, start, end, i, j int) (Match, bool) {
	if i+minToken <= end && j > i {
		if h := hash3(w[i], w[i+1], w[i+2]); heads[h>>headShift] != 0 {
			if m, ok := try(w, i, int(heads[h>>headShift])-1); ok {
				return m, true
			}
		}
		if classOf[w[i]]&shortStart != 0 {
			if h := shortHead(w[i], w[i+1]); h != 0 {
				if m, ok := try(w, i, int(h)-1); ok {
					return m, true
				}
			}
		}
	}
	if j-i >= minSigned {
		return signed(w, start, end, i, j)
	}
	return Match{}, false
}

// tryPivot tests the formats whose first punctuation may be at i.
func tryPivot(w []byte, start, i, chain int) (Match, bool) {
	for ; chains[chain] != 0xffff; chain++ {
		f := &formats[chains[chain]]
		at := i
		for k := 0; is(f.prefix[k], alnum); k++ {
			at--
		}
		if at >= start && hasPrefix(w[at:], f.prefix, f.flags&foldCase != 0) {
			if m, ok := f.match(w, at); ok {
				return m, true
			}
		}
	}
	return Match{}, false
}

// try tests the formats of one chain at position i, which may begin a token.
func try(w []byte, i, chain int) (Match, bool) {
	for ; chains[chain] != 0xffff; chain++ {
		f := &formats[chains[chain]]
		if hasPrefix(w[i:], f.prefix, f.flags&foldCase != 0) {
			if m, ok := f.match(w, i); ok {
				return m, true
			}
		}
	}
	return Match{}, false
}

// match tests what follows the prefix at i.
func (f *format) match(w []byte, i int) (Match, bool) {
	end, ok := tail(w, i+len(f.prefix), f)
	if !ok {
		return Match{}, false
	}
	return Match{Start: i, End: end, Rule: f.id, Open: end == len(w)}, true
}

// tail matches the steps of f from i and applies its flags.
func tail(w []byte, i int, f *format) (end int, ok bool) {
	body := i
	for n := range f.steps {
		s := &f.steps[n]
		if s.lit != "" {
			if !hasPrefix(w[i:], s.lit, false) {
				return 0, false
			}
			i += len(s.lit)
			continue
		}
		limit := len(w)
		if s.max > 0 && i+s.max < limit {
			limit = i + s.max
		}
		j := span(w[:limit], i, s.class)
		// Leave what the next literal needs: "<b10+>.eyJ" with '.' in class.
		if n+1 < len(f.steps) && f.steps[n+1].lit != "" && is(f.steps[n+1].lit[0], s.class) {
			for j > i+s.min && !hasPrefix(w[j:], f.steps[n+1].lit, false) {
				j--
			}
		}
		if j-i < s.min && j < len(w) {
			return 0, false
		}
		if j-i < s.min && j == len(w) && (j-body < 8 || len(f.prefix) < 4 && (2*(j-i) < s.min || !hasDigit(w[body:j]))) {
			return 0, false // cut off by the window, and too short to tell
		}
		if s.min == s.max && n+1 == len(f.steps) && f.flags&exactEnd == 0 && j < len(w) && is(w[j], alnum) && is(w[j], s.class) {
			return 0, false
		}
		i = j
	}
	if f.flags&exactEnd != 0 && i < len(w) && is(w[i], base64Any) && w[i] != '=' {
		return 0, false
	}
	return i, varied(w[body:i], f.flags)
}

// varied applies the conditions on what is in a tail.
func varied(t []byte, f flags) bool {
	if f&allowDull != 0 {
		return true
	}
	if dull(t) {
		return f&digitOrDull != 0
	}
	if f&(needDigit|digitOrDull) != 0 && !hasDigit(t) {
		return false
	}
	return f&needMix == 0 || random(t)
}

// dull says whether t is only a row of x's or the like.
func dull(t []byte) bool {
	for _, c := range t {
		switch c {
		case 'x', 'X', '*', '.', '#', '-', '_', '=', '/':
		default:
			return false
		}
	}
	return true
}

func hasDigit(t []byte) bool {
	for _, c := range t {
		if c >= '0' && c <= '9' {
			return true
		}
	}
	return false
}

// random says whether t looks drawn by chance: letters and digits, in variety.
func random(t []byte) bool {
	var seen [2]uint64
	var letters, digits, distinct, turns int
	prev := 0
	for _, c := range t {
		if bit := uint64(1) << (c & 63); c < 128 && seen[c>>6]&bit == 0 {
			seen[c>>6] |= bit
			distinct++
		}
		kind := 0
		switch {
		case c >= '0' && c <= '9':
			digits++
			kind = 1
		case c >= 'a' && c <= 'z':
			letters++
			kind = 2
		case c >= 'A' && c <= 'Z':
			letters++
			kind = 3
		}
		if kind != prev {
			turns++
			prev = kind
		}
	}
	return digits >= 2 && letters >= 2 && distinct >= 8 && turns >= 5
}

func hasPrefix(b []byte, p string, fold bool) bool {
	if len(b) < len(p) {
		return false
	}
	for i := 0; i < len(p); i++ {
		c, d := b[i], p[i]
		if c == d {
			continue
		}
		if !fold || c|0x20 != d|0x20 || !is(d, letter) || !is(c, letter) {
			return false
		}
	}
	return true
}
