package scan

import (
	"encoding/binary"
	"math/bits"
)

// quiet remembers runs of token characters that hold no secret: names of
// classes and events, which logs are full of. It is only asked about runs that
// have no digit and stand alone: without a digit no vendor named before makes a
// token of it, and between blanks, quotes and parentheses no token begins or
// ends outside of it. So the text of the run alone decided.
type quiet struct {
	slots [256]quietRun
}

type quietRun struct {
	text [63]byte
	n    uint8
}

// place finds the slot of a run of eight bytes and more.
func (q *quiet) place(v []byte) *quietRun {
	n := len(v)
	h := binary.LittleEndian.Uint64(v) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(v[n/2-4:]), 21) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(v[n-8:]), 42)
	return &q.slots[(h^uint64(n))*0x9E3779B97F4A7C15>>56]
}

func (q *quiet) has(v []byte) bool {
	if len(v) > 63 {
		return false
	}
	s := q.place(v)
	return int(s.n) == len(v) && string(s.text[:s.n&63]) == string(v)
}

func (q *quiet) add(v []byte) {
	if len(v) <= 63 {
		s := q.place(v)
		s.n = uint8(copy(s.text[:], v))
	}
}

// standsAlone says whether nothing beside a run can belong to a token in it.
func (s *Scanner) standsAlone(start, end int) bool {
	if end-start < 8 || end >= s.le || start > s.ls && !apart(s.buf[start-1]) {
		return false
	}
	if s.buf[end] == ':' {
		// The number of a line: (Main.java:42)
		n := end + 1
		for n < s.le && n-end < 7 && isDigit(s.buf[n]) {
			n++
		}
		return n > end+1 && n < s.le && s.buf[n] == ')'
	}
	return apart(s.buf[end])
}

func apart(c byte) bool {
	return c == ' ' || c == '"' || c == '(' || c == ')' || c == ',' || c == '\''
}
