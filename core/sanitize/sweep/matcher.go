package sweep

import (
	"encoding/binary"
	"math/bits"
)

// longForm is the length from which the stride filter finds a form.
const longForm = 8

const (
	longStride  = longForm - 4 + 1  // 5: a window of eight bytes holds five 4-grams
	shortStride = MinSecret - 4 + 1 // 3: six bytes hold three
)

// A Match is one occurrence of a secret: text[Start:End] is a form of the
// secret that was added under ID.
type Match struct {
	Start, End int
	ID         int
	Form       Form
}

// A Matcher finds the secrets of a snapshot. It is immutable, safe for
// concurrent use, and does not allocate while it searches.
type Matcher struct {
	long, short *filter // nil if there is nothing to find
	patterns    []pattern
	maxLen      int
}

// pattern is one form with the window whose grams are in the filter.
type pattern struct {
	text   string
	window int // offset of the window
	id     int
	form   Form
	word   bool // only between word boundaries
}

// filter is a bit map over hashes of 4-grams and a table of who owns them.
type filter struct {
	bits   []uint64
	shift  uint8 // of the 32-bit hash, for the bit map
	tshift uint8 // of the 32-bit hash, for heads
	heads  []int32
	grams  []gram
}

// gram is one 4-gram of a pattern's window.
type gram struct {
	value   uint32
	pattern int32
	offset  int32 // in the pattern
	next    int32 // in the chain of the bucket, -1 at its end
}

const gramSpread = 0x9E3779B1 // 2^32 over the golden ratio, made odd

func build(literals []literal) *Matcher {
	m := &Matcher{}
	var long, short []int32
	for _, l := range literals {
		for _, s := range l.forms {
			p := pattern{text: s.text, id: l.id, form: s.form}
			if len(s.text) < longForm {
				p.word = true
				p.window = 0
				short = append(short, int32(len(m.patterns)))
			} else {
				p.word = s.form == Raw && onlyWord(s.text)
				p.window = rarestWindow(s.text)
				long = append(long, int32(len(m.patterns)))
			}
			m.patterns = append(m.patterns, p)
			m.maxLen = max(m.maxLen, len(s.text))
		}
	}
	m.long = newFilter(m.patterns, long, longStride)
	m.short = newFilter(m.patterns, short, shortStride)
	return m
}

// onlyWord reports whether a form is so plain (letters and blanks alone, or
// digits alone) that it is only looked for between word boundaries.
func onlyWord(s string) bool {
	letters, digits := true, true
	for i := range len(s) {
		letters = letters && (isLetter(s[i]) || s[i] == ' ')
		digits = digits && '0' <= s[i] && s[i] <= '9'
	}
	return len(s) < 16 && (letters || digits)
}

// rarestWindow returns the offset of the eight bytes that ordinary text is
// least likely to share, by a rough count of what text is made of.
func rarestWindow(s string) int {
	best, at := -1, 0
	score := func(i int) int {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
			return 1
		case '0' <= c && c <= '9' || c == ' ' || c == '/' || c == '-' || c == '.':
			return 2
		case 'A' <= c && c <= 'Z':
			return 3
		}
		return 4
	}
	sum := 0
	for i := range len(s) {
		sum += score(i)
		if i > 0 && (s[i] >= '0' && s[i] <= '9') != (s[i-1] >= '0' && s[i-1] <= '9') {
			sum++ // changes between digits and letters are rare
		}
		if i < longForm-1 {
			continue
		}
		if sum > best {
			best, at = sum, i-longForm+1
		}
		out := i - longForm + 1
		sum -= score(out)
		if out > 0 && (s[out] >= '0' && s[out] <= '9') != (s[out-1] >= '0' && s[out-1] <= '9') {
			sum--
		}
	}
	return at
}

func newFilter(patterns []pattern, which []int32, stride int) *filter {
	if len(which) == 0 {
		return nil
	}
	n := len(which) * stride
	// 64 bits a gram, so that 1.5 % of positions pass; from 32 KB (which stays
	// in the first-level cache) to 4 MB.
	logBits := min(max(bits.Len(uint(n))+6, 18), 25)
	logHeads := min(max(bits.Len(uint(n))+1, 8), 22)
	f := &filter{
		bits:   make([]uint64, 1<<(logBits-6)),
		shift:  uint8(32 - logBits),
		tshift: uint8(32 - logHeads),
		heads:  make([]int32, 1<<logHeads),
		grams:  make([]gram, 0, n),
	}
	for i := range f.heads {
		f.heads[i] = -1
	}
	for _, p := range which {
		text, window := patterns[p].text, patterns[p].window
		for k := range stride {
			off := window + k
			v := binary.LittleEndian.Uint32([]byte(text[off : off+4]))
			h := v * gramSpread
			f.bits[h>>f.shift>>6] |= 1 << (h >> f.shift & 63)
			slot := &f.heads[h>>f.tshift]
			f.grams = append(f.grams, gram{v, p, int32(off), *slot})
			*slot = int32(len(f.grams) - 1)
		}
	}
	return f
}

// MaxLen returns the length of the longest form: text that is searched in
// pieces must overlap by one byte less. It is at most 2304 and 0 for an empty
// matcher.
func (m *Matcher) MaxLen() int { return m.maxLen }

// Empty reports whether there is nothing to find.
func (m *Matcher) Empty() bool { return m.maxLen == 0 }

// Forms returns how many forms are looked for.
func (m *Matcher) Forms() int { return len(m.patterns) }

// String keeps the secrets out of logs.
func (m *Matcher) String() string { return "[secrets matcher]" }

// GoString keeps the secrets out of %#v.
func (m *Matcher) GoString() string { return "[secrets matcher]" }
