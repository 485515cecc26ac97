package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// MaxLine is how much of a line is scanned at once. Longer lines are cut at
// places that depend on the line alone.
const MaxLine = 64 << 10

// windowSize is how much text gets its masks at once: both stay in the cache.
const windowSize = 16 << 10

// slack is how many bytes behind the last block are read, and not used.
const slack = 8

// Cut chooses where a line that is longer than [MaxLine] and begins at from is
// cut: behind a separator, if there is one.
func Cut(buf []byte, from int) int {
	end := from + MaxLine
	if i := bytes.LastIndexAny(buf[end-Reach:end], " ,;{}&\t"); i >= 0 {
		return end - Reach + i + 1
	}
	return end
}

// Scan scans the lines in buf[from:to]. Each must be complete, or a piece that
// ends where [Cut] says, or the end of the file; and there must be [Reach]
// bytes of text behind to, or the file ends there.
func (s *Scanner) Scan(buf []byte, from, to int) {
	if s.fresh && from < to {
		s.fresh = false
		s.source = s.source || sourceLine(buf[from:to])
	}
	for from < to {
		end := min(to, from+windowSize)
		if end < to {
			if i := bytes.LastIndexByte(buf[from:end], '\n'); i >= 0 {
				end = from + i + 1
			} else if i := bytes.IndexByte(buf[end:min(to, from+MaxLine+1)], '\n'); i >= 0 {
				end += i + 1
			} else if to-from > MaxLine {
				end = Cut(buf, from)
			} else {
				end = to
			}
		}
		s.window(buf, from, end)
		from = end
	}
}

// window scans buf[from:to], whole lines or one piece.
func (s *Scanner) window(buf []byte, from, to int) {
	n := (to - from + mask.Size - 1) / mask.Size
	need := n*mask.Size + slack
	var text []byte
	if from+need <= cap(buf) {
		text = buf[from : from+need : cap(buf)]
	} else {
		s.spill = append(s.spill[:0], buf[from:]...)
		for len(s.spill) < need {
			s.spill = append(s.spill, 0)
		}
		text = s.spill
	}
	s.origin, s.filled = from, n
	s.masks.Fill(s.Kernel, n, text, needles, s.Names.starts())
	if rest := (to - from) % mask.Size; rest != 0 {
		// What is behind the window is no part of its names.
		s.masks.Letter[n-1] &= 1<<rest - 1
		s.masks.Digit[n-1] &= 1<<rest - 1
	}
	s.all, s.runs = s.all[:0], s.runs[:0]
	if s.asked != s.Names {
		s.asked, s.known = s.Names, known{}
	}
	first := len(s.Idents)
	s.collect(buf, text, from, to)
	if s.Identify {
		s.identify(buf, from, to)
	}
	if len(s.UserKeys) > 0 {
		s.userHits(buf, from, to)
	}
	s.returns = bytes.IndexByte(buf[from:to], '\r') >= 0
	s.walk(buf, from, to)
	s.sortIdents(first, from)
}

// collect verifies the candidates that the masks show for stems, and lists those
// for runs. text is what the masks describe, which is buf from from on.
func (s *Scanner) collect(buf, text []byte, from, to int) {
	for b := 0; b < s.filled; b += batch {
		for _, c := range s.candidates(text, b, min(b+batch, s.filled)) {
			i := from + b*mask.Size + int(c.at)
			if i+3 > to {
				break
			}
			if buf[i] == '-' && i > from && buf[i-1] == '-' && !(i+5 < to && buf[i+5]|0x20 == 'b') {
				continue // only the first dash of a rule counts, and that of -----BEGIN
			}
			s.all = verifyChain(s.all, buf, i, to, chains[c.head])
		}
	}
	s.masks.Find(s.Kernel, s.filled, &s.found)
	at, masks := s.found.Of(mask.Run)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m); i < to {
				s.runs = append(s.runs, i)
			}
		}
	}
	if at, masks = s.found.Of(mask.Strange); len(at) == 0 {
		return
	}
	first := len(s.all)
	for k, m := range masks {
		for ; m != 0; m &= m - 1 {
			if i := from + int(at[k]) + bits.TrailingZeros64(m); i < to {
				s.all = otherHit(s.all, buf, i, to)
			}
		}
	}
	s.mergeHits(first)
}

