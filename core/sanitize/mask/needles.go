package mask

// Needles are texts to look for, by their first three bytes.
type Needles struct {
	tables tables
	filter [1 << filterBits / 64]uint64
}

// tables is what the AVX2 kernel loads; each table fills both halves of a
// register.
type tables struct {
	nibble                 [32]byte
	lo1, hi1, lo2, hi2     [32]byte
	b0lo, b0hi, b1lo, b1hi [32]byte
	b2lo, b2hi             [32]byte
}

const filterBits = 15

// Fold is how three bytes are compared: bit 5 does not count.
func Fold(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) | 0x202020
}

func hash(k uint32) uint32 { return (k * 0x9E3779B1) >> (32 - filterBits) }

// NewNeedles prepares the search for texts of three bytes and more.
func NewNeedles(texts []string) *Needles {
	n := &Needles{}
	for i := range n.tables.nibble {
		n.tables.nibble[i] = 0x0f
	}
	fillClass(&n.tables.lo1, &n.tables.hi1, &class1)
	fillClass(&n.tables.lo2, &n.tables.hi2, &class2)
	// Texts that begin alike share a bucket, so that the buckets stay
	// selective: sort by the first byte, then deal out in stretches.
	var sets [8][]string
	for _, t := range texts {
		if len(t) < 3 {
			panic("needle shorter than three bytes: " + t)
		}
		k := hash(Fold(t[0], t[1], t[2]))
		n.filter[k/64] |= 1 << (k % 64)
		b := bucketOf(t)
		sets[b] = append(sets[b], t)
	}
	for b, set := range sets {
		bit := byte(1) << b
		for _, t := range set {
			add(&n.tables.b0lo, &n.tables.b0hi, t[0], bit)
			add(&n.tables.b1lo, &n.tables.b1hi, t[1], bit)
			add(&n.tables.b2lo, &n.tables.b2hi, t[2], bit)
		}
	}
	return n
}

// bucketOf groups needles by their first letter.
func bucketOf(t string) int {
	switch c := t[0] | 0x20; {
	case c == 'p':
		return 0
	case c == 's':
		return 1
	case c == 'k' || c == 't' || c == 'n':
		return 2
	case c == 'a' || c == 'b' || c == 'd' || c == 'g':
		return 3
	case c == 'c' || c == 'h' || c == 'i':
		return 4
	case c >= 'a' && c <= 'z':
		return 5
	case c < 0x80:
		return 6
	}
	return 7
}

func add(lo, hi *[32]byte, c, bit byte) {
	for _, v := range []byte{c | 0x20, c &^ 0x20} {
		for lane := 0; lane < 32; lane += 16 {
			lo[lane+int(v&15)] |= bit
			hi[lane+int(v>>4)] |= bit
		}
	}
}

// fillClass makes the nibble tables of a class table: a byte has bit b if both
// its nibbles have. All classes of this package are such rectangles.
func fillClass(lo, hi *[32]byte, class *[256]byte) {
	for c := range 256 {
		for lane := 0; lane < 32; lane += 16 {
			lo[lane+(c&15)] |= class[c]
			hi[lane+(c>>4)] |= class[c]
		}
	}
}
