package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Tables whose columns are told by their place only, by lines of box drawing, or
// by the tags of HTML.

const (
	alignedRow = ' ' // in the state: Columns has where up to four secrets begin, and where the next column does
	boxRow     = 0xe2
	htmlRow    = '<'
)

// alignedHeader takes the line as the head of a table without delimiters:
//
//	NAME   USER   PASSWORD   PORT
//
// Two blanks at least are between the names, and the line below has dashes or
// its words at the same places.
func (s *Scanner) alignedHeader(ks, ke int) bool {
	buf := s.buf
	if s.State.Mode != Normal || s.cut || s.le-s.ls > 512 || s.le+1 >= s.hi {
		return false
	}
	if ks-s.ls >= 2 && buf[ks-1] != ' ' || ke < s.le && buf[ke] != ' ' || ke+1 < s.le && buf[ke+1] != ' ' && buf[ke+1] < 0x80 {
		return false
	}
	for ks-s.ls >= 2 && buf[ks-2] != ' ' && buf[ks-2] < 0x80 && buf[ks-1] == ' ' {
		for ks--; ks > s.ls && buf[ks-1] != ' '; ks-- { // API Token
		}
	}
	if i := boxes(buf[s.ls:ks]); i > 0 {
		if boxes(buf[ke:s.le]) == 0 {
			return false
		}
		s.enter(InTable, keyname.Password, 0, boxes(buf[s.ls:s.le]), boxRow)
		s.State.Columns = 1 << min(i, maxColumns-1)
		return true
	}
	if at, above := ks-s.ls, s.lineAbove(); at > 1 && at < len(above) && above[at] != ' ' && above[at-1] == ' ' && above[at-2] == ' ' && !ruled(above) {
		return false // a row of a table
	}
	if s.pamLine() {
		return false
	}
	to := s.le + 1
	for to < s.hi && buf[to] != '\n' && buf[to] != '\r' {
		to++
	}
	below := buf[s.le+1 : to]
	n, fit, open := 0, 0, false
	var secrets alignedColumns
	for p := nonSpace(buf, s.ls, s.le); p < s.le; {
		e := p
		for e < s.le && (buf[e] != ' ' || e+1 < s.le && buf[e+1] != ' ') {
			e++
		}
		if name := bytes.TrimSpace(buf[p:e]); !columnName(name) || mixedWord(name) {
			return false
		}
		if p == ks && ks-s.ls < len(below) && bytes.HasPrefix(below[ks-s.ls:], buf[ks:ke]) {
			return false // the same word again
		}
		n++
		if at := p - s.ls; at < len(below) && below[at] != ' ' && (at == 0 || below[at-1] == ' ') {
			fit++
		}
		if open {
			secrets.close(p - s.ls)
		}
		class, _ := s.classify(bytes.TrimSpace(buf[p:e]))
		open = (p == ks || class == keyname.Strong) && secrets.add(p-s.ls)
		p = nonSpace(buf, e, s.le)
	}
	if n < 2 || fit < n-1 || fit < 2 || bytes.IndexByte(buf[s.ls:s.le], '\t') >= 0 {
		return false
	}
	if dashed := (bytes.Count(below, []byte("--")) > 1 || bytes.Count(below, []byte("==")) > 1) && len(bytes.Trim(below, "-= ")) == 0; !dashed && (n < 3 || fit < n) {
		return false
	}
	s.enter(InTable, keyname.Password, 0, 0, alignedRow)
	s.State.Columns = uint64(secrets)
	return true
}

// alignedColumns are up to four pairs of bytes: where a column begins, one more
// than that, and where the next one does, or 0.
type alignedColumns uint64

func (c *alignedColumns) add(at int) bool {
	if at >= 0xff || *c>>48 != 0 {
		return false
	}
	*c = *c<<16 | alignedColumns(at+1)<<8
	return true
}

func (c *alignedColumns) close(at int) {
	if at < 0xff {
		*c |= alignedColumns(at)
	}
}

// lineAbove is the line before this one, or nothing.
func (s *Scanner) lineAbove() []byte {
	if s.ls-1 <= s.lo {
		return nil
	}
	return s.buf[s.lo+bytes.LastIndexByte(s.buf[s.lo:s.ls-1], '\n')+1 : s.ls-1]
}

// boxes counts the vertical lines of box drawing in v.
func boxes(v []byte) int {
	n := 0
	for i := 0; i+2 < len(v); i++ {
		if v[i] == 0xe2 && isBox(v[i+1], v[i+2]) {
			n++
		}
	}
	return n
}

func isBox(a, b byte) bool { return a == 0x94 && (b == 0x82 || b == 0x83) || a == 0x95 && b == 0x91 }

// alignedLine hides the secrets of one row.
func (s *Scanner) alignedLine() {
	if nonSpace(s.buf, s.ls, s.le) >= s.le || s.cut || s.buf[s.ls] == '#' {
		s.leave()
		return
	}
	for c := s.State.Columns; c != 0; c >>= 16 {
		if !s.alignedCell(s.ls+int(c>>8&0xff)-1, s.ls+int(c&0xff)) {
			s.leave()
			return
		}
	}
}

