package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Statements whose values are bound apart: a log has the statement with ? or $1
// in it, and the values in a line that follows. The state remembers in Columns
// which of them are secrets.

// sqlBound is the delimiter in the state while the values of a statement are
// awaited.
const sqlBound = '?'

// maxBound is how many lines the values may come later.
const maxBound = 12

// placeholder takes the value at v, if it is the place of one that is bound:
// password = $2. True if it was.
func (s *Scanner) placeholder(v int) bool {
	buf := s.buf
	v = nonSpace(buf, v, s.le)
	if v < s.le && (buf[v] == '@' || buf[v] == ':') {
		return s.namedBound(v)
	}
	if v >= s.le || buf[v] != '?' && buf[v] != '$' && buf[v] != '@' || s.cut || s.le-s.ls > 2048 {
		return false
	}
	if st := s.State.Mode; st != Normal && st != InTable {
		return false
	}
	line := buf[s.ls:v]
	if !containsFold(line, "select ") && !containsFold(line, "update ") && !containsFold(line, "delete ") && !containsFold(line, "call ") {
		return false
	}
	n := 0
	switch {
	case buf[v] == '?':
		n = bytes.Count(line, []byte{'?'}) + 1
	case v+1 < s.le && isDigit(buf[v+1]):
		for e := v + 1; e < s.le && isDigit(buf[e]) && n < maxColumns; e++ {
			n = n*10 + int(buf[e]-'0')
		}
	}
	if n == 0 || n > maxColumns {
		return false
	}
	if s.boundBefore(line, n) {
		return true
	}
	columns := uint64(1) << (n - 1)
	if s.State.Mode == InTable {
		if s.State.Quote != sqlBound {
			return false
		}
		columns |= s.State.Columns
	}
	s.awaitBound(columns)
	return true
}

// namedBound hides the value of the parameter whose name is at v, where a line
// above or this one has it: [Parameters=[@p0='x' (Size = 40)]] of Entity Framework,
// @p0 = 'x' [Type: String] of NHibernate.
func (s *Scanner) namedBound(v int) bool {
	buf := s.buf
	e := v + 1
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '_') {
		e++
	}
	if e-v < 3 || e-v > 40 {
		return false
	}
	name, found := buf[v:e], false
	for p := s.lo; p < s.hi; {
		i := bytes.Index(buf[p:s.hi], name)
		if i < 0 {
			break
		}
		p += i + len(name)
		q := p
		if q+3 < s.hi && string(buf[q:q+3]) == " = " {
			q += 3
		} else if q < s.hi && buf[q] == '=' {
			q++
		}
		if q == p || q >= s.hi || buf[q] != '\'' {
			continue
		}
		end := bytes.IndexByte(buf[q+1:s.hi], '\'')
		if nl := bytes.IndexByte(buf[q+1:s.hi], '\n'); end < 1 || nl >= 0 && nl < end {
			continue
		}
		if t := buf[q+1 : q+1+end]; isToken(t) {
			found = true
		} else if string(t) != "?" {
			s.hide(q+1, q+1+end, keyname.Password, "bound")
			found = true
		}
		p = q + 1 + end
	}
	return found
}

// boundBefore hides the n-th of the values that stand in front of their statement:
// params: ["bob", "x"] for query: SELECT ...
func (s *Scanner) boundBefore(line []byte, n int) bool {
	for _, t := range [...]string{"params: [", "parameters: [", "args: [", "binds: [", "values: ["} {
		i := indexFold(line, t)
		if i < 0 {
			continue
		}
		var args [16]arg
		if got, _ := s.arguments(s.ls+i+len(t)-1, args[:]); got >= n {
			return s.literal(args[n-1], keyname.Password)
		}
	}
	return false
}

func (s *Scanner) awaitBound(columns uint64) {
	s.enter(InTable, keyname.Password, s.le, maxBound, sqlBound)
	s.State.Columns = columns
}

// allBound is true for the values of INSERT that are bound later: (?, $2, :name).
func (s *Scanner) allBound(args []arg) bool {
	for _, a := range args {
		v := s.text(a)
		if len(v) == 0 || v[0] != '?' && (v[0] != '$' || len(v) < 2 || !isDigit(v[1])) {
			return false
		}
	}
	return len(args) > 0
}

