package userrules

import "encoding/binary"

// filter finds many texts in one pass: a bit map over the hash of three
// neighbouring bytes, letters folded, tells where it pays to compare.
type filter struct {
	bits  [1 << 10]uint64 // 64 K bits, 8 KB
	heads map[uint32][]int32
	texts []text
}

// text is one thing to look for.
type text struct {
	lower string // folded
	exact string // compared as it is if not ""
	gram  int    // offset of the three bytes
	rule  int32
	kind  textKind
}

type textKind uint8

const (
	aValue    textKind = iota // hide this
	anAnchor                  // try the rule's expression
	aSelector                 // try the rule's selector
)

func newFilter(texts []text) *filter {
	f := &filter{heads: map[uint32][]int32{}, texts: texts}
	for i := range f.texts {
		t := &f.texts[i]
		t.gram = rarestGram(t.lower)
		g := foldGram([]byte(t.lower[t.gram : t.gram+3]))
		h := hashGram(g)
		f.bits[h>>6] |= 1 << (h & 63)
		f.heads[g] = append(f.heads[g], int32(i))
	}
	return f
}

// rarestGram returns the offset of the three bytes that text shares least
// often with others.
func rarestGram(s string) int {
	best, at := -1, 0
	for i := 0; i+3 <= len(s); i++ {
		score := 0
		for _, c := range []byte(s[i : i+3]) {
			switch {
			case c >= 'a' && c <= 'z':
				score += 2
				if c == 'q' || c == 'x' || c == 'z' || c == 'j' || c == 'k' || c == 'v' || c == 'w' {
					score += 2
				}
			case c >= '0' && c <= '9' || c == ' ' || c == '=' || c == ':' || c == '-':
				score++
			default:
				score += 3
			}
		}
		if score > best {
			best, at = score, i
		}
	}
	return at
}

// foldGram sets the bit that tells small letters from capitals; other bytes
// change too, but the same way in text and pattern.
func foldGram(b []byte) uint32 {
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16) | 0x202020
}

const gramSpread = 0x9E3779B1 // 2^32 over the golden ratio, made odd

func hashGram(g uint32) uint32 { return g * gramSpread >> 16 }

// each calls hit with every place where a text begins.
func (f *filter) each(block []byte, hit func(start int, t *text)) {
	i := 0
	// One load of eight bytes holds six neighbouring grams.
	for ; i+8 <= len(block); i += 6 {
		w := binary.LittleEndian.Uint64(block[i:]) | 0x2020202020202020
		h0 := uint32(w&0xffffff) * gramSpread >> 16
		h1 := uint32(w>>8&0xffffff) * gramSpread >> 16
		h2 := uint32(w>>16&0xffffff) * gramSpread >> 16
		h3 := uint32(w>>24&0xffffff) * gramSpread >> 16
		h4 := uint32(w>>32&0xffffff) * gramSpread >> 16
		h5 := uint32(w>>40&0xffffff) * gramSpread >> 16
		any := f.bits[h0>>6&1023]>>(h0&63) | f.bits[h1>>6&1023]>>(h1&63) | f.bits[h2>>6&1023]>>(h2&63) |
			f.bits[h3>>6&1023]>>(h3&63) | f.bits[h4>>6&1023]>>(h4&63) | f.bits[h5>>6&1023]>>(h5&63)
		if any&1 == 0 {
			continue
		}
		for k := range 6 {
			f.at(block, i+k, uint32(w>>(8*k)&0xffffff), hit)
		}
	}
	for ; i+3 <= len(block); i++ {
		f.at(block, i, foldGram(block[i:]), hit)
	}
}

// at compares the texts whose gram g stands at i.
func (f *filter) at(block []byte, i int, g uint32, hit func(start int, t *text)) {
	h := hashGram(g)
	if f.bits[h>>6]&(1<<(h&63)) == 0 {
		return
	}
	for _, k := range f.heads[g] {
		t := &f.texts[k]
		start := i - t.gram
		if start < 0 || start+len(t.lower) > len(block) {
			continue
		}
		there := block[start : start+len(t.lower)]
		if t.exact != "" && string(there) == t.exact || t.exact == "" && equalFolded(there, t.lower) {
			hit(start, t)
		}
	}
}

func equalFolded(b []byte, lower string) bool {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
