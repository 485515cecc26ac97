package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// MaxLine is how much of a line is scanned at once. Longer lines are cut at
// places that depend on the line alone.
const MaxLine = 64 << 10

// windowSize is how much text gets its masks at once: both stay in the cache.
const windowSize = 16 << 10

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
	need := n*mask.Size + mask.Slack
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
	blocks := s.blocks[:n]
	mask.Fill(s.Kernel, blocks, text, needles, s.Names.starts())
	s.filled, s.origin = blocks, from
	s.all, s.runs = s.all[:0], s.runs[:0]
	first := len(s.Idents)
	s.collect(buf, text, blocks, from, to)
	if len(s.UserKeys) > 0 {
		s.userHits(buf, from, to)
	}
	mid := len(s.Idents)
	s.walk(buf, blocks, from, to)
	s.mergeIdents(first, mid)
}

// mergeIdents brings the identifiers of a window nearly in order: those that
// the masks showed, up to mid, and those that the lines showed.
func (s *Scanner) mergeIdents(first, mid int) {
	late := append(s.late[:0], s.Idents[mid:]...)
	s.late = late
	i, at := mid-1, len(s.Idents)-1
	for k := len(late) - 1; k >= 0; at-- {
		if i >= first && s.Idents[i].Start > late[k].Start {
			s.Idents[at] = s.Idents[i]
			i--
		} else {
			s.Idents[at] = late[k]
			k--
		}
	}
}

// collect verifies the candidates that the masks show. text is what the blocks
// describe, which is buf from from on.
func (s *Scanner) collect(buf, text []byte, blocks []mask.Block, from, to int) {
	var idents identMasks
	if s.Identify && (from == 0 || buf[from-1] == '\n') {
		s.syslogHost(buf, from, to)
	}
	var high uint64
	var run1, run2, run4, run8, inRun uint64
	for b := range blocks {
		blk := &blocks[b]
		base := from + b*mask.Size
		first := len(s.all)
		if t := blk.Trig; t != 0 {
			// Most are no stems: the list grows without a branch.
			n := 0
			for ; t != 0; t &= t - 1 {
				o := b*mask.Size + bits.TrailingZeros64(t)
				w := binary.LittleEndian.Uint32(text[o : o+4])
				h := headOf(w&0xffffff | 0x202020)
				c := heads[h%uint32(len(heads))]
				s.maybe[n%64] = candidate{int32(o), int32(c)}
				n += int(chains[c].fourth >> (w >> 24 & 63) & 1)
			}
			for _, m := range s.maybe[:n] {
				i := from + int(m.at)
				if i+3 > to {
					break
				}
				if buf[i] == '-' && i > from && buf[i-1] == '-' {
					continue // only the first dash of a rule counts
				}
				s.all = verifyChain(s.all, buf, i, to, &chains[m.head])
			}
		}
		if h := blk.High &^ shl(blk.High, high, 1); h != 0 {
			for ; h != 0; h &= h - 1 {
				if i := base + bits.TrailingZeros64(h); i < to {
					s.all = otherHit(s.all, buf, i, to)
				}
			}
			slices.SortStableFunc(s.all[first:], func(a, b hit) int { return a.pos - b.pos })
		}
		high = blk.High
		// Sixteen characters of a token in a row, by doubling.
		r1 := blk.Digit | blk.Letter | blk.Under | blk.Dash
		r2 := r1 & (r1<<1 | run1>>63)
		r4 := r2 & (r2<<2 | run2>>62)
		r8 := r4 & (r4<<4 | run4>>60)
		r16 := r8 & (r8<<8 | run8>>56)
		run1, run2, run4, run8 = r1, r2, r4, r8
		s.tokenish[b] = r1 | blk.Dot | blk.Slash
		for t := r16 &^ (r16<<1 | inRun); t != 0; t &= t - 1 {
			if i := base + bits.TrailingZeros64(t); i < to {
				s.runs = append(s.runs, i)
			}
		}
		inRun = r16 >> 63
		if s.Identify {
			s.identify(&idents, blk, buf, base, from, to)
		}
	}
	if idents.label != 0 {
		s.host(buf, to, from, to)
	}
}

// walk goes through the lines that have candidates, and through all lines while
// a state is open.
func (s *Scanner) walk(buf []byte, blocks []mask.Block, from, to int) {
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
			start = base + lineStart(blocks, next-base)
		}
		end, next := to, to
		if i := base + lineEnd(blocks, start-base); i < to {
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
func (s *Scanner) lineOf(at int) int { return s.origin + lineStart(s.filled, at-s.origin) }

// lineStart is where the line of the byte at begins.
func lineStart(blocks []mask.Block, at int) int {
	b := at / mask.Size
	m := blocks[b].Newline & (1<<(at%mask.Size) - 1)
	for ; m == 0; m = blocks[b].Newline {
		if b--; b < 0 {
			return 0
		}
	}
	return b*mask.Size + 64 - bits.LeadingZeros64(m)
}

// lineEnd is where the line feed of the line at begins is, or the end of the
// blocks.
func lineEnd(blocks []mask.Block, at int) int {
	b := at / mask.Size
	m := blocks[b].Newline >> (at % mask.Size) << (at % mask.Size)
	for ; m == 0; m = blocks[b].Newline {
		if b++; b == len(blocks) {
			return b * mask.Size
		}
	}
	return b*mask.Size + bits.TrailingZeros64(m)
}
