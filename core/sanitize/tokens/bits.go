package tokens

// bitmap tells which three bytes, by their hash, something in a table begins
// with. Nearly all look-ups end there: it has all bits of the hash, of which
// the tables have the upper ones only, and it stays in the first cache of the
// processor.
type bitmap [1 << 16 / 64]uint64

func (b *bitmap) has(h uint16) bool { return b[h/64]>>(h%64)&1 != 0 }

func (b *bitmap) add(text string) {
	h := hash3(text[0], text[1], text[2])
	b[h/64] |= 1 << (h % 64)
}

var headBits, pivotBits, vendorBits = mapAll()

func mapAll() (heads, pivots, vendorHeads *bitmap) {
	heads, pivots, vendorHeads = new(bitmap), new(bitmap), new(bitmap)
	for i := range formats {
		p := formats[i].prefix
		if len(p) < minPrefix {
			continue
		}
		heads.add(p)
		for at := minPrefix - 1; at < len(p); at++ {
			if !is(p[at], alnum) {
				pivots.add(p[at-2:])
			}
		}
	}
	for i := range vendors {
		vendorHeads.add(vendors[i].name)
	}
	return heads, pivots, vendorHeads
}
