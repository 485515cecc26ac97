package tokens

// bitmap tells which places of a table are taken. Nearly all look-ups end
// there: a bit for each place stays in the first cache of the processor, the
// tables do not.
type bitmap [1 << 14 / 64]uint64

func (b *bitmap) has(i uint16) bool { return b[i/64%uint16(len(b))]>>(i%64)&1 != 0 }

func mapOf(table []uint16) *bitmap {
	b := new(bitmap)
	for i, v := range table {
		if v != 0 {
			b[i/64] |= 1 << (i % 64)
		}
	}
	return b
}

var headBits, pivotBits, vendorBits = mapOf(heads[:]), mapOf(pivots[:]), mapOf(vendorHeads[:])
