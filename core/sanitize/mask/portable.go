package mask

import "math/bits"

// fillPortable looks up the classes of each byte. A table has them spread over
// the lanes of a word, so that words shifted by the place of their byte add up
// to a lane for each class; then the lanes of the same class are put together.
func fillPortable(dst []Block, src []byte, needles *Needles) {
	for b := range dst {
		s := (*[Size + Slack]byte)(src[b*Size:])
		var x [8]uint64
		for g := range x {
			v := (*[8]byte)(s[g*8:])
			x[g] = lanes1[v[0]] | lanes1[v[1]]<<1 | lanes1[v[2]]<<2 | lanes1[v[3]]<<3 |
				lanes1[v[4]]<<4 | lanes1[v[5]]<<5 | lanes1[v[6]]<<6 | lanes1[v[7]]<<7
		}
		transposeBytes(&x)
		var y [4]uint64
		for g := range y {
			v := (*[16]byte)(s[g*16:])
			y[g] = lanes2[v[0]] | lanes2[v[1]]<<1 | lanes2[v[2]]<<2 | lanes2[v[3]]<<3 |
				lanes2[v[4]]<<4 | lanes2[v[5]]<<5 | lanes2[v[6]]<<6 | lanes2[v[7]]<<7 |
				lanes2[v[8]]<<8 | lanes2[v[9]]<<9 | lanes2[v[10]]<<10 | lanes2[v[11]]<<11 |
				lanes2[v[12]]<<12 | lanes2[v[13]]<<13 | lanes2[v[14]]<<14 | lanes2[v[15]]<<15
		}
		transposeWords(&y)
		// Two bytes of five bits each at a time, without a branch, and the
		// third by its bit; the hash is checked for those that pass.
		trig := uint64(0)
		k := uint32(s[0] & 31)
		for i := 0; i < 64; i += 8 {
			v := (*[10]byte)(s[i:])
			k1 := (k<<5 | uint32(v[1]&31)) & 1023
			k2 := (k1<<5 | uint32(v[2]&31)) & 1023
			k3 := (k2<<5 | uint32(v[3]&31)) & 1023
			k4 := (k3<<5 | uint32(v[4]&31)) & 1023
			k5 := (k4<<5 | uint32(v[5]&31)) & 1023
			k6 := (k5<<5 | uint32(v[6]&31)) & 1023
			k7 := (k6<<5 | uint32(v[7]&31)) & 1023
			k = (k7<<5 | uint32(v[8]&31)) & 1023
			t := &needles.thirds
			trig |= uint64(t[k1]>>(v[2]&31)&1|t[k2]>>(v[3]&31)&1<<1|t[k3]>>(v[4]&31)&1<<2|t[k4]>>(v[5]&31)&1<<3|
				t[k5]>>(v[6]&31)&1<<4|t[k6]>>(v[7]&31)&1<<5|t[k7]>>(v[8]&31)&1<<6|t[k]>>(v[9]&31)&1<<7) << i
		}
		for t := trig; t != 0; t &= t - 1 {
			i := bits.TrailingZeros64(t) & 63
			h := hash(Fold(s[i], s[i+1], s[i+2]))
			if needles.filter[h/64]>>(h%64)&1 == 0 {
				trig &^= 1 << i
			}
		}
		dst[b] = Block{
			Newline: x[0], At: x[1], Colon: x[2], Dot: x[3], Letter2: x[4], Letter1: x[5], HexAF: x[6], Digit: x[7],
			High: y[0], Slash: y[1], Dash: y[2], Under: y[3], Trig: trig, Word: ^uint64(0),
		}
	}
}

// lanes1 has the first class byte spread over eight lanes of eight bits, and
// lanes2 what else Block has over four lanes of sixteen.
var lanes1, lanes2 = lanes()

func lanes() (lanes1, lanes2 [256]uint64) {
	for c := range 256 {
		for bit := range 8 {
			lanes1[c] |= uint64(class1[c]>>bit&1) << (8 * bit)
		}
		if c >= 0x80 || class2[c]&(escBit|nulBit) != 0 {
			lanes2[c] |= 1
		}
		for lane, bit := range []uint8{0, slashBit, dashBit, underBit} {
			if class2[c]&bit != 0 {
				lanes2[c] |= 1 << (16 * lane)
			}
		}
	}
	return lanes1, lanes2
}

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

// transposeWords does the same with 4x4 words of sixteen bits.
func transposeWords(x *[4]uint64) {
	a, b, c, d := x[0], x[1], x[2], x[3]
	a, c = swap(a, c, 32, 0x00000000ffffffff)
	b, d = swap(b, d, 32, 0x00000000ffffffff)
	a, b = swap(a, b, 16, 0x0000ffff0000ffff)
	c, d = swap(c, d, 16, 0x0000ffff0000ffff)
	*x = [4]uint64{a, b, c, d}
}

// swap exchanges the high lanes of a with the low lanes of b.
func swap(a, b uint64, n uint, low uint64) (uint64, uint64) {
	t := (a>>n ^ b) & low
	return a ^ t<<n, b ^ t
}
