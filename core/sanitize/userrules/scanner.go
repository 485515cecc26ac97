package userrules

import (
	"bytes"
)

// FileRules are the rules that apply to one file. They are immutable and safe
// for concurrent use.
type FileRules struct {
	rules  []*rule
	filter *filter // nil if there is nothing to look for
	slow   []int32 // rules to try on every line
	follow bool    // some rule looks at the line behind another
	paths  Paths
	byPath int // the first rule that is a path
	keys   []string
}

func newFileRules(rules []*rule) *FileRules {
	f := &FileRules{rules: rules}
	var texts []text
	for i, r := range rules {
		n := int32(i)
		switch {
		case r.value != "":
			texts = append(texts, text{lower: lowerASCII(r.value), exact: r.value, rule: n, kind: aValue})
		case r.path != "":
			if f.paths.Empty() {
				f.byPath = i
			}
			f.paths.add(r.path) // checked when it was read
		case r.key != "":
			f.keys = append(f.keys, r.key)
		case r.slow():
			f.slow = append(f.slow, n)
			f.follow = f.follow || r.selector != nil
		case r.selector != nil:
			f.follow = true
			for _, a := range r.selAnch {
				texts = append(texts, text{lower: a, rule: n, kind: aSelector})
			}
		default:
			for _, a := range r.anchors {
				texts = append(texts, text{lower: a, rule: n, kind: anAnchor})
			}
		}
	}
	if len(texts) > 0 {
		f.filter = newFilter(texts)
	}
	return f
}

// Keys are names whose values are hidden.
func (f *FileRules) Keys() []string {
	if f == nil {
		return nil
	}
	return f.keys
}

// Paths are the places that are hidden if the file is YAML or JSON. A
// [Scanner] hides them; they are here for a lexer that knows more.
func (f *FileRules) Paths() *Paths {
	if f == nil {
		return &Paths{}
	}
	return &f.paths
}

// Name returns the name of a rule for the report.
func (f *FileRules) Name(rule int) string { return f.rules[rule].name }

// Scans reports whether a [Scanner] can find anything: there are texts or
// expressions, or places in a document.
func (f *FileRules) Scans() bool {
	return f != nil && (f.filter != nil || len(f.slow) > 0 || !f.paths.Empty())
}

// A Span is text[Start:End], to be hidden on behalf of a rule.
type Span struct {
	Start, End int
	Rule       int
	Quote      bool // what stands here instead must be in quotes (a number in JSON)
}

// A Scanner goes through one file. It is not for concurrent use.
type Scanner struct {
	f     *FileRules
	armed []bool // rules whose selector matched the last line
	done  []int  // how far a rule has been tried in this block
	long  bool   // the last block ended within a line
	doc   *document
}

// Scanner starts a file.
func (f *FileRules) Scanner() *Scanner {
	s := &Scanner{f: f, armed: make([]bool, len(f.rules)), done: make([]int, len(f.rules))}
	if !f.paths.Empty() {
		s.doc = newDocument(&f.paths)
	}
	return s
}

// window is how far an expression sees on either side of its anchor, and half
// of a piece of a long line.
const window = 4 << 10

// Append appends the spans to hide in block, in no order and perhaps
// overlapping. A block is any number of whole lines; only a line that is too
// long to be held may be cut, and what is found is then found in its pieces.
func (s *Scanner) Append(dst []Span, block []byte) []Span {
	if len(block) == 0 {
		return dst
	}
	clear(s.done)
	if s.f.follow {
		dst = s.following(dst, block)
	}
	if s.f.filter != nil {
		s.f.filter.each(block, func(start int, t *text) {
			switch t.kind {
			case aValue:
				dst = append(dst, Span{start, start + len(t.lower), int(t.rule), false})
			case anAnchor:
				dst = s.around(dst, block, start, start+len(t.lower), int(t.rule))
			case aSelector:
				dst = s.selected(dst, block, start, int(t.rule))
			}
		})
	}
	if s.doc != nil {
		e := emitter{dst: dst, base: len(dst), rule: s.f.byPath}
		s.doc.scan(&e, block)
		dst = e.dst
	}
	for _, r := range s.f.slow {
		dst = s.everyLine(dst, block, int(r))
	}
	s.long = block[len(block)-1] != '\n'
	return dst
}

