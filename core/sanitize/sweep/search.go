package sweep

import (
	"encoding/binary"
	"slices"
)

// Append appends the occurrences in text to dst, by start and without
// overlaps: of two that overlap the one that starts first stays, of two that
// start together the longer. A short secret at the very edge of text counts as
// being at a word boundary. Append allocates only to grow dst.
func (m *Matcher) Append(dst []Match, text []byte) []Match {
	base := len(dst)
	dst = m.appendAll(dst, text)
	found := dst[base:]
	if len(found) < 2 {
		return dst
	}
	slices.SortFunc(found, func(a, b Match) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	kept := 1
	for _, f := range found[1:] {
		last := &found[kept-1]
		if f.Start >= last.End {
			found[kept] = f
			kept++
			continue
		}
		// Two secrets that overlap must both go: join them.
		last.End = max(last.End, f.End)
	}
	return dst[:base+kept]
}

// Contains reports whether text holds any of the secrets.
func (m *Matcher) Contains(text []byte) bool {
	var room [8]Match
	return len(m.Append(room[:0], text)) > 0
}

func (m *Matcher) appendAll(dst []Match, text []byte) []Match {
	if m.long != nil && len(text) >= longForm {
		dst = m.scan5(dst, text)
	}
	if m.short != nil && len(text) >= MinSecret {
		f := m.short
		for i := 0; i+4 <= len(text); i += shortStride {
			h := binary.LittleEndian.Uint32(text[i:]) * gramSpread
			if f.bits[h>>f.shift>>6]&(1<<(h>>f.shift&63)) != 0 {
				dst = m.verify(dst, f, text, i)
			}
		}
	}
	return dst
}

// scan5 looks at every fifth position. Four of them are tested together:
// their loads are independent, and one branch pays for all.
func (m *Matcher) scan5(dst []Match, text []byte) []Match {
	f := m.long
	table, shift := f.bits, f.shift
	i := 0
	for ; i+3*longStride+4 <= len(text); i += 4 * longStride {
		w := text[i : i+3*longStride+4 : i+3*longStride+4]
		h0 := (binary.LittleEndian.Uint32(w) * gramSpread) >> (shift & 31)
		h1 := (binary.LittleEndian.Uint32(w[longStride:]) * gramSpread) >> (shift & 31)
		h2 := (binary.LittleEndian.Uint32(w[2*longStride:]) * gramSpread) >> (shift & 31)
		h3 := (binary.LittleEndian.Uint32(w[3*longStride:]) * gramSpread) >> (shift & 31)
		b0 := table[h0>>6] >> (h0 & 63)
		b1 := table[h1>>6] >> (h1 & 63)
		b2 := table[h2>>6] >> (h2 & 63)
		b3 := table[h3>>6] >> (h3 & 63)
		if (b0|b1|b2|b3)&1 == 0 {
			continue
		}
		if b0&1 != 0 {
			dst = m.verify(dst, f, text, i)
		}
		if b1&1 != 0 {
			dst = m.verify(dst, f, text, i+longStride)
		}
		if b2&1 != 0 {
			dst = m.verify(dst, f, text, i+2*longStride)
		}
		if b3&1 != 0 {
			dst = m.verify(dst, f, text, i+3*longStride)
		}
	}
	for ; i+4 <= len(text); i += longStride {
		h := (binary.LittleEndian.Uint32(text[i:]) * gramSpread) >> shift
		if table[h>>6]>>(h&63)&1 != 0 {
			dst = m.verify(dst, f, text, i)
		}
	}
	return dst
}

// verify compares the forms that own the 4-gram at text[i:].
func (m *Matcher) verify(dst []Match, f *filter, text []byte, i int) []Match {
	v := binary.LittleEndian.Uint32(text[i:])
	for at := f.heads[v*gramSpread>>f.tshift]; at >= 0; at = f.grams[at].next {
		g := &f.grams[at]
		if g.value != v {
			continue
		}
		p := &m.patterns[g.pattern]
		start := i - int(g.offset)
		end := start + len(p.text)
		if start < 0 || end > len(text) || string(text[start:end]) != p.text {
			continue
		}
		if p.word && !(boundary(text, start) && boundary(text, end)) {
			continue
		}
		dst = append(dst, Match{start, end, p.id, p.form})
	}
	return dst
}

// boundary reports whether no word goes on across position i.
func boundary(text []byte, i int) bool {
	return i <= 0 || i >= len(text) || !wordByte(text[i-1]) || !wordByte(text[i])
}

func wordByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