// batch is how many blocks are searched for candidates at once.
const batch = 64

// candidates lists the places in the blocks from first to last that the masks
// show and that may go on as a stem does, by five bytes. Most do not: the list
// grows without a branch.
func (s *Scanner) candidates(text []byte, first, last int) []candidate {
	n := listBits(&s.places, s.masks.Trig[first:last])
	text = text[first*mask.Size:]
	maybe := &s.maybe
	k := 0
	for _, o := range s.places[:n] {
		w := binary.LittleEndian.Uint64(text[o:])
		c := heads[headOf(uint32(w)&0xffffff|0x202020)%uint32(len(heads))] % maxChains
		maybe[k%len(maybe)] = candidate{o, c}
		on := &chainNext[c]
		k += int(on.fourth >> (w >> 24 & 63) & (on.fifth >> (w >> 32 & 63)) & 1)
	}
	return maybe[:k]
}

// places are bits of some blocks, and room behind them.
type places [batch*mask.Size + 3]uint16

// listBits lists the places of the bits of some blocks.
func listBits(list *places, blocks []uint64) (n int) {
	for b, t := range blocks {
		// Few blocks have more than four. How many there are is hard to foretell,
		// so it decides on no branch.
		at := uint16(b * mask.Size)
		more := n + bits.OnesCount64(t)
		for {
			four := (*[4]uint16)(list[n:])
			four[0] = at + uint16(bits.TrailingZeros64(t))
			t &= t - 1
			four[1] = at + uint16(bits.TrailingZeros64(t))
			t &= t - 1
			four[2] = at + uint16(bits.TrailingZeros64(t))
			t &= t - 1
			four[3] = at + uint16(bits.TrailingZeros64(t))
			if t &= t - 1; t == 0 {
				break
			}
			n += 4
		}
		n = more
	}
	return n
}

// mergeHits brings the hits in order: those before first and those from there on
// are.
func (s *Scanner) mergeHits(first int) {
	late := append(s.late[:0], s.all[first:]...)
	s.late = late
	i, at := first-1, len(s.all)-1
	for k := len(late) - 1; k >= 0; at-- {
		if i >= 0 && s.all[i].pos > late[k].pos {
			s.all[at] = s.all[i]
			i--
		} else {
			s.all[at] = late[k]
			k--
		}
	}
}

// walk goes through the lines that have candidates, and through all lines while
// a state is open.
func (s *Scanner) walk(buf []byte, from, to int) {
	h, r := 0, 0
	base := from
	for from < to {
		start := from
		if s.State.Mode == Normal && s.form == formText {
			next := to
			if h < len(s.all) {
				next = s.all[h].pos
			}
			if r < len(s.runs) {
				next = min(next, s.runs[r])
			}
			if next >= to {
				return
			}
			start = base + s.lineStart(next-base)
		}
		end, next := to, to
		if i := base + s.lineEnd(start-base); i < to {
			end, next = i, i+1
		}
		first := h
		for h < len(s.all) && s.all[h].pos < next {
			h++
		}
		firstRun := r
		for r < len(s.runs) && s.runs[r] < next {
			r++
		}
		s.lineRuns = s.runs[firstRun:r]
		s.hits = s.all[first:h]
		s.masked = true
		s.line(buf, start, end)
		s.masked = false
		from = next
	}
}

// lineOf is where the line of buf[at] begins, but not before the window.
func (s *Scanner) lineOf(at int) int { return s.origin + s.lineStart(at-s.origin) }

// lineStart is where the line of the byte at begins.
func (s *Scanner) lineStart(at int) int {
	b := at / mask.Size
	m := s.masks.Newline[b] & (1<<(at%mask.Size) - 1)
	for ; m == 0; m = s.masks.Newline[b] {
		if b--; b < 0 {
			return 0
		}
	}
	return b*mask.Size + 64 - bits.LeadingZeros64(m)
}

// lineEnd is where the line feed of the line at begins is, or the end of the
// blocks.
func (s *Scanner) lineEnd(at int) int {
	b := at / mask.Size
	m := s.masks.Newline[b] >> (at % mask.Size) << (at % mask.Size)
	for ; m == 0; m = s.masks.Newline[b] {
		if b++; b == s.filled {
			return b * mask.Size
		}
	}
	return b*mask.Size + bits.TrailingZeros64(m)
}
