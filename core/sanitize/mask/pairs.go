package mask

// pairs tells at every second byte whether a needle may begin there or one byte
// before: it knows the first three bytes of all needles, and the three from
// their second byte on. So half of the places need not be looked at. It knows
// the same of words: a gram has a bit for needles and one for words.
type pairs [2 << 16 / 64]uint64

const (
	ofNeedle = 1
	ofWord   = 2
)

// add lets a text pass. Where it has ended, any byte goes.
func (p *pairs) add(h head, what uint64) {
	for from := range 2 {
		for _, a := range h.at(from) {
			for _, b := range h.at(from + 1) {
				for _, c := range h.at(from + 2) {
					x := uint64(a) | uint64(b)<<8 | uint64(c)<<16
					i := uint16(grams(x, x>>16))
					p[i/32] |= what << (i % 32 * 2)
				}
			}
		}
	}
}

// grams makes indices of three bytes each, for those that begin with the bytes
// 0, 2, 4 and 6 of x: six bits of the first two, four of the third. third has
// the bytes from the second of x on. Letters are told exactly, but for their
// case, among the first two.
func grams(x, third uint64) uint64 {
	x = x&0x1f1f1f1f1f1f1f1f | x>>1&0x2020202020202020
	return x&0x003f003f003f003f | x>>2&0x0fc00fc00fc00fc0 | third&0x000f000f000f000f<<12
}

// has has the bits of a gram.
func (p *pairs) has(i uint16) uint64 { return p[i/32] >> (i % 32 * 2) & 3 }
