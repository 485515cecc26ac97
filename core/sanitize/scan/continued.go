package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Values that do not end where they seem to: lines that a backslash continues,
// a change from one value to another, what is taken when a variable is not set.

// continued is true when a backslash at the end of the line says that the value
// that ends at p goes on in the next one.
func (s *Scanner) continued(p int) bool {
	if p+1 != s.le || s.buf[p] != '\\' || s.cut {
		return false
	}
	return p > s.ls && s.buf[p-1] != '\\' && !isSpace(s.buf[p-1])
}

// changed hides both sides of "old" -> "new" in the plan of Terraform, behind
// the operator that ends at v. False if there is no arrow.
func (s *Scanner) changed(v int, w want) bool {
	i := bytes.Index(s.buf[v:s.le], []byte(" -> "))
	if i < 1 || w.class != keyname.Strong {
		return false
	}
	if q := v + i + 4; quoteAt(s.buf, q, s.le) == 0 && !bytes.HasPrefix(s.buf[q:s.le], []byte("null")) && !bytes.HasPrefix(s.buf[q:s.le], []byte("(")) {
		return false
	}
	le := s.le
	s.le = v + i
	s.value(v, w)
	s.le = le
	s.value(v+i+4, w)
	s.keyEnd = max(s.keyEnd, v+i+4)
	return true
}

// maxFolded bounds a string of YAML that goes on over lines.
const maxFolded = 20

// closesBelow is true for a string that a deeper indented line closes, as YAML
// has it: its quote q was opened and not closed on this line.
func (s *Scanner) closesBelow(q byte, w want) bool {
	if w.class != keyname.Strong || s.cut || s.source || s.State.open() {
		return false
	}
	for p, n := s.le, 0; p < s.hi && s.buf[p] == '\n' && n < maxFolded; n++ {
		e := bytes.IndexByte(s.buf[p+1:s.hi], '\n')
		if e < 0 {
			e = s.hi - p - 1
		}
		l := s.buf[p+1 : p+1+e]
		body := bytes.TrimLeft(l, " ")
		if len(body) > 0 && len(l)-len(body) <= w.indent {
			return false
		}
		if i := bytes.IndexByte(body, q); i >= 0 {
			rest := bytes.TrimLeft(body[i+1:], " \r")
			return len(rest) == 0 || rest[0] == '#'
		}
		p += 1 + e
	}
	return false
}

// formers are words of a comment before a value that is no longer in force.
var formers = [][]byte{[]byte("was "), []byte("was: "), []byte("old: "), []byte("old "), []byte("previously "), []byte("formerly "), []byte("before: "), []byte("changed from "), []byte("used to be "), []byte("prev: "), []byte("instead of "), []byte("default: "), []byte("formerly: "), []byte("previously: ")}

// formersAt has them by the low five bits of their first letters.
var formersAt = func() (t [32][][]byte) {
	for _, f := range formers {
		t[f[0]&31] = append(t[f[0]&31], f)
	}
	return t
}()

// remembers says whether one of them begins a word of a comment.
func remembers(v []byte) bool {
	for i := range v {
		if i > 0 && isAlnum(v[i-1]) {
			continue
		}
		for _, f := range formersAt[v[i]&31] {
			if bytes.HasPrefix(v[i:], f) {
				return true
			}
		}
	}
	return false
}

// remarkBehind is where the text of the last comment behind v begins, or -1.
func (s *Scanner) remarkBehind(v int) int {
	buf := s.buf
	for i := s.le - 1; i > v+2; i-- {
		if buf[i] != ' ' {
			continue
		}
		mark := i - 1 // where the mark begins: # ; // --
		switch c := buf[mark]; c {
		case '#', ';':
		case '/', '-':
			if mark--; buf[mark] != c {
				continue
			}
		default:
			continue
		}
		if mark-1 > v && buf[mark-1] == ' ' {
			return i + 1
		}
	}
	return -1
}

// formerly hides the value that a comment behind the one at v remembers:
// password: new  # was: old.
func (s *Scanner) formerly(v int, w want) {
	buf := s.buf
	if s.le-v > 400 {
		return // no line that somebody wrote
	}
	p := s.remarkBehind(v)
	if p < 0 || !remembers(buf[p:min(s.le, p+40)]) {
		return
	}
	for _, t := range formers {
		i := bytes.Index(buf[p:min(s.le, p+40)], t)
		if i < 0 || i > 0 && isAlnum(buf[p+i-1]) {
			continue
		}
		b := nonSpace(buf, p+i+len(t), s.le)
		e := b
		for e < s.le && !isSpace(buf[e]) && buf[e] != ',' {
			e++
		}
		q := quoteAt(buf, b, s.le)
		if q > 0 {
			if c, _ := closeQuote(buf, b+q, s.le, buf[b:b+q]); c > 0 {
				b, e = b+q, c
			}
		}
		if e > b && (looksSecret(buf[b:e]) || q > 0) {
			w.rule, w.toEnd = "comment", false
			s.judge(b, e, w, true)
		}
		return
	}
}

