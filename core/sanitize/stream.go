package sanitize

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/latchstring/latchstring/core/sanitize/pseudonym"
	"github.com/latchstring/latchstring/core/sanitize/scan"
	"github.com/latchstring/latchstring/core/sanitize/sweep"
	"github.com/latchstring/latchstring/core/sanitize/tokens"
	"github.com/latchstring/latchstring/core/sanitize/userrules"
)

const (
	// bufferSize bounds what a stream holds of its file.
	bufferSize = 256 << 10
)

// stream sanitizes one file. Text moves through one buffer:
//
//	buf[:sent] was written out, buf[sent:pos] is scanned but may still be looked
//	at or changed by what follows, buf[pos:n] is still to be scanned.
//
// A line is scanned when scan.Reach bytes behind it are there, or the file has
// ended, so that what a rule sees never depends on how the text arrived.
type stream struct {
	s       *Sanitizer
	file    File
	buf     []byte
	sent    int
	pos     int
	swept   int
	n       int
	size    int // of the buffer that is used; tests make it small
	eof     bool
	scanner *scan.Scanner
	matcher *sweep.Matcher
	found   []sweep.Match
	mapper  *pseudonym.Mapper
	known   standIns
	out     []byte
	tally   tally
	hidden  int
	warmth  uint64 // keeps warm from being no work at all
	written int64
	err     error // what went wrong while replacing
	user    *userrules.Scanner
	rules   *userrules.FileRules
	userHit []userrules.Span
}

func newStream(s *Sanitizer) *stream {
	st := &stream{s: s, buf: make([]byte, bufferSize+128), size: bufferSize, scanner: scan.New()}
	st.scanner.Tokens = findTokens
	st.scanner.Names = s.names
	return st
}

// findTokens looks at a run for package scan.
func findTokens(buf []byte, from, to, start, end int, near bool, alnum, digit uint64) (int, int, string, bool) {
	lo, hi := max(from, start-scan.TokenContext), min(to, end+100)
	m, ok := tokens.FindKnown(buf[lo:hi], start-lo, end-lo, near, tokens.Known{Alnum: alnum, Digit: digit})
	return lo + m.Start, lo + m.End, m.Rule, ok
}

func (st *stream) reset(f File) {
	st.file = f
	st.mapper = st.s.mapper
	if f.Again {
		st.mapper = nil
	}
	st.scanner.Identify = st.mapper != nil
	st.sent, st.pos, st.n, st.swept = 0, 0, 0, 0
	st.eof = false
	st.hidden, st.written = 0, 0
	st.tally.reset()
	st.scanner.Reset(f.Name)
	st.matcher, st.err = nil, nil
	st.user, st.rules = nil, nil
	st.scanner.UserKeys = nil
	if st.s.rules != nil {
		st.rules = st.s.rules.For(f.Name)
		st.scanner.UserKeys = st.rules.Keys()
		if st.rules.Scans() {
			st.user = st.rules.Scanner()
		}
	}
	if !st.s.opt.Forget {
		if m := st.s.known.Matcher(); !m.Empty() {
			st.matcher = m
		}
	}
}

func (st *stream) run(ctx context.Context, dst io.Writer, src io.Reader) (in, out int64, err error) {
	for {
		n, err := st.fill(ctx, src)
		in += int64(n)
		if err != nil {
			return in, st.written, err
		}
		st.scan()
		if err := st.flush(dst); err != nil {
			return in, st.written, err
		}
		if st.eof && st.pos == st.n {
			return in, st.written, nil
		}
		st.shift()
	}
}

// fill reads until the buffer is full or the file ends.
func (st *stream) fill(ctx context.Context, src io.Reader) (int, error) {
	total := 0
	for empty := 0; !st.eof && st.n < st.size; {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := src.Read(st.buf[st.n:st.size])
		if n < 0 || n > st.size-st.n {
			return total, errors.New("reader returned an impossible count")
		}
		st.n += n
		total += n
		if err == io.EOF {
			st.eof = true
			return total, nil
		}
		if err != nil {
			return total, err
		}
		if n > 0 {
			empty = 0
		} else if empty++; empty > 100 {
			return total, io.ErrNoProgress
		}
	}
	return total, nil
}

