package mask

import (
	"encoding/binary"
	"math/bits"
)

// fillPortable looks up the classes of eight bytes, and turns the eight class
// bytes by 90 degrees: one byte for each class.
func fillPortable(dst []Block, src []byte, needles *Needles) {
	for b := range dst {
		s := src[b*Size : b*Size+Size+Slack]
		blk := Block{}
		for g := 0; g < 64; g += 8 {
			v := s[g : g+8]
			x := transpose(uint64(class1[v[0]]) | uint64(class1[v[1]])<<8 | uint64(class1[v[2]])<<16 | uint64(class1[v[3]])<<24 |
				uint64(class1[v[4]])<<32 | uint64(class1[v[5]])<<40 | uint64(class1[v[6]])<<48 | uint64(class1[v[7]])<<56)
			blk.Newline |= x & 0xff << g
			blk.At |= x >> 8 & 0xff << g
			blk.Colon |= x >> 16 & 0xff << g
			blk.Dot |= x >> 24 & 0xff << g
			blk.Letter2 |= x >> 32 & 0xff << g
			blk.Letter1 |= x >> 40 & 0xff << g
			blk.HexAF |= x >> 48 & 0xff << g
			blk.Digit |= x >> 56 << g
			w := binary.LittleEndian.Uint64(v)
			blk.Under |= equal(w, '_') << g
			blk.Dash |= equal(w, '-') << g
			blk.Slash |= equal(w, '/') << g
			blk.High |= (gather(w) | equal(w, 0x1b)) << g
		}
		// Two bytes of five bits each at a time, without a branch; the third
		// is checked for those that pass.
		trig := uint64(0)
		k := uint32(s[0] & 31)
		for i := range 64 {
			k = (k<<5 | uint32(s[i+1]&31)) & 1023
			trig |= uint64(needles.pairs[k]) << i
		}
		for t := trig; t != 0; t &= t - 1 {
			i := bits.TrailingZeros64(t) & 63
			h := hash(Fold(s[i], s[i+1], s[i+2]))
			if needles.filter[h/64]>>(h%64)&1 == 0 {
				trig &^= 1 << i
			}
		}
		blk.Trig = trig
		dst[b] = blk
	}
}

// transpose turns a matrix of 8x8 bits: bit c of byte r becomes bit r of byte
// c (Warren, Hacker's Delight, 7-3).
func transpose(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00AA00AA00AA00AA
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000CCCC0000CCCC
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000F0F0F0F0
	return x ^ t ^ t<<28
}

// equal has bit i set where byte i of w is c.
func equal(w uint64, c byte) uint64 {
	x := w ^ 0x0101010101010101*uint64(c)
	// the top bit of each byte: set where the byte is zero, without carries
	t := (x & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f
	return gather(^(t | x | 0x7f7f7f7f7f7f7f7f))
}

// gather collects the top bits of the eight bytes.
func gather(w uint64) uint64 {
	return (w >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56
}