// lookups are the ends of the names of functions that look something up and
// have an argument for the case that it is not there.
var lookups = []string{"get", "getenv", "env", "config", "fetch", "getordefault", "getproperty", "lookup", "setting", "getstring", "get_env", "env_or", "envor", "coalesce"}

// fallback hides the default in os.getenv("NAME", "x"), config("NAME",
// default="x") and getenv("NAME") or "x", where the call begins at p.
func (s *Scanner) fallback(p int, w want) bool {
	buf := s.buf
	e := p
	for e < s.le && e-p < 64 && (isAlnum(buf[e]) || buf[e] == '_' || buf[e] == '.' || buf[e] == ':') {
		e++
	}
	if e >= s.le || e == p || buf[e] != '(' && buf[e] != '[' {
		return false
	}
	fn := buf[p:e]
	fn = fn[bytes.LastIndexAny(fn, ".:")+1:]
	known := buf[e] == '['
	for _, n := range lookups {
		known = known || foldIs(fn, n)
	}
	if !known {
		return false
	}
	var args [4]arg
	n, end := s.arguments(e, args[:])
	if n >= 2 && args[0].vs > args[0].start {
		a := args[1]
		for _, t := range []string{"default=", "default:", "fallback=", "or="} {
			if v := buf[a.start:a.end]; len(v) > len(t)+2 && foldEqual(v[:len(t)], t) {
				a = s.argument(nonSpace(buf, a.start+len(t), a.end), a.end)
				break
			}
		}
		if a.vs > a.start && fieldNames.has(s.text(a)) {
			return false // config.get("api", "key")
		}
		if s.literal(a, w.kind) {
			return true
		}
	}
	if end >= s.le || end <= e+1 {
		return false
	}
	q := nonSpace(buf, end, s.le)
	for _, t := range []string{"or ", "|| ", "?? ", "?: "} {
		if s.le-q > len(t)+2 && string(buf[q:q+len(t)]) == t && quoteAt(buf, q+len(t), s.le) > 0 {
			w.code = false
			s.value(q+len(t), w)
			return true
		}
	}
	return false
}

// twins hides what was hidden in this line once more where it stands there
// again: account:x password:x. from is the first span of the line.
func (s *Scanner) twins(from int) {
	n := len(s.Spans)
	if n == from || n-from > 8 || s.le-s.ls > Reach {
		return
	}
	for i := from; i < n; i++ {
		s.mate(s.Spans[i])
	}
	n = len(s.Spans)
	for _, sp := range s.Spans[from:n] {
		if sp.Start < s.ls || sp.End > s.le || sp.Cont || sp.End-sp.Start < 6 {
			continue
		}
		v := s.buf[sp.Start:sp.End]
		if !mixedWord(v) && !looksRandom(v) {
			continue
		}
		for p := s.ls; ; {
			i := bytes.Index(s.buf[p:s.le], v)
			if i < 0 {
				break
			}
			at := p + i
			p = at + len(v)
			if at == sp.Start || at > s.ls && isAlnum(s.buf[at-1]) || p < s.le && isAlnum(s.buf[p]) || s.covered(from, at, p) {
				continue
			}
			s.Spans = append(s.Spans, Span{Start: at, End: p, Kind: sp.Kind, Rule: "twin"})
		}
	}
}

// mate hides the string behind one that is a token, if it looks drawn by chance:
// Client("ACxxx", "secret").
func (s *Scanner) mate(sp Span) {
	buf, q := s.buf, sp.End
	if sp.Start == s.ls || q+4 >= s.le || buf[q] != '"' && buf[q] != '\'' || buf[sp.Start-1] != buf[q] || buf[q+1] != ',' {
		return
	}
	p := nonSpace(buf, q+2, s.le)
	if p >= s.le || buf[p] != buf[q] {
		return
	}
	e := p + 1
	for e < s.le && isAlnum(buf[e]) {
		e++
	}
	if v := buf[p+1 : e]; e < s.le && buf[e] == buf[q] && len(v) >= 20 && looksRandom(v) && !s.covered(0, p+1, e) {
		s.hide(p+1, e, keyname.Token, "mate")
	}
}

// covered is true if one of the spans from the given one on touches start to end.
func (s *Scanner) covered(from, start, end int) bool {
	for _, sp := range s.Spans[from:] {
		if sp.Start < end && start < sp.End {
			return true
		}
	}
	return false
}
