package scan

import (
	"math/bits"
	"slices"
)

// orderSize is how far apart identifiers of a window may begin to be put in
// order by their places.
const orderSize = 2 * windowSize

// order is room to put the identifiers of a window in order: a bit for each
// place where one begins, and the last that began there. They come kind by
// kind, so that sorting would have to move each of them far.
type order struct {
	begins [orderSize / 64]uint64
	last   [orderSize]uint16 // its index, counted from one
	prev   []uint16          // of each: the one before it that begins at the place
	ids    []Ident
}

// sortIdents brings the identifiers from first on in order: by the place where
// they begin, and longer ones first. What is equal stays as it was found.
func (s *Scanner) sortIdents(first, from int) {
	ids := s.Idents[first:]
	o := &s.order
	if len(ids) < 2 {
		return
	}
	if len(ids) >= 1<<16-1 {
		slices.SortStableFunc(ids, compareIdents)
		return
	}
	o.ids, o.prev = append(o.ids[:0], ids...), o.prev[:0]
	lo, hi := orderSize, 0
	for k := range ids {
		at := ids[k].Start - from
		if uint(at) >= orderSize {
			clear(o.begins[:])
			slices.SortStableFunc(ids, compareIdents)
			return
		}
		w, bit := at/64, uint64(1)<<(at%64)
		before := uint16(0)
		if o.begins[w]&bit != 0 {
			before = o.last[at]
		}
		o.prev = append(o.prev, before)
		o.begins[w] |= bit
		o.last[at] = uint16(k + 1)
		lo, hi = min(lo, w), max(hi, w)
	}
	n := 0
	for w := lo; w <= hi; w++ {
		for m := o.begins[w]; m != 0; m &= m - 1 {
			at := n
			for k := o.last[w*64+bits.TrailingZeros64(m)]; k != 0; k = o.prev[k-1] {
				ids[n] = o.ids[k-1]
				n++
			}
			if n-at > 1 {
				slices.Reverse(ids[at:n])
				slices.SortStableFunc(ids[at:n], compareIdents)
			}
		}
		o.begins[w] = 0
	}
}

func compareIdents(a, b Ident) int {
	if a.Start != b.Start {
		return a.Start - b.Start
	}
	return b.End - a.End
}
