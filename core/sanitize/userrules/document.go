package userrules

import "bytes"

// document follows YAML or JSON as it goes by and finds the scalars at hidden
// places. It does not check the document: what is no YAML leads nowhere, and
// nothing is hidden on its behalf. State is kept between blocks, also within a
// string, so that a document on one line needs no more memory than another;
// what is bounded is depth and the length of keys.
type document struct {
	paths *Paths

	mode   docMode
	hidden bool    // what the mode is in is hidden
	levels []level // block collections that are open, by indentation
	flow   []flowLevel
	place  Place  // of the value that comes next
	quote  byte   // of the string that is open
	escape bool   // behind a backslash in it
	key    []byte // token in flow that may turn out to be a key
	token  bool   // a plain token is open in flow
	parent int    // indentation of the key whose block or plain scalar is open
}

type docMode uint8

const (
	docLine   docMode = iota // at the beginning of a line
	docRest                  // a line too long to look at goes on
	docPlain                 // a plain scalar may go on in deeper lines
	docBlock                 // in a literal or folded scalar
	docQuoted                // in a quoted scalar of block style
	docFlow                  // between brackets
)

const (
	maxDepth = 200
	maxKey   = 256
)

// level is a block collection.
type level struct {
	indent int
	seq    bool
	index  int
	place  Place // of the collection
	child  Place // of the entry that is open
}

// flowLevel is a collection between brackets.
type flowLevel struct {
	seq   bool
	index int
	place Place
	child Place
	value bool // behind the colon
}

func newDocument(p *Paths) *document {
	d := &document{paths: p}
	d.place = p.Root()
	return d
}

// emitter collects spans of one block.
type emitter struct {
	dst  []Span
	base int // where the spans of this document begin
	rule int
}

func (e *emitter) span(from, to int, quote bool) {
	if n := len(e.dst); n > e.base && e.dst[n-1].End == from && e.dst[n-1].Quote == quote {
		e.dst[n-1].End = to
	} else if to > from {
		e.dst = append(e.dst, Span{from, to, e.rule, quote})
	}
}

// scan goes through a block.
func (d *document) scan(e *emitter, b []byte) {
	for i := 0; i < len(b); {
		switch d.mode {
		case docFlow:
			i = d.flowBytes(e, b, i)
		case docQuoted:
			i = d.quotedBytes(e, b, i, d.hidden)
			if d.quote == 0 {
				d.mode = docRest
				d.hidden = false
			}
		case docRest:
			end, next := lineEnd(b, i)
			if d.hidden {
				e.span(i, trimComment(b, i, end), false)
			}
			if i = next; next > end {
				d.mode = docLine
			}
		default:
			i = d.line(e, b, i)
		}
	}
}

// lineEnd returns the end of the line's content and the start of the next
// line; they are equal if the block ends before the line does.
func lineEnd(b []byte, i int) (end, next int) {
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		return i + n, i + n + 1
	}
	return len(b), len(b)
}

// line deals with a line of block style that begins at i.
func (d *document) line(e *emitter, b []byte, i int) int {
	end, next := lineEnd(b, i)
	at := i
	for at < end && (b[at] == ' ' || b[at] == '\t') {
		at++
	}
	indent := at - i
	text := b[at:end]
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	whole := func(hidden bool) int {
		if hidden {
			e.span(at, at+len(text), false)
		}
		if next == end { // the rest of the line comes with the next block
			d.mode, d.hidden = docRest, hidden
		}
		return next
	}
	switch d.mode {
	case docBlock, docPlain:
		if len(text) == 0 || indent > d.parent {
			mode, hidden := d.mode, d.hidden
			at := whole(hidden)
			if next > end {
				d.mode, d.hidden = mode, hidden
			}
			return at
		}
		d.mode, d.hidden = docLine, false
	}
	switch {
	case len(text) == 0 || text[0] == '#' || text[0] == '%' && indent == 0:
		return whole(false)
	case indent == 0 && (bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("..."))):
		d.levels, d.place = d.levels[:0], d.paths.Root()
		if len(text) > 4 && text[3] == ' ' {
			return d.value(e, b, at+4, end, next, -1)
		}
		return whole(false)
	}
	return d.entry(e, b, i, at, end, next)
}

