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
		s.runAlnum, s.runDigit = 0, 0
		return s.runBytes(r, from)
	}
	start, end = s.runStart(r, from), s.runEnd(r)
	digit, other := s.runHas(start, end)
	switch {
	case !digit:
		for _, c := range s.buf[start:end] {
			if classes |= runChars[c]; classes == runAny|runUpper|runLower|runOther {
				break // that is all there is
			}
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

// runHas says whether a run has digits, and what is neither hex nor a dash. It
// notes the letters and digits of one that is short.
func (s *Scanner) runHas(start, end int) (digit, other bool) {
	s.runAlnum, s.runDigit = 0, 0
	for i := start; i < end; i += mask.Size {
		part := ^uint64(0)
		if end-i < mask.Size {
			part = 1<<(end-i) - 1
		}
		o := i - s.origin
		d := s.masks.Digit.From(o) & part
		digit = digit || d != 0
		other = other || part&^(d|s.masks.HexAF.From(o)|s.masks.Dash.From(o)) != 0
		if end-start <= mask.Size {
			s.runAlnum, s.runDigit = (d|s.masks.Letter.From(o))&part, d
		}
	}
	return digit, other
}
