package mask

// tables128 is what the AVX-512 kernel loads: tables by the low seven bits of a
// byte, which tell all that is ASCII. What is not passes for what it has these
// bits in common with, but for the classes, which are of ASCII alone.
type tables128 struct {
	class [2][128]byte
	place [2][4][128]byte // for two sets of eight buckets and four places
}

// words128 are the same for the three places of words.
type words128 [3][128]byte

func (t *tables128) add(at int, c byte, bucket int) {
	t.place[bucket/8][at][c&0x7f] |= 1 << (bucket % 8)
}

// fillClasses puts the classes in the order of the planes of Masks, from the top.
func (t *tables128) fillClasses() {
	for c := range t.class[0] {
		set := func(i int, in bool) {
			if in {
				t.class[i/8][c] |= 0x80 >> (i % 8)
			}
		}
		set(0, class1[c]&digitBit != 0)
		set(1, class1[c]&hexBit != 0)
		set(2, class1[c]&(letter1Bit|letter2Bit) != 0)
		set(3, class1[c]&dotBit != 0)
		set(4, class1[c]&colonBit != 0)
		set(5, class1[c]&atBit != 0)
		set(6, class1[c]&newlineBit != 0)
		set(7, class2[c]&underBit != 0)
		set(8, class2[c]&dashBit != 0)
		set(9, class2[c]&slashBit != 0)
		set(10, class2[c]&(escBit|nulBit) != 0)
	}
}
