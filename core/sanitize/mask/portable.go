package mask

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// fillPortable looks up the classes of each byte. A table has them spread over
// the lanes of a word, so that words shifted by the place of their byte add up
// to a lane for each class; then the lanes of the same class are put together.
// What is rare is searched for by itself.
func fillPortable(m *Masks, n int, src []byte, p *pairs) {
	for b := range n {
		s := (*[Size + Slack]byte)(src[b*Size:])
		var x [8]uint64
		var strange, pair uint64
		for g := range x {
			v := (*[11]byte)(s[g*8:])
			x[g] = lanes[v[0]] | lanes[v[1]]<<1 | lanes[v[2]]<<2 | lanes[v[3]]<<3 |
				lanes[v[4]]<<4 | lanes[v[5]]<<5 | lanes[v[6]]<<6 | lanes[v[7]]<<7
			w := binary.LittleEndian.Uint64(v[:8])
			// Bytes below a blank borrow from the top bit, and from those behind.
			strange |= (w | (w - 0x2020202020202020)) & 0x8080808080808080 >> 7 << g
			k := grams(w, w>>16|uint64(v[8])<<48)
			pair |= (p.has(uint16(k)) | p.has(uint16(k>>16))<<2 | p.has(uint16(k>>32))<<4 | p.has(uint16(k>>48))<<6) << (8 * g)
		}
		transposeBytes(&x)
		m.Digit[b], m.HexAF[b], m.Letter[b], m.Dot[b] = x[7], x[6], x[5], x[4]
		m.Colon[b], m.Under[b], m.Dash[b], m.Slash[b] = x[3], x[2], x[1], x[0]
		m.At[b], m.Newline[b] = 0, 0
		// The last byte has its pair in the next block.
		m.Trig[b] = pair&^odd | pair&^odd>>1 | 1<<(Size-1)
		m.Word[b] = pair&odd>>1 | pair&odd>>2 | 1<<(Size-1)
		high := uint64(0)
		for ; strange != 0; strange &= strange - 1 {
			t := bits.TrailingZeros64(strange)
			i := t%8*8 + t/8
			if c := s[i]; c >= 0x80 || c == 0x1b || c == 0 {
				high |= 1 << i
			}
		}
		m.High[b] = high
	}
	src = src[:n*Size]
	eachByte(src, '\n', func(i int) { m.Newline[i/Size] |= 1 << (i % Size) })
	eachByte(src, '@', func(i int) { m.At[i/Size] |= 1 << (i % Size) })
}

// odd are the places where no pair begins: they have the bits of words.
const odd = 0xaaaaaaaaaaaaaaaa

// eachByte calls f for every place of c.
func eachByte(src []byte, c byte, f func(i int)) {
	for from := 0; ; {
		i := bytes.IndexByte(src[from:], c)
		if i < 0 {
			return
		}
		f(from + i)
		from += i + 1
	}
}

// lanes has the classes of a byte that are not rare spread over eight lanes of
// eight bits.
var lanes = func() (t [256]uint64) {
	for c := range t {
		set := func(lane int, in bool) {
			if in {
				t[c] |= 1 << (8 * lane)
			}
		}
		set(7, class1[c]&digitBit != 0)
		set(6, class1[c]&hexBit != 0)
		set(5, class1[c]&(letter1Bit|letter2Bit) != 0)
		set(4, c == '.')
		set(3, c == ':')
		set(2, c == '_')
		set(1, c == '-')
		set(0, c == '/')
	}
	return t
}()

// transposeBytes turns a matrix of 8x8 bytes: byte c of word r becomes byte r
// of word c.
func transposeBytes(x *[8]uint64) {
	a, b, c, d, e, f, g, h := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	a, e = swap(a, e, 32, 0x00000000ffffffff)
	b, f = swap(b, f, 32, 0x00000000ffffffff)
	c, g = swap(c, g, 32, 0x00000000ffffffff)
	d, h = swap(d, h, 32, 0x00000000ffffffff)
	a, c = swap(a, c, 16, 0x0000ffff0000ffff)
	b, d = swap(b, d, 16, 0x0000ffff0000ffff)
	e, g = swap(e, g, 16, 0x0000ffff0000ffff)
	f, h = swap(f, h, 16, 0x0000ffff0000ffff)
	a, b = swap(a, b, 8, 0x00ff00ff00ff00ff)
	c, d = swap(c, d, 8, 0x00ff00ff00ff00ff)
	e, f = swap(e, f, 8, 0x00ff00ff00ff00ff)
	g, h = swap(g, h, 8, 0x00ff00ff00ff00ff)
	*x = [8]uint64{a, b, c, d, e, f, g, h}
}

// swap exchanges the high lanes of a with the low lanes of b.
func swap(a, b uint64, n uint, low uint64) (uint64, uint64) {
	t := (a>>n ^ b) & low
	return a ^ t<<n, b ^ t
}
