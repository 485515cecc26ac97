package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Tables say once, in their first line, what the columns are: CSV, Markdown,
// the output of database clients, COPY and INSERT of SQL. The state remembers
// which columns hold secrets until a line has another number of fields.

// sqlRow is the delimiter in the state while rows of INSERT follow.
const sqlRow = '('

const maxColumns = 64

// header takes the line as the first one of a table, if the name at buf[ks:ke]
// is the whole name of a column.
func (s *Scanner) header(ks, ke int) bool {
	buf := s.buf
	if c := buf[s.ls]; (c == '|' || c == '!') && s.wikiHeader(ks, ke) {
		return true
	}
	a, b := ks, ke
	for a > s.ls && (buf[a-1] == '"' || buf[a-1] == '\'' || buf[a-1] == '`' || buf[a-1] == ' ') {
		a--
	}
	for b < s.le && (buf[b] == '"' || buf[b] == '\'' || buf[b] == '`' || buf[b] == ' ') {
		b++
	}
	var delim byte
	switch {
	case b < s.le && isDelimiter(buf[b]):
		delim = buf[b]
		if a > s.ls && buf[a-1] != delim && buf[a-1] != '(' {
			return false
		}
	case (b == s.le || buf[b] == ')') && a > s.ls && (isDelimiter(buf[a-1]) || buf[a-1] == '('):
		delim = buf[a-1]
	default:
		return s.alignedHeader(ks, ke)
	}
	if s.State.Mode != Normal || s.le-s.ls > 2048 || s.cut {
		return false
	}
	if above := s.lineAbove(); delim == '|' && len(above) > 1 && above[0] == '|' {
		return false // a row of a table
	}
	if delim == ',' || delim == '(' {
		if open := bytes.LastIndexByte(buf[s.ls:ks], '('); open >= 0 {
			return s.statementColumns(s.ls + open)
		}
	}
	return delim != '(' && s.headerLine(delim)
}

func isDelimiter(c byte) bool { return c == ',' || c == ';' || c == '\t' || c == '|' }

// headerLine verifies that the line names columns and the next one fits.
func (s *Scanner) headerLine(delim byte) bool {
	buf := s.buf
	var cols [maxColumns]arg
	n := s.columns(s.ls, s.le, delim, cols[:])
	if n < 2 {
		return false
	}
	blank := false
	var secret uint64
	for i, c := range cols[:n] {
		f := s.text(c)
		if len(f) == 0 {
			if delim == '|' && (i == 0 || i == n-1) {
				continue
			}
			return false
		}
		if !columnName(f) || delim == '|' && n <= 4 && mixedWord(f) {
			return false
		}
		if i > 0 && c.start < c.vs && buf[c.start] == ' ' {
			blank = true
		}
		if class, _ := s.classify(f); class == keyname.Strong {
			secret |= 1 << i
		}
	}
	if secret == 0 || delim == ',' && blank && n < 3 || isSpace(buf[s.ls]) && delim != '|' {
		return false
	}
	from := s.le
	for from < s.hi && (buf[from] == '\r' || buf[from] == '\n') && from-s.le < 2 {
		from++
	}
	to := from
	for to < s.hi && buf[to] != '\n' && buf[to] != '\r' {
		to++
	}
	if to == from {
		return false
	}
	if !ruled(buf[from:to]) {
		var next [maxColumns]arg
		// Of many columns one may have a comma too much.
		if got := s.columns(from, to, delim, next[:]); got != n && !(delim == ',' && n >= 4 && got > n && got <= n+2) || delim == '|' && blank && n < 4 {
			return false
		}
		// Names again: a list of words, not a table.
		if delim == ',' && blank {
			return false
		}
	}
	s.enterTable(delim, n, secret)
	s.namesColumns(cols[:n])
	return true
}

func (s *Scanner) enterTable(delim byte, n int, secret uint64) {
	s.enter(InTable, keyname.Password, 0, n, delim)
	s.State.Columns = secret
}