// alignedCell hides what begins at, and ends before the next column does. False
// if no cell begins there.
func (s *Scanner) alignedCell(at, next int) bool {
	buf := s.buf
	if at >= s.le || buf[at] == ' ' {
		return true // nothing there
	}
	if at > s.ls && buf[at-1] != ' ' {
		return false
	}
	e := s.le
	if next > s.ls && next < s.le {
		for e = next; e < s.le && buf[e-1] != ' '; e++ {
		}
	}
	wide := false
	if i := bytes.Index(buf[at:e], []byte("  ")); i > 0 {
		e, wide = at+i, true
	}
	v := bytes.TrimRight(buf[at:e], " ")
	if words := bytes.Count(v, []byte{' '}); len(bytes.Trim(v, "-=")) > 0 && (words == 0 || words == 1 && wide && looksSecret(v)) {
		s.field(arg{vs: at, ve: at + len(v)})
	}
	return true
}

// boxLine does so where lines stand between the columns.
func (s *Scanner) boxLine() {
	line := s.buf[s.ls:s.le]
	if boxes(line) == 0 {
		if bytes.IndexByte(line, 0xe2) < 0 {
			s.leave()
		}
		return
	}
	if boxes(line) != s.State.Left {
		return // cells that are joined
	}
	n, from := 0, 0
	for i := 0; i+2 < len(line); i++ {
		if line[i] != 0xe2 || !isBox(line[i+1], line[i+2]) {
			continue
		}
		if n > 0 && n < maxColumns && s.State.Columns>>n&1 != 0 {
			v := bytes.TrimSpace(line[from:i])
			if len(v) > 0 {
				b := s.ls + from + bytes.Index(line[from:i], v)
				s.field(arg{vs: b, ve: b + len(v)})
			}
		}
		n++
		from = i + 3
	}
}

// htmlCell takes the text of the next cell behind a name that a tag ends, which
// begins at p: <th>Password</th><td>x</td>, <b>Password:</b> x. Where the next
// cell is a head again, a table follows.
func (s *Scanner) htmlCell(ks, p int, w want) bool {
	buf := s.buf
	if w.class != keyname.Strong || p+4 >= s.le || buf[p] != '<' || buf[p+1] != '/' {
		return false
	}
	cell, head := false, false
	for _, t := range [...]string{"th>", "td>", "dt>", "b>", "strong>", "Data>"} {
		if s.le-p-2 >= len(t) && string(buf[p+2:p+2+len(t)]) == t {
			cell, head = true, t == "th>"
		}
	}
	if !cell {
		return false
	}
	if head && s.State.Mode == Normal && bytes.Count(buf[s.ls:s.le], []byte("<th")) > 1 {
		n := bytes.Count(buf[s.ls:ks], []byte("<th")) - bytes.Count(buf[s.ls:ks], []byte("<thead"))
		if n < 1 || n > maxColumns {
			return false
		}
		s.enter(InTable, keyname.Password, 0, 400, htmlRow)
		s.State.Columns = 1 << (n - 1)
		return true
	}
	for p < s.le {
		switch c := buf[p]; {
		case c == '<':
			e := bytes.IndexByte(buf[p:s.le], '>')
			if e < 0 || e > 80 || bytes.HasPrefix(buf[p:s.le], []byte("<th")) || bytes.HasPrefix(buf[p:s.le], []byte("<input")) || bytes.HasPrefix(buf[p:s.le], []byte("<a ")) || bytes.HasPrefix(buf[p:s.le], []byte("</tr")) || bytes.HasPrefix(buf[p:s.le], []byte("</table")) {
				return false
			}
			p += e + 1
		case c == ':' || c == ' ':
			p++
		default:
			e := bytes.IndexByte(buf[p:s.le], '<')
			if e < 0 {
				return false
			}
			v := bytes.TrimSpace(buf[p : p+e])
			if bytes.IndexByte(v, ' ') >= 0 || !looksSecret(v) {
				return false
			}
			w.rule = "table"
			s.judge(p, p+e, w, true)
			s.keyEnd = max(s.keyEnd, p+e)
			return true
		}
	}
	return false
}

// htmlLine hides the secrets in a row of a table of HTML.
func (s *Scanner) htmlLine() {
	line := s.buf[s.ls:s.le]
	if s.State.Left--; s.State.Left <= 0 || bytes.Contains(line, []byte("</table")) || bytes.Contains(line, []byte("<table")) {
		s.leave()
		return
	}
	n := 0
	for p := 0; n < maxColumns; n++ {
		i := bytes.Index(line[p:], []byte("<td"))
		if i < 0 {
			return
		}
		p += i
		b := bytes.IndexByte(line[p:], '>')
		if b < 0 {
			return
		}
		p += b + 1
		e := bytes.Index(line[p:], []byte("</td"))
		if e < 0 {
			return
		}
		if s.State.Columns>>n&1 != 0 && bytes.IndexByte(line[p:p+e], '<') < 0 {
			s.field(arg{vs: s.ls + p, ve: s.ls + p + e})
		}
		p += e
	}
}