// scan scans all lines that can be scanned by now.
func (st *stream) scan() {
	buf := st.buf[:st.n]
	for st.pos < st.n {
		limit := st.n
		if !st.eof {
			limit = st.n - scan.Reach - 1
		}
		if limit <= st.pos {
			return
		}
		end := limit
		if !st.eof {
			switch i := bytes.LastIndexByte(buf[st.pos:limit], '\n'); {
			case i >= 0:
				end = st.pos + i + 1
			case limit-st.pos > scan.MaxLine:
				end = scan.Cut(buf, st.pos)
			default:
				return
			}
		}
		st.scanner.Scan(buf, st.pos, end)
		if st.user != nil {
			st.userHit = st.user.Append(st.userHit[:0], buf[st.pos:end])
			for _, u := range st.userHit {
				if scan.IsToken(buf[st.pos+u.Start : st.pos+u.End]) {
					continue // hidden before
				}
				st.scanner.Spans = append(st.scanner.Spans, scan.Span{Start: st.pos + u.Start, End: st.pos + u.End, Kind: "custom", Rule: scan.Rule(st.rules.Name(u.Rule)), Quote: u.Quote})
			}
		}
		st.pos = end
	}
}

// flush writes what can no longer change.
func (st *stream) flush(dst io.Writer) error {
	st.sweep()
	limit := st.pos - scan.Reach
	if st.eof && st.pos == st.n {
		limit = st.n
	}
	if limit <= st.sent {
		return nil
	}
	spans := st.scanner.Spans
	slices.SortFunc(spans, func(a, b scan.Span) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	st.sortIdents()
	st.warm()
	st.out = st.out[:0]
	at := st.sent
	i, d := 0, 0
	for i < len(spans) {
		sp, j := merge(spans, i)
		if sp.End > limit {
			limit = min(limit, sp.Start)
			break
		}
		if sp.End > at {
			sp.Start = max(sp.Start, at)
			_, d = st.plain(at, sp.Start, sp.End, d)
			st.replace(sp)
			at = sp.End
		}
		i = j
	}
	if limit > at {
		at, d = st.plain(at, limit, limit, d)
	}
	st.scanner.Idents = append(st.scanner.Idents[:0], st.scanner.Idents[d:]...)
	st.sent = at
	st.scanner.Spans = append(spans[:0], spans[i:]...)
	if st.err != nil {
		return st.err
	}
	n, err := dst.Write(st.out)
	st.written += int64(n)
	if err == nil && n < len(st.out) {
		err = io.ErrShortWrite
	}
	return err
}

// sortIdents sorts by the place, and longer ones first. The list is nearly
// sorted: one pass of insertions does it, if not too much has to move.
func (st *stream) sortIdents() {
	ids := st.scanner.Idents
	moves := 64 * len(ids)
	for i := 1; i < len(ids); i++ {
		id := ids[i]
		j := i
		for ; j > 0 && (ids[j-1].Start > id.Start || ids[j-1].Start == id.Start && ids[j-1].End < id.End); j-- {
			ids[j] = ids[j-1]
		}
		ids[j] = id
		if moves -= i - j; moves < 0 {
			break
		}
	}
	if moves < 0 {
		slices.SortStableFunc(ids, func(a, b scan.Ident) int {
			if a.Start != b.Start {
				return a.Start - b.Start
			}
			return b.End - a.End
		})
	}
}

// merge joins the spans that overlap spans[i]; the longest names the kind.
func merge(spans []scan.Span, i int) (scan.Span, int) {
	sp := spans[i]
	best := sp.End - sp.Start
	j := i + 1
	for ; j < len(spans) && spans[j].Start < sp.End; j++ {
		if n := spans[j].End - spans[j].Start; n > best {
			best, sp.Kind, sp.Rule = n, spans[j].Kind, spans[j].Rule
		}
		sp.End = max(sp.End, spans[j].End)
		sp.Cont = sp.Cont && spans[j].Cont
	}
	return sp, j
}

// plain appends buf[at:to] with pseudonyms. Identifiers that reach into what
// is hidden up to next are dropped: a secret goes before a pseudonym. It
// returns where it stopped, short of to if an identifier lies across it.
func (st *stream) plain(at, to, next, d int) (int, int) {
	ids := st.scanner.Idents
	for d < len(ids) && ids[d].Start < next {
		id := ids[d]
		if next > to && id.What == scan.Email && id.End > next+1 && st.buf[next] == '@' {
			// Of user:password@host, which passes for an address, the host is left.
			ids[d].Start, ids[d].What = next+1, scan.Host
			break
		}
		if id.Start < at || next > to && id.End > to {
			d++
			continue
		}
		if id.End > to {
			to = id.Start // the next flush has all of it
			break
		}
		if n := id.Start - at; n <= shortText && id.Start+shortText <= len(st.buf) {
			st.out = appendShort(st.out, (*[shortText]byte)(st.buf[at:]), n)
		} else {
			st.out = append(st.out, st.buf[at:id.Start]...)
		}
		st.pseudonym(id)
		at = id.End
		d++
	}
	if to > at {
		st.out = append(st.out, st.buf[at:to]...)
		at = to
	}
	return at, d
}

// replace appends what stands in the place of a span.
func (st *stream) replace(sp scan.Span) {
	secret := st.buf[sp.Start:sp.End]
	if sp.Cont {
		return
	}
	if scan.Hidden(secret) {
		st.out = append(st.out, secret...)
		return
	}
	st.hidden++
	st.tally.rules[string(sp.Rule)]++
	st.tally.kinds[string(sp.Kind)]++
	if st.file.Learn && !st.s.opt.Forget && st.scanner.Worth(st.buf, sp) {
		if err := st.s.learn(secret); err != nil && st.err == nil {
			st.err = err
		}
	}
	for {
		line := secret
		i := bytes.IndexByte(secret, '\n')
		if i >= 0 {
			line = secret[:i]
		}
		if len(line) > 0 {
			if sp.Quote {
				st.out = append(st.out, '"')
			}
			st.out = st.s.mark(st.out, string(sp.Kind), line)
			if sp.Quote {
				st.out = append(st.out, '"')
			}
		}
		if i < 0 {
			return
		}
		st.out = append(st.out, '\n')
		secret = secret[i+1:]
	}
}

// sweep looks for known secrets in what was scanned.
func (st *stream) sweep() {
	if st.matcher == nil {
		st.swept = st.pos
		return
	}
	from := max(st.sent, st.swept-st.matcher.MaxLen())
	st.found = st.matcher.Append(st.found[:0], st.buf[from:st.pos])
	for _, m := range st.found {
		st.scanner.Spans = append(st.scanner.Spans, scan.Span{Start: from + m.Start, End: from + m.End, Kind: "known", Rule: "known-secret"})
	}
	st.swept = st.pos
}

// shift moves what is still needed to the front of the buffer.
func (st *stream) shift() {
	keep := st.sent
	if back := st.pos - scan.Reach; back < keep {
		keep = max(0, back)
	}
	if keep == 0 {
		return
	}
	copy(st.buf, st.buf[keep:st.n])
	st.sent -= keep
	st.pos -= keep
	st.swept -= keep
	st.n -= keep
	for i := range st.scanner.Idents {
		st.scanner.Idents[i].Start -= keep
		st.scanner.Idents[i].End -= keep
	}
	for i := range st.scanner.Spans {
		st.scanner.Spans[i].Start -= keep
		st.scanner.Spans[i].End -= keep
	}
}
