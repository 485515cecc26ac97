package sweep

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// ErrFull is returned when a set has reached its limit. What is hidden can
// then not be swept for any more, and a bundle must not be called clean.
var ErrFull error = full{}

type full struct{}

func (full) Error() string { return "more secrets than the sweep can hold" }

// Hint says what to do.
func (full) Hint() string {
	return "sanitize fewer files at once, or let every file stand alone (--each): what one gives away is then not hidden in the others"
}

// MaxSecrets bounds how many different values a Set holds.
const MaxSecrets = 20000

// maxPiece is the longest literal. Longer values are swept for in pieces, so
// that the longest form, and with it the overlap between chunks, is bounded.
const maxPiece = 256

// A Set collects secrets. The zero value is ready. It is safe for concurrent
// use.
type Set struct {
	mu       sync.Mutex
	seen     map[uint64]struct{}
	literals []literal
	snapshot atomic.Pointer[Matcher]
	seed     maphash.Seed
	stale    bool
}

// literal is a secret or a piece of one, in all its spellings.
type literal struct {
	forms []spelling
	id    int
}

// Add puts a secret into the set under id, which [Match] returns. It reports
// whether the value is swept for: see [Worth]. Adding a value twice is
// harmless; the first id stays. The bytes are copied. The only error is
// [ErrFull].
func (s *Set) Add(secret []byte, id int) (bool, error) {
	if !Worth(secret) {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[uint64]struct{}{}
		s.seed = maphash.MakeSeed()
	}
	added := false
	for piece := range pieces(secret) {
		h := maphash.Bytes(s.seed, piece)
		if _, known := s.seen[h]; known {
			added = true
			continue
		}
		if len(s.literals) >= MaxSecrets {
			return added, ErrFull
		}
		s.seen[h] = struct{}{}
		s.literals = append(s.literals, literal{spellings(piece), id})
		s.stale, added = true, true
	}
	return added, nil
}

// Len returns how many literals the set holds.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.literals)
}

// Matcher returns a snapshot that knows everything added so far. It is never
// nil. Building takes a few microseconds a secret; an unchanged set returns
// the same Matcher again.
func (s *Set) Matcher() *Matcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.snapshot.Load(); m != nil && !s.stale {
		return m
	}
	m := build(s.literals)
	s.snapshot.Store(m)
	s.stale = false
	return m
}

// String keeps the secrets out of logs.
func (s *Set) String() string { return "[set of secrets]" }

// GoString keeps the secrets out of %#v.
func (s *Set) GoString() string { return "[set of secrets]" }

// pieces yields what is swept for on behalf of one value: the value itself,
// the lines of one with several (a PEM body turns up with other line ends,
// folded or indented), and consecutive parts of a very long one.
func pieces(secret []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for line := range bytes.SplitSeq(secret, []byte{'\n'}) {
			line = bytes.TrimSpace(line)
			if bytes.HasPrefix(line, []byte("-----")) || !Worth(line) {
				continue
			}
			for len(line) > 0 {
				n := min(len(line), maxPiece)
				if rest := len(line) - n; rest > 0 && rest < 32 {
					n = len(line) - 32 // no stub at the end
				}
				if !yield(line[:n]) {
					return
				}
				line = line[n:]
			}
		}
	}
}