// around tries a rule's expression on the line that holds an anchor.
func (s *Scanner) around(dst []Span, block []byte, start, end, r int) []Span {
	if start < s.done[r] {
		return dst
	}
	from, to := lineAround(block, start, end)
	s.done[r] = to
	if long := to-from > 2*window; long {
		from, to = max(from, start-window), min(to, end+window)
		s.done[r] = to - window // the next anchor gets its own view
	}
	return s.try(dst, block, from, to, r)
}

func lineAround(block []byte, start, end int) (from, to int) {
	from = bytes.LastIndexByte(block[:start], '\n') + 1
	to = len(block)
	if i := bytes.IndexByte(block[end:], '\n'); i >= 0 {
		to = end + i
	}
	return from, to
}

// try appends the groups of all matches in block[from:to].
func (s *Scanner) try(dst []Span, block []byte, from, to, r int) []Span {
	rule := s.f.rules[r]
	line := block[from:to]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	for _, m := range rule.redactor.FindAllSubmatchIndex(line, -1) {
		for _, g := range rule.groups {
			if m[2*g] >= 0 && m[2*g] < m[2*g+1] {
				dst = append(dst, Span{from + m[2*g], from + m[2*g+1], r, false})
			}
		}
	}
	return dst
}

// selected checks a selector where its anchor is, and if it matches hides in
// the next line.
func (s *Scanner) selected(dst []Span, block []byte, start, r int) []Span {
	if start < s.done[r] {
		return dst
	}
	from, to := lineAround(block, start, start)
	s.done[r] = to
	line := block[from:to]
	if len(line) > 2*window {
		line = block[max(from, start-window):min(to, start+window)]
	}
	if !s.f.rules[r].selector.Match(line) {
		return dst
	}
	return s.next(dst, block, to, r)
}

// next tries the expression on the line behind the one that ends at to, now or
// in the next block.
func (s *Scanner) next(dst []Span, block []byte, to, r int) []Span {
	if to+1 >= len(block) {
		s.armed[r] = true
		return dst
	}
	_, end := lineAround(block, to+1, to+1)
	return s.pieces(dst, block, to+1, end, r)
}

// following tries the rules whose selector matched the last line of the block
// before on the first line that begins in this one.
func (s *Scanner) following(dst []Span, block []byte) []Span {
	start := 0
	if s.long {
		if start = bytes.IndexByte(block, '\n') + 1; start == 0 || start == len(block) {
			return dst
		}
	}
	for r, armed := range s.armed {
		if armed {
			s.armed[r] = false
			_, end := lineAround(block, start, start)
			dst = s.pieces(dst, block, start, end, r)
		}
	}
	return dst
}

// pieces tries a rule on a line, in overlapping parts if it is long.
func (s *Scanner) pieces(dst []Span, block []byte, from, to, r int) []Span {
	for to-from > 4*window {
		dst = s.try(dst, block, from, from+4*window, r)
		from += 3 * window
	}
	return s.try(dst, block, from, to, r)
}

func (s *Scanner) everyLine(dst []Span, block []byte, r int) []Span {
	rule := s.f.rules[r]
	for from := 0; from < len(block); {
		to := len(block)
		if i := bytes.IndexByte(block[from:], '\n'); i >= 0 {
			to = from + i
		}
		switch {
		case rule.selector == nil:
			dst = s.pieces(dst, block, from, to, r)
		case rule.selector.Match(block[from:to]):
			dst = s.next(dst, block, to, r)
		}
		from = to + 1
	}
	return dst
}
