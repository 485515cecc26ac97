package pseudonym

import "encoding/binary"

// bits128 is a bit string of up to 128 bits, first bit in the top of hi.
type bits128 struct{ hi, lo uint64 }

// first returns a mask of the first n bits.
func first(n int) bits128 {
	switch {
	case n <= 0:
		return bits128{}
	case n < 64:
		return bits128{^uint64(0) << (64 - n), 0}
	case n < 128:
		return bits128{^uint64(0), ^(^uint64(0) >> (n - 64))}
	}
	return bits128{^uint64(0), ^uint64(0)}
}

func (a bits128) and(b bits128) bits128 { return bits128{a.hi & b.hi, a.lo & b.lo} }
func (a bits128) or(b bits128) bits128  { return bits128{a.hi | b.hi, a.lo | b.lo} }
func (a bits128) not() bits128          { return bits128{^a.hi, ^a.lo} }

// flip inverts bit i if by is 1.
func (a bits128) flip(i int, by uint64) bits128 {
	if i < 64 {
		a.hi ^= by << (63 - i)
	} else {
		a.lo ^= by << (127 - i)
	}
	return a
}

func (a bits128) put(b *[16]byte) {
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
}

func bitsOf(b *[16]byte) bits128 {
	return bits128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
