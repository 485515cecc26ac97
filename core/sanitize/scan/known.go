package scan

import (
	"encoding/binary"
	"math/bits"
)

// known remembers what was decided about a piece of text by its bytes alone: logs
// name few machines and name them all the time. What is pushed out is decided
// again.
type known struct {
	slots [1 << knownBits]knownText
}

const knownBits = 11

// knownText says what was decided for one question about a text.
type knownText struct {
	text     [59]byte
	n        uint8
	question question
	answer   uint8
	What     What
	_        uint8
}

// question is what was asked about a text.
type question uint8

const (
	isName   question = iota + 1 // how much of it is a name of the machine, and of what?
	isHost                       // is it the name of a machine that is not public?
	isLogger                     // is it the machine that wrote a line, behind a time such as Jan 12 06:25:43?
	isSender                     // or behind 2026-01-12T06:25:43?
)

// ask looks up buf[start:end]. If it is not known, the slot is made ready for the
// answer; nil means that it cannot be remembered.
func (t *known) ask(buf []byte, start, end int, q question) (slot *knownText, ok bool) {
	n := end - start
	if n > len(slot.text) {
		return nil, false
	}
	slot = &t.slots[hashText(buf[start:end], uint64(q))>>(64-knownBits)]
	if int(slot.n) == n && slot.question == q && string(slot.text[:slot.n]) == string(buf[start:end]) {
		return slot, true
	}
	slot.n, slot.question = uint8(copy(slot.text[:], buf[start:end])), q
	return slot, false
}

// hashText makes an index of the upper bits of a text and of what else it is
// known by: of its beginning, its middle, its end and its length.
func hashText(v []byte, what uint64) uint64 {
	n := len(v)
	h := uint64(n)<<8 ^ what
	switch {
	case n > 16:
		h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(v[n/2-4:]), 23)
		fallthrough
	case n >= 8:
		h ^= binary.LittleEndian.Uint64(v) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(v[n-8:]), 31)
	case n >= 4:
		h ^= uint64(binary.LittleEndian.Uint32(v))<<16 ^ uint64(binary.LittleEndian.Uint32(v[n-4:]))<<32
	case n > 0:
		h ^= uint64(v[0])<<16 | uint64(v[n/2])<<24 | uint64(v[n-1])<<32
	}
	return h * 0x9E3779B97F4A7C15
}

// labelEnd is where the letters, digits and - . _ from i on end, in the window.
func (s *Scanner) labelEnd(i, to int) int {
	o := i - s.origin
	b, sh := o/64, uint(o)%64
	n := bits.TrailingZeros64(^(s.masks.Label[b] >> sh))
	if n < 64-int(sh) {
		return min(i+n, to)
	}
	for b++; b < s.filled; b++ {
		if m := ^s.masks.Label[b]; m != 0 {
			return min(s.origin+b*64+bits.TrailingZeros64(m), to)
		}
	}
	return to
}

// labelStart is where those before i begin.
func (s *Scanner) labelStart(i int) int {
	o := i - s.origin
	b, sh := o/64, uint(o)%64
	if m := ^s.masks.Label[b] << (64 - sh); m != 0 {
		return i - bits.LeadingZeros64(m)
	}
	for b--; b >= 0; b-- {
		if m := ^s.masks.Label[b]; m != 0 {
			return s.origin + b*64 + 64 - bits.LeadingZeros64(m)
		}
	}
	return s.origin
}