// boundLine hides the values of the statement above, where this line has them.
func (s *Scanner) boundLine() {
	buf, st := s.buf, &s.State
	if st.Left--; st.Left <= 0 {
		s.leave()
		return
	}
	line := buf[s.ls:s.le]
	if i := bytes.Index(line, []byte("inding parameter ")); i >= 0 {
		// binding parameter [2] as [VARCHAR] - [x], (2:VARCHAR) <- [x]
		i += len("inding parameter ") + 1
		n := 0
		for i < len(line) && isDigit(line[i]) && n < maxColumns {
			n = n*10 + int(line[i]-'0')
			i++
		}
		b := bytes.LastIndex(line, []byte(" ["))
		if n > 0 && n <= maxColumns && st.Columns>>(n-1)&1 != 0 && b > i && line[len(line)-1] == ']' {
			s.field(arg{vs: s.ls + b + 2, ve: s.le - 1})
		}
		return
	}
	if i := indexFold(line, "parameters: "); i >= 0 {
		p := s.ls + i + len("parameters: ")
		if p < s.le && buf[p] == '$' {
			s.boundNumbers(p)
		} else {
			s.boundTypes(p)
		}
		s.leave()
		return
	}
	if i := bytes.LastIndex(line, []byte("] (")); i >= 0 || len(line) > 2 && (line[0] == '(' || line[0] == '[') {
		// of SQLAlchemy: [generated in 0.1s] ('maria', 'x')
		var args [maxColumns]arg
		n, _ := s.arguments(s.ls+max(0, i+2), args[:])
		for k := range n {
			if st.Columns>>k&1 != 0 {
				s.field(args[k])
			}
		}
		s.leave()
	}
}

// boundNumbers reads: $1 = 'maria', $2 = 'x' of PostgreSQL.
func (s *Scanner) boundNumbers(p int) {
	buf := s.buf
	for p < s.le && buf[p] == '$' {
		n := 0
		for p++; p < s.le && isDigit(buf[p]) && n < maxColumns; p++ {
			n = n*10 + int(buf[p]-'0')
		}
		if p+4 >= s.le || n == 0 || n > maxColumns || string(buf[p:p+3]) != " = " {
			return
		}
		e := p + 3
		if buf[e] == '\'' {
			if e = stringEnd(buf, e, s.le); e < 0 {
				return
			}
			if s.State.Columns>>(n-1)&1 != 0 {
				s.field(arg{vs: p + 4, ve: e})
			}
		}
		for e < s.le && buf[e] != ',' {
			e++
		}
		p = nonSpace(buf, min(s.le, e+1), s.le)
	}
}

// boundTypes reads: maria(String), x(String), 41(Integer) of MyBatis.
func (s *Scanner) boundTypes(p int) {
	buf := s.buf
	for n := 0; p < s.le && n < maxColumns; n++ {
		e := bytes.IndexByte(buf[p:s.le], ')')
		if e < 0 {
			return
		}
		o := bytes.LastIndexByte(buf[p:p+e], '(')
		if o < 0 {
			return
		}
		if s.State.Columns>>n&1 != 0 {
			s.field(arg{vs: p, ve: p + o})
		}
		p = min(s.le, p+e+1)
		for p < s.le && (buf[p] == ',' || buf[p] == ' ') {
			p++
		}
	}
}

// boundProperty hides what Spring could not make of a property:
//
//	Property: app.password
//	Value: "x"
func (s *Scanner) boundProperty(p int, w want) bool {
	for p < s.hi && p < s.le+16 && (isSpace(s.buf[p]) || s.buf[p] == '\n' || s.buf[p] == '\r') {
		p++
	}
	const value = "Value: \""
	if p+len(value) >= s.hi || string(s.buf[p:p+len(value)]) != value {
		return false
	}
	p += len(value)
	e := bytes.IndexAny(s.buf[p:s.hi], "\"\n")
	if e < 1 || s.buf[p+e] != '"' || s.spare(s.buf[p:p+e], w.class) {
		return false
	}
	s.hide(p, p+e, w.kind, "name-value")
	return true
}