// entry deals with what stands at a column: dashes, a key, a value.
func (d *document) entry(e *emitter, b []byte, start, at, end, next int) int {
	for {
		col := at - start
		if b[at] == '-' && (at+1 == end || b[at+1] == ' ' || b[at+1] == '\t' || b[at+1] == '\r') {
			d.open(col, true)
			top := &d.levels[len(d.levels)-1]
			top.index++
			top.child = d.paths.Index(top.place, top.index-1)
			d.place = top.child
			for at++; at < end && (b[at] == ' ' || b[at] == '\t'); at++ {
			}
			if at == end || b[at] == '#' {
				return d.finish(next, end)
			}
			continue
		}
		key, after, ok := blockKey(b[at:end])
		if !ok {
			return d.value(e, b, at, end, next, d.above(col))
		}
		d.open(col, false)
		top := &d.levels[len(d.levels)-1]
		top.child = d.paths.Key(top.place, key)
		d.place = top.child
		return d.value(e, b, at+after, end, next, col)
	}
}

// above is the indentation that a scalar standing at col must exceed in its
// further lines.
func (d *document) above(col int) int {
	if n := len(d.levels); n > 0 {
		return d.levels[n-1].indent
	}
	return -1
}

// finish leaves a line on which nothing is open any more.
func (d *document) finish(next, end int) int {
	if next == end {
		d.mode, d.hidden = docRest, false
	} else {
		d.mode = docLine
	}
	return next
}

// open makes the collection at a column the innermost.
func (d *document) open(col int, seq bool) {
	for n := len(d.levels); n > 0; n = len(d.levels) {
		top := d.levels[n-1]
		if top.indent < col || top.indent == col && (top.seq == seq || seq) {
			break // a sequence may stand at the column of its key
		}
		d.levels = d.levels[:n-1]
	}
	n := len(d.levels)
	if n > 0 && d.levels[n-1].indent == col && d.levels[n-1].seq == seq {
		return
	}
	place := d.paths.Root()
	if n > 0 {
		place = d.levels[n-1].child
	}
	if n == maxDepth {
		d.levels = d.levels[:n-1]
	}
	d.levels = append(d.levels, level{indent: col, seq: seq, place: place})
}

