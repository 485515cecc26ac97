package tokens

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// value is what a vendor's token looks like.
type value struct {
	class    class
	min, max int // max 0: without end
	uuid     bool
}

type vendor struct {
	name   string
	common bool // a plain word too
	values []value
}

// lookBack is how far before a value its vendor may be named.
const lookBack = 80

// maxWords is how many words before a value may name its vendor.
const maxWords = 4

// maxBinder is how far before a value a comma or the like may stand and bind
// it to a name.
const maxBinder = 4

// Vendor reports window[start:end] or a part of it as the token of an issuer
// that is named before it or at its beginning: in the key that it is assigned
// to (acmeKey = "..."), or near it together with a word such as token or
// secret (acme-token-...).
func Vendor(window []byte, start, end int) (Match, bool) {
	return vendorNear(window, start, end, true, Known{})
}

func vendorNear(window []byte, start, end int, near bool, known Known) (Match, bool) {
	if start < 0 || end > len(window) || end-start < 14 || end-start > maxRun {
		return Match{}, false
	}
	// The run may hold key=value, and the value may hold '=' itself: the value
	// is the whole run, or what is behind the first or the last '='.
	if known.Alnum == 0 && !plausible(window[start:end]) || known.Alnum != 0 && !known.plausible(window[start:end]) {
		return Match{}, false
	}
	if m, ok := named(window, start, start, end, near); ok {
		return m, true
	}
	first, last := -1, -1
	eq := bytes.IndexByte(window[start:end], '=')
	if eq < 0 {
		return Match{}, false
	}
	for i := start + eq; i < end-1; i++ {
		if window[i] == '=' && is(window[i+1], base64URL) {
			if first < 0 {
				first = i + 1
			}
			last = i + 1
		}
	}
	if first > 0 {
		if m, ok := named(window, start, first, end, near); ok {
			return m, true
		}
	}
	if last > first {
		return named(window, start, last, end, near)
	}
	return Match{}, false
}

// named looks for the issuer of the value window[s:end] in the few words
// before it, and at its beginning when it is a whole run. If no word such as
// token is near, only the name that it is assigned to counts.
func named(window []byte, start, s, end int, near bool) (Match, bool) {
	if !near {
		return assignedName(window, s, end)
	}
	words := 0
	limit := max(0, s-lookBack)
before:
	for i := s - 1; i >= limit && words < maxWords; i-- {
		if classOf[window[i]]&letter == 0 {
			switch window[i] {
			case ' ', '\t':
				if is(window[i+1], alnum) {
					words++
				}
			case ',', ';', '{', '}', '&':
				// The end of what came before, unless it binds this value.
				if s-i > maxBinder {
					break before
				}
			case '\n':
				break before
			}
			continue
		}
		if i == 0 || wordStart(window[i-1], window[i]) {
			if m, ok := vendorAt(window, i, s, end); ok {
				return m, true
			}
		}
	}
	// A run that begins with the name holds a word such as token too.
	if s == start && classOf[window[s]]&letter != 0 {
		return vendorAt(window, s, s, end)
	}
	return Match{}, false
}

// assignedName looks for the issuer in the name that the value w[s:end] is
// assigned to, if it is assigned to one: what stands before it is no part of what
// [assigned] accepts.
func assignedName(w []byte, s, end int) (Match, bool) {
	i := s
	for ; i > 0 && s-i < 18 && is(w[i-1], bind); i-- {
		if s-i >= maxBinder && (w[i-1] == ',' || w[i-1] == '{') {
			return Match{}, false
		}
	}
	for limit := max(0, i-30-maxName); i > limit && is(w[i-1], assigneeChar); {
		i--
		if is(w[i], letter) && (i == 0 || wordStart(w[i-1], w[i])) {
			if m, ok := vendorAt(w, i, s, end); ok {
				return m, true
			}
		}
	}
	return Match{}, false
}

// maxName is the length of the longest name of an issuer, and more.
const maxName = 32

// wordStart says whether a name may begin with b behind a: not in the middle
// of a word or a number, except at the hump of a camel.
func wordStart(a, b byte) bool {
	return classOf[a]&alnum == 0 || a >= 'a' && b <= 'Z'
}

// vendorAt looks for a name at i, where a word begins.
func vendorAt(w []byte, i, s, end int) (Match, bool) {
	if i+minPrefix > end {
		return Match{}, false
	}
	if h := hash3(w[i], w[i+1], w[i+2]); vendorBits.has(h) && vendorHeads[h>>vendorShift] != 0 {
		return vendorOf(w, i, s, end, int(vendorHeads[h>>vendorShift])-1)
	}
	return Match{}, false
}

// vendorOf looks for the names of a chain at i.
func vendorOf(w []byte, i, s, end, chain int) (Match, bool) {
	for c := chain; vendorChains[c] != 0xffff; c++ {
		d := &vendors[vendorChains[c]]
		if !hasPrefix(w[i:end], d.name, true) {
			continue
		}
		if m, ok := d.match(w, i+len(d.name), s, end); ok {
			return m, true
		}
	}
	return Match{}, false
}

const (
	// minVendorValue is the length of the shortest token in the table.
	minVendorValue = 14
	// maxRun is the length of a run that is not looked at any more.
	maxRun = 1024
)

