package scan

import (
	"math/bits"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// runAt widens the place r inside of a run of token characters to the run, back
// to from at most, and says which classes it has. If it has a digit, the only
// others are runAny and runOther.
func (s *Scanner) runAt(r, from int) (start, end int, classes uint8) {
	if !s.masked {
		return s.runBytes(r, from)
	}
	start, end = s.runStart(r, from), s.runEnd(r)
	digit, other := s.runHas(start, end)
	switch {
	case !digit:
		for _, c := range s.buf[start:end] {
			classes |= runChars[c]
		}
	case other:
		classes = runAny | runDigit | runOther
	default:
		classes = runAny | runDigit
	}
	return start, end, classes
}

// runBytes is runAt without masks.
func (s *Scanner) runBytes(r, from int) (start, end int, classes uint8) {
	start, end = r, r
	for start > from && runChars[s.buf[start-1]] != 0 {
		start--
		classes |= runChars[s.buf[start]]
	}
	for end < s.le && runChars[s.buf[end]] != 0 {
		classes |= runChars[s.buf[end]]
		end++
	}
	return start, end, classes
}

func (s *Scanner) runEnd(i int) int {
	for i < s.le {
		o := i - s.origin
		b, sh := o/mask.Size, uint(o)%mask.Size
		n := bits.TrailingZeros64(^(s.masks.Token[b] >> sh))
		if i += n; n == int(mask.Size-sh) {
			continue // to the end of the block
		}
		if i >= s.le || runChars[s.buf[i]] == 0 {
			break
		}
		i++ // one of those that have no mask
	}
	return min(i, s.le)
}

func (s *Scanner) runStart(i, from int) int {
	for i > from {
		o := i - 1 - s.origin
		b, sh := o/mask.Size, uint(o)%mask.Size
		n := bits.LeadingZeros64(^(s.masks.Token[b] << (mask.Size - 1 - sh)))
		if i -= n; n == int(sh)+1 {
			continue
		}
		if i <= from || runChars[s.buf[i-1]] == 0 {
			break
		}
		i--
	}
	return max(i, from)
}

// runHas says whether a run has digits, and what is neither hex nor a dash.
func (s *Scanner) runHas(start, end int) (digit, other bool) {
	for i := start; i < end; {
		o := i - s.origin
		b, sh := o/mask.Size, uint(o)%mask.Size
		part := ^uint64(0) << sh
		n := mask.Size - int(sh)
		if end-i < n {
			part &= 1<<(uint(end-s.origin)%mask.Size) - 1
		}
		d := s.masks.Digit[b]
		digit = digit || d&part != 0
		other = other || part&^(d|s.masks.HexAF[b]|s.masks.Dash[b]) != 0
		i += n
	}
	return digit, other
}

// runBits are the letters and digits of a run, and its digits, a bit for each
// character; zero for a run that is too long, or has no masks.
func (s *Scanner) runBits(start, end int) (alnum, digit uint64) {
	if !s.masked || end-start > mask.Size {
		return 0, 0
	}
	o := start - s.origin
	b, sh := o/mask.Size, uint(o)%mask.Size
	d, l := s.masks.Digit[b]>>sh, s.masks.Letter[b]>>sh
	d |= s.masks.Digit[b+1] << 1 << (mask.Size - 1 - sh)
	l |= s.masks.Letter[b+1] << 1 << (mask.Size - 1 - sh)
	part := ^uint64(0) >> (mask.Size - uint(end-start))
	return (d | l) & part, d & part
}