// setting takes the value of a setting that a row of SQL has beside its name:
// ('smtp_password','x'). True if it was one.
func (s *Scanner) setting(n name, w want) bool {
	buf := s.buf
	v := nonSpace(buf, n.sep+1, s.le)
	if n.quote != 1 || n.ks == s.ls || buf[n.ks-1] != '\'' || v >= s.le || buf[v] != '\'' {
		return false
	}
	if !s.hasWord("VALUES") && !s.hasWord("values") && (v > n.sep+1 || buf[nonSpace(buf, s.ls, s.le)] != '(') {
		return false // the rows of a dump have no blanks
	}
	e := stringEnd(buf, v, s.le)
	if e < 0 || e+1 >= s.le || buf[e+1] != ',' && buf[e+1] != ')' {
		return false
	}
	w.rule = "sql"
	s.judge(v+1, e, w, true)
	return true
}

// fieldName is true for a string at v that names another field, as in a list of
// them: ('password', 'email').
func (s *Scanner) fieldName(v int) bool {
	e := stringEnd(s.buf, v, s.le)
	if e < 0 {
		return false
	}
	n := nonSpace(s.buf, e+1, s.le)
	t := s.buf[v+1 : e]
	if bytes.IndexByte(t, '_') > 0 && lowerName(t) {
		if c, _ := s.classify(t); c >= keyname.Policy {
			return true // "admin_password", "rabbit_password"
		}
	}
	return fieldNames.has(t) || n < s.le && s.buf[n] == ':' // the next name in JSON
}

var fieldNames = listOf("username", "user", "email", "login", "name", "id", "host", "hostname", "port", "password", "password1", "password2", "token", "secret", "key", "database", "first_name", "last_name", "role", "is_active", "created_at", "updated_at", "remember_token")

// columnName is true for what may be the name of a column.
func columnName(f []byte) bool {
	if len(f) == 0 || len(f) > 40 || !isLetter(f[0]) && f[0] != '_' && f[0] != '#' && f[0] < 0x80 {
		return false
	}
	words := 1
	for _, c := range f {
		switch {
		case isAlnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '#' || c >= 0x80:
		case c == ' ':
			words++
		default:
			return false
		}
	}
	return words <= 3
}

// ruled is true for a line such as |---|---| or +----+----+.
func ruled(l []byte) bool {
	dashes := 0
	for _, c := range l {
		switch c {
		case '-', '=':
			dashes++
		case '+', '|', ':', ' ', '\r':
		default:
			return false
		}
	}
	return dashes >= 3
}

// columns cuts buf[from:to] at delim, outside of double quotes.
func (s *Scanner) columns(from, to int, delim byte, cols []arg) int {
	buf := s.buf
	n := 0
	for start := from; ; {
		e := start
		quoted := false
		for e < to && (quoted || buf[e] != delim) {
			if buf[e] == '"' && delim != '|' && delim != '\t' && (quoted || e == start) {
				quoted = !quoted
			} else if buf[e] == '"' && quoted {
				quoted = false
			}
			e++
		}
		if n == len(cols) {
			return 0
		}
		a := arg{start, e, start, e}
		for a.vs < a.ve && buf[a.vs] == ' ' {
			a.vs++
		}
		for a.ve > a.vs && (buf[a.ve-1] == ' ' || buf[a.ve-1] == '\r') {
			a.ve--
		}
		if a.ve-a.vs >= 2 && (buf[a.vs] == '"' || buf[a.vs] == '\'' || buf[a.vs] == '`') && buf[a.ve-1] == buf[a.vs] {
			a.vs++
			a.ve--
		}
		cols[n] = a
		n++
		if e >= to {
			return n
		}
		start = e + 1
	}
}

