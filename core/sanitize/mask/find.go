package mask

import "math/bits"

// Kind is a kind of candidate.
type Kind int

// Kinds.
const (
	Strange Kind = iota // where a row of bytes begins that are High
	Run                 // the sixteenth character of those that tokens are made of
	Quad                // where the last of four groups of digits begins, of one to three each
	Pair                // the end of the sixth pair of hex digits
	Colons              // one of two colons in a row, or the third of three not far apart
	Line                // a line feed
	At                  // an @
	Host                // behind the last label of a dotted name
	Name                // where one of the Words may begin a word
	kinds
)

// Found has the candidates of each kind, in order: for each block that has some
// the place of its first byte, and their bits.
type Found struct {
	n    [16]int
	at   [kinds]Plane
	bits [kinds]Plane
}

// Of returns the candidates of a kind: places of blocks, and their bits. Some may
// lie behind the end of the text.
func (f *Found) Of(k Kind) (at, bits []uint64) { return f.at[k][:f.n[k]], f.bits[k][:f.n[k]] }

// Find looks for the candidates that begin runs in the first n blocks, and makes
// the plane Token.
func (m *Masks) Find(k Kernel, n int, f *Found) {
	if min(k, best) == AVX512 {
		findAVX512(&m.Digit, f, (n+7)/8)
		return
	}
	strange, runs := f.list(Strange), f.list(Run)
	var high, run1, run2, run4, run8, run16 uint64
	for b := range m.Digit[:min(n, MaxBlocks)] {
		h := m.High[b]
		strange = strange.add(b, h&^shl(h, high, 1))
		// Sixteen in a row, by doubling.
		r1 := m.Digit[b] | m.Letter[b] | m.Under[b] | m.Dash[b]
		r2 := r1 & shl(r1, run1, 1)
		r4 := r2 & shl(r2, run2, 2)
		r8 := r4 & shl(r4, run4, 4)
		r16 := r8 & shl(r8, run8, 8)
		runs = runs.add(b, r16&^shl(r16, run16, 1))
		m.Token[b] = r1 | m.Dot[b] | m.Slash[b]
		high, run1, run2, run4, run8, run16 = h, r1, r2, r4, r8, r16
	}
	f.n[Strange], f.n[Run] = strange.n, runs.n
}

// Identify looks for the candidates of identifiers in the first n blocks, and
// makes the plane Label. Where a last label reaches to the end of the last block,
// it is a candidate that lies behind, or open is true.
func (m *Masks) Identify(k Kernel, n int, f *Found) (open bool) {
	if min(k, best) == AVX512 {
		return identifyAVX512(&m.Digit, f, (n+7)/8) != 0
	}
	m.numbers(n, f)
	return m.names(n, f)
}

// numbers looks for addresses.
func (m *Masks) numbers(n int, f *Found) {
	quads, pairs, colons := f.list(Quad), f.list(Pair), f.list(Colons)
	var digit, dot, e1, t1, hex1, sep1, q1, q21, colon, c21 uint64
	for b := range m.Digit[:min(n, MaxBlocks)] {
		// The first digit behind a dot.
		d := m.Digit[b]
		e := d & shl(m.Dot[b], dot, 1) & shl(d, digit, 2)
		t := e & (shl(e, e1, 2) | shl(e, e1, 3) | shl(e, e1, 4))
		quads = quads.add(b, e&(shl(t, t1, 2)|shl(t, t1, 3)|shl(t, t1, 4)))
		hex := d | m.HexAF[b]
		sep := m.Colon[b] | m.Dash[b]
		q := hex & shl(hex, hex1, 1) & shl(sep, sep1, 2)
		q2 := q & shl(q, q1, 3)
		q4 := q2 & shl(q2, q21, 6)
		pairs = pairs.add(b, q4&shl(q, q1, 12))
		c := m.Colon[b]
		c1 := shl(c, colon, 1)
		c2 := c & (c1 | shl(c, colon, 2) | shl(c, colon, 3) | shl(c, colon, 4) | shl(c, colon, 5))
		c3 := c2 & (shl(c2, c21, 1) | shl(c2, c21, 2) | shl(c2, c21, 3) | shl(c2, c21, 4) | shl(c2, c21, 5))
		colons = colons.add(b, c&c1|c3)
		digit, dot, e1, t1, hex1, sep1, q1, q21, colon, c21 = d, m.Dot[b], e, t, hex, sep, q, q2, c, c2
	}
	f.n[Quad], f.n[Pair], f.n[Colons] = quads.n, pairs.n, colons.n
}

// names looks for the names of machines and for places beside names.
func (m *Masks) names(n int, f *Found) (open bool) {
	lines, ats, hosts, words := f.list(Line), f.list(At), f.list(Host), f.list(Name)
	var dot, alnum1, word1, label uint64
	for b := range m.Digit[:min(n, MaxBlocks)] {
		lines = lines.add(b, m.Newline[b])
		ats = ats.add(b, m.At[b])
		alnum := m.Letter[b] | m.Digit[b]
		m.Label[b] = alnum | m.Dot[b] | m.Dash[b] | m.Under[b]
		// The end of a last label: of letters and digits that begin with a letter
		// behind a dot, and with no dot and label behind. Adding the first letter to
		// the row carries to its end.
		var sum uint64
		sum, label = bits.Add64(alnum, m.Letter[b]&shl(m.Dot[b], dot, 1)&shl(alnum, alnum1, 2), label)
		hosts = hosts.add(b, sum&^(alnum|m.Dash[b]|m.Under[b]|m.At[b]|m.Dot[b]&(alnum>>1)))
		word := alnum | m.Under[b]
		words = words.add(b, m.Word[b]&alnum&^shl(word, word1, 1))
		dot, alnum1, word1 = m.Dot[b], alnum, word
	}
	f.n[Line], f.n[At], f.n[Host], f.n[Name] = lines.n, ats.n, hosts.n, words.n
	return label != 0
}

func shl(cur, prev uint64, n uint) uint64 { return cur<<n | prev>>(64-n) }

// list is the candidates of one kind while they are found.
type list struct {
	at, bits *Plane
	n        int
}

func (f *Found) list(k Kind) list { return list{at: &f.at[k], bits: &f.bits[k]} }

// add appends a block, if it has bits: without a branch.
func (l list) add(b int, m uint64) list {
	l.at[l.n], l.bits[l.n] = uint64(b*Size), m
	l.n += int((m | -m) >> 63)
	return l
}