// match decides on a value at w[s:end] whose vendor is named before q. When
// the name is in the run itself the value begins behind the last word such as
// token.
func (d *vendor) match(w []byte, q, s, end int) (Match, bool) {
	if q > s {
		n := lastSecretWord(w[q:end])
		if n < 0 {
			return Match{}, false
		}
		s = q + n
		for s < end && !is(w[s], alnum) {
			s++
		}
		if end-s < minVendorValue || !plausible(w[s:end]) {
			return Match{}, false
		}
	}
	v, gap := w[s:end], w[q:s]
	e, exact := d.length(v)
	if !exact {
		// A length that nobody recorded, but surely drawn by chance.
		e = span(v, 0, dotted|base64Any)
		if e < 20 || !random(v[:e]) {
			return Match{}, false
		}
	}
	secret := len(gap) <= 90 && lastSecretWord(gap) >= 0
	if !secret && (!exact || !assigned(gap) || d.common && (isUUID(v) || !random(v))) {
		return Match{}, false
	}
	return Match{Start: s, End: s + e, Rule: d.name, Open: s+e == len(w)}, true
}

// plausible rules out words, paths and names before anything is looked up:
// there is a digit, not only a few letters, and eight of them in a row.
func plausible(v []byte) bool {
	if !maybeDigit(v) {
		return false
	}
	var letters, digits, dots, row, longest int
	for _, c := range v {
		k := classOf[c]
		if k&alnum != 0 {
			// Which of the two cannot be foretold, so it is no branch.
			d := int(k & digit)
			digits += d
			letters += 1 - d
			row++
			if digits >= 2 && letters+digits >= 12 && max(longest, row) >= 8 {
				return true
			}
			continue
		}
		if letters+digits == 0 && c == '/' {
			return false
		}
		if c == '/' || c == '.' {
			dots++
		}
		longest = max(longest, row)
		row = 0
	}
	return digits == 1 && letters >= 14 && dots == 0 && max(longest, row) >= 8
}

// plausible is the same for a run that is known.
func (k Known) plausible(v []byte) bool {
	digits, all := bits.OnesCount64(k.Digit), bits.OnesCount64(k.Alnum)
	// Eight in a row, by doubling.
	row := k.Alnum & (k.Alnum >> 1)
	row &= row >> 2
	row &= row >> 4
	if digits == 0 || row == 0 {
		return false
	}
	if digits >= 2 {
		return all >= 12 && bytes.IndexByte(v[:bits.TrailingZeros64(k.Alnum)], '/') < 0
	}
	return all >= 15 && bytes.IndexByte(v, '/') < 0 && bytes.IndexByte(v, '.') < 0
}

// length says how much of v is a token of this vendor: all of it, or all
// before a '.' or '/' that the class does not have.
func (d *vendor) length(v []byte) (int, bool) {
	for k := range d.values {
		x := &d.values[k]
		if x.uuid {
			if len(v) >= 36 && isUUID(v[:36]) && (len(v) == 36 || !is(v[36], base64URL)) {
				return 36, true
			}
			continue
		}
		n := span(v, 0, x.class)
		if n < x.min || x.max > 0 && n > x.max {
			continue
		}
		if n < len(v) && is(v[n], base64Any) {
			continue
		}
		return n, true
	}
	return 0, false
}

// isUUID also takes letters beyond f: some issuers write their keys like that.
func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !is(c, alnum) {
				return false
			}
		}
	}
	return true
}

// assigned says whether gap is the rest of an identifier, an assignment (or
// only a space) and an opening quote.
func assigned(gap []byte) bool {
	if len(gap) > 0 && gap[len(gap)-1] == ' ' && !bytes.ContainsAny(gap, "=:>|?,(\"'") && bytes.ContainsAny(gap, "./") {
		return false // the checksum behind the name of a file
	}
	i := 0
	for i < len(gap) && i < 30 && (is(gap[i], base64URL) || gap[i] == '.' || gap[i] == '[' || gap[i] == ']') {
		i++
	}
	i = skip(gap, i, 6, " \t'\"`>)")
	i = skip(gap, i, 4, "=:>|?,(")
	if i == 0 {
		return false
	}
	i = skip(gap, i, 8, " \t'\"`=@\\({[")
	return i == len(gap)
}

func skip(b []byte, i, max int, set string) int {
	for n := 0; i < len(b) && n < max; n++ {
		found := false
		for k := 0; k < len(set); k++ {
			if b[i] == set[k] {
				found = true
				break
			}
		}
		if !found {
			break
		}
		i++
	}
	return i
}

var secretWords = [...]string{"key", "token", "secret", "access", "apikey", "auth", "private", "pass"}

// lastSecretWord returns the end of the last word in b that makes a secret of
// what follows, or -1.
func lastSecretWord(b []byte) int {
	last := -1
	for i := 0; i+3 <= len(b); i++ {
		switch b[i] | 0x20 {
		case 'k', 't', 's', 'a', 'p':
		default:
			continue
		}
		for _, w := range secretWords {
			if !hasPrefix(b[i:], w, true) {
				continue
			}
			e := i + len(w)
			if w == "key" && e < len(b) && is(b[e], letter) && b[e] >= 'a' {
				continue // keyboard
			}
			last = e
		}
	}
	return last
}

// maybeDigit says whether v may hold a digit. It takes eight bytes at a time and
// an '=' for a digit too.
func maybeDigit(v []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(v) >= 8; v = v[8:] {
		// A byte of 0x3x becomes zero in x, and bit 7 of its place is set.
		x := binary.LittleEndian.Uint64(v)&(0xf0*ones) ^ 0x30*ones
		if ^(x&(0x7f*ones)+0x7f*ones|x)&high != 0 {
			return true
		}
	}
	for _, c := range v {
		if c&0xf0 == 0x30 {
			return true
		}
	}
	return false
}