// row hides the secret columns of one line of the table.
func (s *Scanner) row() {
	st := &s.State
	switch st.Quote {
	case sqlRow:
		s.sqlRows(s.ls)
		return
	case alignedRow:
		s.alignedLine()
		return
	case boxRow:
		s.boxLine()
		return
	case htmlRow:
		s.htmlLine()
		return
	case sqlBound:
		s.boundLine()
		return
	case wikiRow:
		s.wikiLine()
		return
	}
	line := s.buf[s.ls:s.le]
	if ruled(line) {
		return
	}
	var cols [maxColumns]arg
	n := s.columns(s.ls, s.le, st.Quote, cols[:])
	more := n - st.Left
	if more < 0 || more > 2 || s.cut || more > 0 && st.Quote == '|' {
		s.leave()
		return
	}
	if more == 0 {
		s.namesRow(cols[:n])
	}
	shift := 0
	for i := range st.Left {
		if st.Columns>>i&1 == 0 {
			continue
		}
		a := cols[i+shift]
		if shift < more { // what is too much was not quoted, and is the secret's
			shift = more
			a.end, a.ve = cols[i+more].end, cols[i+more].ve
		}
		s.field(a)
	}
}

func (s *Scanner) field(a arg) {
	if v := s.text(a); bytes.IndexByte(v, ' ') > 0 && (containsFold(v, "vault") || containsFold(v, "keepass") || foldEqual(v[:3], "see") || foldEqual(v[:3], "sie")) {
		return // it says where the secret is
	}
	if v := s.text(a); len(v) > 0 && !(len(v) == 2 && v[0] == '\\' && v[1] == 'N') {
		s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "column"}, true)
	}
}

// statementColumns deals with the list of columns that opens at open in
// INSERT INTO t (...) VALUES and COPY t (...) FROM stdin.
func (s *Scanner) statementColumns(open int) bool {
	buf := s.buf
	before := bytes.TrimLeft(buf[s.ls:open], " \t")
	if t := bytes.TrimRight(before, " "); len(t) > 6 && foldEqual(t[len(t)-6:], "values") {
		return false // a row, not the names of columns
	}
	if buf[open+1] == '\'' && containsFold(before, " values") {
		return false // a further row
	}
	insert := containsFold(before, "insert ") || containsFold(before, "replace into")
	if !insert && !(len(before) > 5 && foldEqual(before[:5], "copy ")) {
		return false
	}
	end := bytes.IndexByte(buf[open:s.le], ')')
	if end < 0 {
		return false
	}
	end += open
	var cols [maxColumns]arg
	n := s.columns(open+1, end, ',', cols[:])
	var secret uint64
	for i, c := range cols[:n] {
		if class, _ := s.classify(s.text(c)); class == keyname.Strong {
			secret |= 1 << i
		}
	}
	if secret == 0 {
		return false
	}
	if !insert {
		if containsFold(buf[end:s.le], "from stdin") {
			s.enterTable('\t', n, secret)
			s.namesColumns(cols[:n])
		}
		return true
	}
	s.enterTable(sqlRow, n, secret)
	s.namesColumns(cols[:n])
	s.sqlRows(end + 1)
	s.keyEnd = max(s.keyEnd, end)
	return true
}

// sqlRows hides the secret values of the rows from p on.
func (s *Scanner) sqlRows(p int) {
	buf, st := s.buf, s.State
	p = nonSpace(buf, p, s.le)
	if p+6 <= s.le && foldEqual(buf[p:p+6], "values") {
		p = nonSpace(buf, p+6, s.le)
	}
	for p < s.le && buf[p] == '(' {
		var args [maxColumns]arg
		n, end := s.arguments(p, args[:])
		if n != st.Left {
			s.leave()
			return
		}
		if s.allBound(args[:n]) {
			s.awaitBound(st.Columns)
			return
		}
		for i := range n {
			if st.Columns>>i&1 != 0 {
				s.field(args[i])
			}
		}
		s.namesRow(args[:n])
		for p = end; p < s.le && (buf[p] == ',' || isSpace(buf[p])); {
			p++
		}
	}
	if p < s.le {
		s.leave() // the end of the statement
	}
}
