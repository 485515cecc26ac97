package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// The dumps of xxd, hexdump -C, od -tx1z and tcpdump -X show the same bytes
// twice: in hex and as text. What is hidden in one column must be hidden in the
// other. So the bytes of a few lines are put together, scanned as the text that
// they are, and what is found is hidden in both columns.

// dump has the bytes of some lines and where they are written.
type dump struct {
	text  []byte
	lines []dumpLine
}

type dumpLine struct {
	first int // index of its first byte in text
	n     int
	hex   [32]int32 // where the digits of each byte are, from the line's start
	from  int       // of the line
	chars int       // where its text begins; 0 for none
}

const (
	dumpBack  = 6  // lines before that are looked at
	dumpAhead = 20 // and behind
)

// mayBeDump is a quick look at the beginning of a line: an offset in hex.
func mayBeDump(line []byte) bool {
	i := 0
	for i < len(line) && i < 8 && isSpace(line[i]) {
		i++
	}
	if i+2 < len(line) && line[i] == '0' && line[i+1] == 'x' {
		i += 2
	}
	b := i
	for i < len(line) && isHex(line[i]) && i-b <= 16 {
		i++
	}
	if i-b < 4 || i+8 > len(line) {
		return false
	}
	if line[i] == ':' {
		i++
	}
	// Two groups of digits of a length, or one and the text.
	last := 0
	for range 2 {
		for b = i; i < len(line) && isSpace(line[i]); i++ {
		}
		if i == b {
			return false
		}
		for b = i; i < len(line) && isHex(line[i]); i++ {
		}
		n := i - b
		if n&1 != 0 || n == 0 && last == 0 || n > 8 || n > 0 && last > 0 && n != last && n != 2 {
			return false
		}
		if n == 0 {
			break
		}
		last = n
	}
	return true
}

// hexdump hides what the dump that the line is part of holds.
func (s *Scanner) hexdump() {
	if s.dump == nil {
		s.dump = &dump{lines: make([]dumpLine, 0, dumpBack+dumpAhead)}
	}
	d := s.dump
	d.text, d.lines = d.text[:0], d.lines[:0]
	own := s.le
	if i := bytes.IndexByte(s.buf[own:s.hi], '\n'); i >= 0 {
		own += i
	}
	if !d.add(s.buf, s.ls, own) {
		return // a line of numbers, as most
	}
	d.text, d.lines = d.text[:0], d.lines[:0]
	from := s.ls
	for range dumpBack {
		prev := from - 1
		for prev > s.lo && s.buf[prev-1] != '\n' {
			prev--
		}
		if prev <= s.lo || prev >= from-1 || !mayBeDump(s.buf[prev:from-1]) {
			break
		}
		from = prev
	}
	for len(d.lines) < cap(d.lines) && from < s.hi {
		end := from
		for end < s.hi && s.buf[end] != '\n' {
			end++
		}
		if end == s.hi && end < len(s.buf) {
			break // not whole
		}
		if !d.add(s.buf, from, end) {
			if from < s.ls {
				d.text, d.lines = d.text[:0], d.lines[:0] // something before it
			} else {
				break
			}
		}
		from = end + 1
	}
	if len(d.lines) == 0 {
		return
	}
	s.nested()
	s.inner.Scan(d.text, 0, len(d.text))
	for _, sp := range s.inner.Spans {
		for i := range d.lines {
			d.lines[i].hide(s, sp)
		}
	}
}

// hide hides the bytes of sp that the line has, in both columns.
func (l *dumpLine) hide(s *Scanner, sp Span) {
	a, b := max(sp.Start-l.first, 0), min(sp.End-l.first, l.n)
	if a >= b {
		return
	}
	kind := sp.Kind
	if kind == "" {
		kind = keyname.Secret
	}
	from, to := l.from+int(l.hex[a]), l.from+int(l.hex[b-1])+2
	for isHex(s.buf[from-1]) {
		from-- // the whole group
	}
	for to < len(s.buf) && isHex(s.buf[to]) {
		to++
	}
	s.hide(from, to, kind, "hex-dump")
	if l.chars > 0 {
		s.hide(l.chars+a, l.chars+b, kind, "hex-dump")
	}
}

// add reads one line. The text column proves that it is a dump.
func (d *dump) add(buf []byte, from, end int) bool {
	if end > from && buf[end-1] == '\r' {
		end--
	}
	if end-from > 200 || !mayBeDump(buf[from:end]) {
		return false
	}
	l := dumpLine{first: len(d.text), from: from}
	p := from
	for isSpace(buf[p]) {
		p++
	}
	for p < end && !isSpace(buf[p]) {
		p++ // the offset
	}
	for p < end && l.n < len(l.hex) {
		gap := p
		for p < end && isSpace(buf[p]) {
			p++
		}
		if p-gap > 2 && l.n > 0 {
			break
		}
		word := p
		for word < end && isHex(buf[word]) {
			word++
		}
		if n := word - p; n == 0 || n&1 != 0 || n > 8 || word < end && !isSpace(buf[word]) || l.n+n/2 > len(l.hex) {
			break
		}
		if l.n > 0 && p-gap == 2 && d.shows(buf, p, end, &l) {
			break // the text begins, and begins in letters of hex
		}
		for ; p < word; p += 2 {
			l.hex[l.n] = int32(p - from)
			l.n++
			d.text = append(d.text, hexDigit(buf[p])<<4|hexDigit(buf[p+1]))
		}
	}
	for p < end && isSpace(buf[p]) {
		p++
	}
	if l.n < 2 || !d.shows(buf, p, end, &l) {
		d.text = d.text[:l.first]
		return false
	}
	d.lines = append(d.lines, l)
	return true
}

// shows is true when the text at p is what the bytes of l look like.
func (d *dump) shows(buf []byte, p, end int, l *dumpLine) bool {
	if p < end && (buf[p] == '|' || buf[p] == '>') && p+l.n+1 < end+1 && end-p >= l.n+2 {
		p++
	}
	if end-p < l.n || end-p > l.n+2 {
		return false
	}
	plain := 0
	for i, c := range d.text[l.first : l.first+l.n] {
		if c > ' ' && c < 0x7f {
			if buf[p+i] != c {
				return false
			}
			plain++
		}
	}
	l.chars = p
	return plain > 0
}
