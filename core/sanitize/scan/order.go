package scan

import (
	"math/bits"
	"slices"
)

const (
	// orderSize is how far apart identifiers of a window may begin to be put in
	// order by their places.
	orderSize = 2 * windowSize
	// orderStep is how many places are taken together.
	orderStep = 8
)

// order is room to put the identifiers of a window in order: a bit for each eight
// places where one begins, and the last that begins there. They come kind by
// kind, so that sorting would have to move each of them far.
type order struct {
	begins [orderSize / orderStep / 64]uint64
	last   [orderSize / orderStep]uint16 // its index, counted from one
	prev   []uint16                      // of each: the one before it that begins there
	ids    []Ident
}

// sortIdents brings the identifiers from first on in order: by the place where
// they begin, and longer ones first. Of those that are at the same place, the
// first is kept.
func (s *Scanner) sortIdents(first, from int) {
	ids := s.Idents[first:]
	o := &s.order
	if len(ids) < 2 {
		return
	}
	if len(ids) >= 1<<16-1 {
		s.Idents = s.Idents[:first+sorted(ids)]
		return
	}
	o.prev = slices.Grow(o.prev[:0], len(ids))[:len(ids)]
	for k := range ids {
		at := ids[k].Start - from
		if uint(at) >= orderSize {
			clear(o.begins[:])
			s.Idents = s.Idents[:first+sorted(ids)]
			return
		}
		at /= orderStep
		w, bit := at/64, uint64(1)<<(at%64)
		before := uint16(0)
		if o.begins[w]&bit != 0 {
			before = o.last[at]
		}
		o.prev[k] = before
		o.begins[w] |= bit
		o.last[at] = uint16(k + 1)
	}
	o.ids = append(o.ids[:0], ids...)
	n := 0
	for w, m := range o.begins {
		if m == 0 {
			continue
		}
		o.begins[w] = 0
		for ; m != 0; m &= m - 1 {
			k := o.last[w*64+bits.TrailingZeros64(m)]
			ids[n] = o.ids[k-1]
			n++
			if k = o.prev[k-1]; k != 0 {
				n = o.chain(ids, n-1, k)
			}
		}
	}
	s.Idents = s.Idents[:first+n]
}

// chain adds the identifiers from k back to ids[at:], which has the last of them
// alone, in order, and returns where they end.
func (o *order) chain(ids []Ident, at int, k uint16) int {
	n := at + 1
	for ; k != 0; k = o.prev[k-1] {
		ids[n] = o.ids[k-1]
		n++
	}
	slices.Reverse(ids[at:n])
	return at + sorted(ids[at:n])
}

// sorted does the same for a few, and returns how many are left.
func sorted(ids []Ident) int {
	slices.SortStableFunc(ids, compareIdents)
	return len(slices.CompactFunc(ids, func(a, b Ident) bool { return a.Start == b.Start && a.End == b.End }))
}

func compareIdents(a, b Ident) int {
	if a.Start != b.Start {
		return a.Start - b.Start
	}
	return b.End - a.End
}
