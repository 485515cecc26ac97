package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
)

// Rules is what the gate knows beyond the shapes that are built in.
type Rules struct {
	// Secrets are the values that were hidden somewhere and must not be
	// anywhere. Those shorter than 6 bytes are left out: they occur by chance.
	Secrets [][]byte
}

// Gate checks finished members. It never changes and is safe for concurrent
// use.
type Gate struct {
	entries []entry
	heads   []uint32 // hash of a 4-gram to 1 + a place in chains
	chains  []uint32 // entries; each list ends with end
	overlap int
}

// Hit is something that must not be in a finished member.
type Hit struct {
	File string // member
	Rule string
}

const (
	chunkSize  = 256 << 10
	minOverlap = 8 << 10
	gram       = 4
	end        = ^uint32(0)
	tableBits  = 16
)

// entry is something to look at where its first four bytes are seen.
type entry struct {
	rule string
	// literal must be there as it is; word says that it must be a word of its
	// own.
	literal string
	word    bool
	// check decides at position i of the text.
	check func(text []byte, i int) bool
}

// New builds a gate.
func New(r Rules) *Gate {
	b := builder{lists: map[uint32][]uint32{}}
	for _, s := range r.Secrets {
		b.secret(string(s))
	}
	b.shapes()
	b.keys()
	b.pems()
	return b.gate()
}

// String keeps the secrets out of logs.
func (g *Gate) String() string { return fmt.Sprintf("[gate of %d patterns]", len(g.entries)) }

// GoString keeps the secrets out of %#v.
func (g *Gate) GoString() string { return g.String() }

// Check reads r to its end and returns one hit for each rule that was broken,
// by name. It stops early when ctx is done.
func (g *Gate) Check(ctx context.Context, r io.Reader, name string) ([]Hit, error) {
	buf := make([]byte, 0, chunkSize+g.overlap)
	found := map[string]bool{}
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		have := len(buf)
		n, err := io.ReadFull(r, buf[have:cap(buf)])
		buf = buf[:have+n]
		text := buf
		if bytes.IndexByte(text, 0) >= 0 {
			// UTF-16 or records: what is between the zeros is text.
			text = bytes.ReplaceAll(text, []byte{0}, nil)
		}
		g.scan(text, first, found)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return hits(name, found), nil
		case err != nil:
			return nil, fmt.Errorf("check %s: %w", name, err)
		}
		keep := copy(buf, buf[len(buf)-g.overlap:])
		buf = buf[:keep]
	}
}

func hits(name string, found map[string]bool) []Hit {
	out := make([]Hit, 0, len(found))
	for rule := range found {
		out = append(out, Hit{File: name, Rule: rule})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Rule < out[j].Rule })
	return out
}

// scan looks at every position of text. Position 0 of a later chunk is left
// out: what stands before it is unknown here, and the chunk before saw it.
func (g *Gate) scan(text []byte, first bool, found map[string]bool) {
	i := 1
	if first {
		i = 0
	}
	for ; i+gram <= len(text); i++ {
		v := uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24
		h := g.heads[slot(v)]
		if h == 0 {
			continue
		}
		for c := g.chains[h-1:]; c[0] != end; c = c[1:] {
			e := &g.entries[c[0]]
			if !found[e.rule] && e.at(text, i) {
				found[e.rule] = true
			}
		}
	}
}

func (e *entry) at(text []byte, i int) bool {
	if e.check != nil {
		return e.check(text, i)
	}
	n := len(e.literal)
	if i+n > len(text) || string(text[i:i+n]) != e.literal {
		return false
	}
	return !e.word || !(i > 0 && inWord(text[i-1]) && !escaped(text[:i])) && !(i+n < len(text) && inWord(text[i+n]))
}

// escaped is true if b ends in a byte that is written with a percent sign: its
// digits belong to no word.
func escaped(b []byte) bool {
	n := len(b)
	return n > 2 && b[n-3] == '%' && hexDigit(b[n-2]) && hexDigit(b[n-1])
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// inWord says whether a byte beside a word would make it another word.
func inWord(c byte) bool { return letterOrDigit(c) || c == '_' || c >= 0x80 }

// slot hashes four bytes without regard to letter case.
func slot(v uint32) uint32 { return (v | 0x20202020) * 0x9e3779b1 >> (32 - tableBits) }

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// builder collects entries by the slots of their 4-grams.
type builder struct {
	entries []entry
	lists   map[uint32][]uint32
	longest int
}

// add enters e under every 4-gram that can begin it: prefix, completed with
// any character of a token where it is shorter.
func (b *builder) add(prefix string, e entry) {
	b.entries = append(b.entries, e)
	id := uint32(len(b.entries) - 1)
	b.longest = max(b.longest, len(e.literal))
	seen := map[uint32]bool{}
	enter := func(p string) {
		h := slot(uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24)
		if !seen[h] {
			seen[h] = true
			b.lists[h] = append(b.lists[h], id)
		}
	}
	switch {
	case len(prefix) >= gram:
		enter(prefix)
	case len(prefix) == gram-1:
		for c := 0x21; c < 0x7f; c++ {
			enter(prefix + string(rune(c)))
		}
	default:
		panic("gate: prefix " + prefix + " is too short")
	}
}

func (b *builder) gate() *Gate {
	g := &Gate{
		entries: b.entries,
		heads:   make([]uint32, 1<<tableBits),
		overlap: max(minOverlap, b.longest),
	}
	for h, ids := range b.lists {
		g.heads[h] = uint32(len(g.chains) + 1)
		g.chains = append(append(g.chains, ids...), end)
	}
	return g
}
