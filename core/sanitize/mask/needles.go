package mask

import (
	"cmp"
	"slices"
)

// Needles are texts to look for, by their first three or four bytes.
type Needles struct {
	tables tables
	wide   tables128
	pairs  pairs // what the portable kernel looks up
}

// tables is what the AVX2 kernel loads; each table fills both halves of a
// register.
type tables struct {
	nibble             [32]byte
	lo1, hi1, lo2, hi2 [32]byte
	// place has, for two sets of eight buckets and four places, which buckets a
	// byte may belong to by its low five bits (low for those below sixteen, mid
	// for the others) and by its high nibble. A letter is told exactly so.
	place [2][4]struct{ low, mid, high [32]byte }
}

// Fold is how three bytes are compared: bit 5 does not count.
func Fold(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) | 0x202020
}

// NewNeedles prepares the search for texts of three bytes and more.
func NewNeedles(texts []string) *Needles { return NewDealt(texts, nil) }

// NewDealt is NewNeedles for who knows which beginnings should share one of the
// 16 buckets of the AVX2 kernel. What is not in sets is added where it fits.
func NewDealt(texts []string, sets [][]string) *Needles {
	n := &Needles{}
	for i := range n.tables.nibble {
		n.tables.nibble[i] = 0x0f
	}
	fillClass(&n.tables.lo1, &n.tables.hi1, &class1)
	fillClass(&n.tables.lo2, &n.tables.hi2, &class2)
	n.wide.fillClasses()
	seen := map[head]bool{}
	var heads []head
	for _, t := range texts {
		if len(t) < 3 {
			panic("needle shorter than three bytes: " + t)
		}
		n.pairs.add(head(t[:min(4, len(t))]), ofNeedle)
		if h := head(t[:min(4, len(t))]); !seen[h] {
			seen[h] = true
			heads = append(heads, h)
		}
	}
	for b, set := range deal(heads, sets) {
		for _, h := range set {
			for at := range 4 {
				for _, v := range h.at(at) {
					n.tables.add(at, v, b)
					n.wide.add(at, v, b)
				}
			}
		}
	}
	return n
}

// add lets byte c pass at a place of the needles of a bucket.
func (t *tables) add(at int, c byte, bucket int) {
	p := &t.place[bucket/8][at]
	bit := byte(1) << (bucket % 8)
	for lane := 0; lane < 32; lane += 16 {
		if c&16 == 0 {
			p.low[lane+int(c&15)] |= bit
		} else {
			p.mid[lane+int(c&15)] |= bit
		}
		p.high[lane+int(c>>4)] |= bit
	}
}

// head is the beginning of a needle that is compared: four bytes, or three.
type head string

// at are the bytes that may stand at a place; any where the needle has ended.
func (h head) at(i int) []byte {
	if i < len(h) {
		return variants(h[i])
	}
	return everyByte
}

var everyByte = func() (b []byte) {
	for c := range 256 {
		b = append(b, byte(c))
	}
	return b
}()

// variants are the cases of a letter. A capital in a needle stands for itself.
func variants(c byte) []byte {
	if c >= 'a' && c <= 'z' {
		return []byte{c, c &^ 0x20}
	}
	return []byte{c}
}

// bucket is a set of needles with what passes at each place: by the low five
// bits of a byte and by its high nibble.
type bucket struct {
	heads []head
	low   [4]uint32
	high  [4]uint16
}

func (b bucket) with(h head) bucket {
	for at := range 4 {
		for _, v := range h.at(at) {
			b.low[at] |= 1 << (v & 31)
			b.high[at] |= 1 << (v >> 4)
		}
	}
	b.heads = append(b.heads[:len(b.heads):len(b.heads)], h)
	return b
}

// cost is the share of positions in ordinary text that pass.
func (b bucket) cost() float64 {
	c := 1.0
	for at := range 4 {
		p := 0.0
		for v, f := range frequency {
			if b.low[at]>>(v&31)&1 != 0 && b.high[at]>>(v>>4)&1 != 0 {
				p += f
			}
		}
		c *= p
	}
	return c
}

// deal distributes the needles over the buckets so that few false candidates
// remain: each goes where it does the least harm, the most harmful first.
func deal(heads []head, sets [][]string) [16][]head {
	heads = slices.Clone(heads)
	if len(sets) > 0 {
		var out [16][]head
		for b, set := range sets {
			for _, text := range set {
				if k := slices.Index(heads, head(text)); k >= 0 {
					out[b] = append(out[b], head(text))
					heads = slices.Delete(heads, k, k+1)
				}
			}
		}
		for b, set := range deal(heads, nil) {
			out[b] = append(out[b], set...)
		}
		return out
	}
	slices.SortFunc(heads, func(a, b head) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
	var buckets [16]bucket
	place := func(h head) {
		best, where := 1e9, 0
		for i := range buckets {
			if grown := buckets[i].with(h).cost() - buckets[i].cost()*btof(len(buckets[i].heads) > 0); grown < best {
				best, where = grown, i
			}
		}
		buckets[where] = buckets[where].with(h)
	}
	for _, h := range heads {
		place(h)
	}
	// A second round: with all others placed, some belong elsewhere.
	for range 2 {
		for _, h := range heads {
			for i := range buckets {
				if k := slices.Index(buckets[i].heads, h); k >= 0 {
					rest := slices.Delete(slices.Clone(buckets[i].heads), k, k+1)
					buckets[i] = bucket{}
					for _, r := range rest {
						buckets[i] = buckets[i].with(r)
					}
				}
			}
			place(h)
		}
	}
	var out [16][]head
	for i := range buckets {
		out[i] = buckets[i].heads
	}
	return out
}

func btof(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// frequency is how often a byte occurs in logs, roughly.
var frequency = func() (f [256]float64) {
	for c := range f {
		f[c] = 0.0001
	}
	for i, c := range []byte("etaoinsrlcdupmhfgbvkwyxzjq") {
		f[c] = 0.055 - 0.002*float64(i)
		f[c&^0x20] = f[c] / 8
	}
	for c := byte('0'); c <= '9'; c++ {
		f[c] = 0.022
	}
	f[' '], f['.'], f['/'], f[':'], f['-'], f['='], f['_'], f['"'] = 0.13, 0.02, 0.02, 0.03, 0.02, 0.015, 0.01, 0.015
	f['['], f[']'], f['('], f[')'], f[','], f['\n'] = 0.006, 0.006, 0.004, 0.004, 0.008, 0.01
	return f
}()

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

// AnyByte is every byte: what may stand where a needle of three bytes has
// ended.
func AnyByte() []byte { return everyByte }
