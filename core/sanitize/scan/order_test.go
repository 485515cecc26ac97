package scan

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Putting in order by places is a stable sort.
func TestSortIdents(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := New()
	for range 500 {
		from := 100 + r.IntN(1000)
		size := []int{50, 1000, orderSize, orderSize + 5000}[r.IntN(4)]
		s.Idents = s.Idents[:0]
		for range r.IntN(60) {
			at := from - 3 + r.IntN(size)
			if r.IntN(9) != 0 {
				at = max(at, from)
			}
			s.Idents = append(s.Idents, Ident{Start: at, End: at + 1 + r.IntN(3), Addr: r.Uint32()})
		}
		first := min(len(s.Idents), 3)
		want := slices.Clone(s.Idents)
		slices.SortStableFunc(want[first:], compareIdents)
		want = append(want[:first:first], slices.CompactFunc(want[first:], func(a, b Ident) bool { return compareIdents(a, b) == 0 })...)
		s.sortIdents(first, from)
		if !slices.Equal(s.Idents, want) {
			t.Fatalf("got %v\nwant %v", s.Idents, want)
		}
	}
}

// An address of IPv6 does not get lost beside a hardware address, wherever the
// two stand in a block.
func TestAddressesBesideEachOther(t *testing.T) {
	for shift := range 80 {
		text := []byte(strings.Repeat(" ", shift) + "fe80::1 dev eth0 lladdr 52:54:00:ab:cd:ef router 50:01:43:80:12:34:56:78 ::2")
		s := New()
		s.Identify = true
		s.Scan(text, 0, len(text))
		var got []What
		for _, id := range s.Idents {
			got = append(got, id.What)
		}
		if !slices.Equal(got, []What{IPv6, MAC, MAC, IPv6}) {
			t.Fatalf("shifted by %d: %v in %q", shift, got, text)
		}
	}
}
