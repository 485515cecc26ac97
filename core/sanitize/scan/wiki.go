package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Tables of wikis, whose cells stand between double signs.

// wikiRow is the delimiter in the state while rows of a wiki's table follow.
const wikiRow = '!'

// wikiHeader takes the line as the head of a table of Confluence or MoinMoin
// (|| Host || Password ||) or of MediaWiki (! Host !! Password), if the name at
// buf[ks:ke] is the whole name of a column.
func (s *Scanner) wikiHeader(ks, ke int) bool {
	buf := s.buf
	p := nonSpace(buf, s.ls, s.le)
	if p+2 >= s.le || s.State.Mode != Normal || s.cut || s.le-s.ls > 1024 {
		return false
	}
	var between []byte
	switch {
	case buf[p] == '|' && buf[p+1] == '|':
		between = []byte("||")
	case buf[p] == '!' && buf[p+1] == ' ':
		between = []byte("!!")
	default:
		return false
	}
	if above := s.lineAbove(); between[0] == '|' && len(above) > 1 && above[0] == '|' {
		return false // a row
	}
	n := 0
	var secret, accounts, machines uint64
	for cell := range bytes.SplitSeq(bytes.Trim(buf[p:s.le], "|! \r"), between) {
		if f := bytes.Trim(cell, " '*"); n < maxColumns && len(f) > 0 {
			if !columnName(f) {
				return false
			}
			if class, _ := s.classify(f); class == keyname.Strong {
				secret |= 1 << n
			}
			if s.Identify {
				accounts |= uint64(btoi(accountColumns.has(f))) << n
				machines |= uint64(btoi(machineColumns.has(f))) << n
			}
		}
		n++
	}
	if n < 2 || secret == 0 {
		return false
	}
	s.enterTable(wikiRow, n, secret)
	s.State.Accounts, s.State.Machines = accounts, machines
	return true
}

// wikiLine hides the secrets of one row: || a || b ||, | a | b |, | a || b.
func (s *Scanner) wikiLine() {
	buf := s.buf
	p := nonSpace(buf, s.ls, s.le)
	if p+2 >= s.le || buf[p] != '|' || buf[p+1] == '}' || s.cut {
		if p+2 > s.le || buf[p] != '|' || buf[p+1] != '-' {
			s.leave()
		}
		return
	}
	if buf[p+1] == '-' {
		return
	}
	between := []byte("|")
	if bytes.Contains(buf[p+2:s.le], []byte("||")) {
		between = []byte("||")
	}
	p = nonSpace(buf, p+1+btoi(buf[p+1] == '|'), s.le)
	var cols [maxColumns]arg
	n := 0
	for ; p < s.le && n < s.State.Left; n++ {
		e := s.le
		if i := bytes.Index(buf[p:s.le], between); i >= 0 {
			e = p + i
		}
		a, b := nonSpace(buf, p, e), e
		for b > a && (isSpace(buf[b-1]) || buf[b-1] == '\r') {
			b--
		}
		cols[n] = arg{vs: a, ve: b}
		if s.State.Columns>>n&1 != 0 {
			s.field(cols[n])
		}
		p = min(s.le, e+len(between))
	}
	s.namesRow(cols[:n])
}