// blockKey reads "key:" and returns where its value begins.
func blockKey(b []byte) (key []byte, after int, ok bool) {
	i := 0
	if len(b) > 1 && b[0] == '?' && b[1] == ' ' {
		return nil, 0, false
	}
	for len(b) > i && (b[i] == '&' || b[i] == '!') { // properties of the key
		n := bytes.IndexByte(b[i:], ' ')
		if n < 0 {
			return nil, 0, false
		}
		for i += n; i < len(b) && b[i] == ' '; i++ {
		}
	}
	if i >= len(b) {
		return nil, 0, false
	}
	if q := b[i]; q == '"' || q == '\'' {
		for k := i + 1; k < len(b); k++ {
			if b[k] == '\\' && q == '"' {
				k++
				continue
			}
			if b[k] != q {
				continue
			}
			key = b[i+1 : k]
			for k++; k < len(b) && b[k] == ' '; k++ {
			}
			if k < len(b) && b[k] == ':' {
				return key, k + 1, true
			}
			return nil, 0, false
		}
		return nil, 0, false
	}
	if b[i] == '{' || b[i] == '[' {
		return nil, 0, false
	}
	for k := i; k < len(b); k++ {
		switch {
		case b[k] == ':' && (k+1 == len(b) || b[k+1] == ' ' || b[k+1] == '\t' || b[k+1] == '\r'):
			return bytes.TrimRight(b[i:k], " \t"), k + 1, k > i
		case b[k] == '#' && k > 0 && b[k-1] == ' ':
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// value deals with what follows a key or a dash on the same line.
func (d *document) value(e *emitter, b []byte, at, end, next, parent int) int {
	for at < end && (b[at] == ' ' || b[at] == '\t' || b[at] == '\r') {
		at++
	}
	for at < end && (b[at] == '&' || b[at] == '!') { // anchor, tag
		for at < end && b[at] != ' ' {
			at++
		}
		for at < end && b[at] == ' ' {
			at++
		}
	}
	hidden := d.place.Hidden()
	if at == end || b[at] == '#' || b[at] == '\r' {
		return d.finish(next, end)
	}
	switch c := b[at]; c {
	case '|', '>':
		d.mode, d.hidden, d.parent = docBlock, hidden, parent
		if next == end {
			d.mode, d.hidden = docRest, false
		}
		return next
	case '"', '\'':
		d.mode, d.quote, d.escape, d.hidden = docQuoted, c, false, hidden
		return at + 1
	case '{', '[':
		d.mode = docFlow
		d.flow = append(d.flow[:0], flowLevel{seq: c == '[', place: d.place})
		d.flow[0].start(d.paths)
		d.key, d.token, d.quote = d.key[:0], false, 0
		return at + 1
	}
	if hidden {
		e.span(at, trimComment(b, at, end), false)
	}
	d.mode, d.hidden, d.parent = docPlain, hidden, parent
	if next == end {
		d.mode = docRest
	}
	return next
}

// trimComment returns the end of a plain scalar.
func trimComment(b []byte, at, end int) int {
	if i := bytes.Index(b[at:end], []byte(" #")); i >= 0 {
		end = at + i
	}
	for end > at && (b[end-1] == ' ' || b[end-1] == '\t' || b[end-1] == '\r') {
		end--
	}
	return end
}

// quotedBytes goes to the end of the open string or of the block. The quotes
// stay; ” is one quote within single quotes.
func (d *document) quotedBytes(e *emitter, b []byte, i int, hidden bool) int {
	from := i
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case d.escape:
			if d.quote == '\'' && c != '\'' { // the quote before was the end
				if hidden {
					e.span(from, max(from, i-1), false)
				}
				d.quote, d.escape = 0, false
				return i
			}
			d.escape = false
		case c == '\\' && d.quote == '"':
			d.escape = true
		case c == d.quote && c == '\'':
			d.escape = true
		case c == d.quote:
			if hidden {
				e.span(from, i, false)
			}
			d.quote = 0
			return i + 1
		case c == '\n' && hidden: // lines stay lines
			to := i
			if to > from && b[to-1] == '\r' {
				to--
			}
			e.span(from, to, false)
			from = i + 1
		}
	}
	if hidden {
		e.span(from, i, false)
	}
	return i
}

func (l *flowLevel) start(p *Paths) {
	if l.seq {
		l.child = p.Index(l.place, 0)
		l.value = true
	}
}

// flowBytes goes on between brackets until they are closed or the block ends.
func (d *document) flowBytes(e *emitter, b []byte, i int) int {
	for i < len(b) {
		top := &d.flow[len(d.flow)-1]
		hidden := top.value && top.child.Hidden()
		if d.quote != 0 {
			from := i
			i = d.quotedBytes(e, b, i, hidden)
			if !top.value && len(d.key) < maxKey {
				to := i
				if d.quote == 0 && to > from {
					to-- // the quote
				}
				d.key = append(d.key, b[from:to]...)
			}
			continue
		}
		c := b[i]
		switch {
		case c == '"' || c == '\'' && !d.token:
			d.quote, d.escape, d.token = c, false, false
			if !top.value {
				d.key = d.key[:0]
			}
			i++
			continue
		case c == '{' || c == '[':
			d.token = false
			if len(d.flow) == maxDepth {
				d.flow = d.flow[:1]
				top = &d.flow[0]
			}
			place := top.child
			d.flow = append(d.flow, flowLevel{seq: c == '[', place: place})
			d.flow[len(d.flow)-1].start(d.paths)
			d.key = d.key[:0]
		case c == '}' || c == ']':
			d.token = false
			d.flow = d.flow[:len(d.flow)-1]
			if len(d.flow) == 0 {
				d.mode, d.hidden = docRest, false
				if len(d.levels) == 0 { // a JSON value; more may follow
					d.mode, d.place = docLine, d.paths.Root()
				}
				return i + 1
			}
		case c == ',':
			d.token = false
			d.key = d.key[:0]
			if top.seq {
				top.index++
				top.child = d.paths.Index(top.place, top.index)
			} else {
				top.value = false
			}
		case c == ':' && !top.seq && !top.value:
			d.token = false
			top.child = d.paths.Key(top.place, bytes.TrimSpace(d.key))
			top.value = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			d.token = false
			if !top.value && len(d.key) > 0 && len(d.key) < maxKey {
				d.key = append(d.key, c)
			}
		default:
			d.token = true
			from := i
			for i++; i < len(b) && !flowEnd(b[i]); i++ {
			}
			if !top.value {
				if len(d.key) < maxKey {
					d.key = append(d.key, b[from:i]...)
				}
			} else if hidden {
				e.span(from, i, true)
			}
			continue
		}
		i++
	}
	return i
}

func flowEnd(c byte) bool {
	switch c {
	case ',', ':', '{', '}', '[', ']', ' ', '\t', '\n', '\r', '"':
		return true
	}
	return false
}
