package pseudonym

import (
	"crypto/cipher"
	"encoding/binary"
	"sync"
)

// mixer permutes bit strings of any length up to 128 without structure: an
// alternating Feistel network with AES as its round function, in the manner of
// the format-preserving modes of NIST SP 800-38G but on bits.
type mixer struct {
	block   cipher.Block
	scratch sync.Pool
}

const mixRounds = 10

func newMixer(key []byte) (*mixer, error) {
	block, err := newBlock(key)
	if err != nil {
		return nil, err
	}
	m := &mixer{block: block}
	m.scratch.New = func() any { return new(scratch) }
	return m, nil
}

// permute maps the bits from keep up to n of a within themselves. tweak
// separates the uses; back runs the permutation backwards.
func (m *mixer) permute(a bits128, keep, n int, tweak byte, back bool) bits128 {
	width := n - keep
	if width < 2 {
		return a
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	// v is the part that moves, as a number of width bits.
	v := shiftRight(a.and(first(keep).not()), 128-n)
	rw := width / 2
	lw := width - rw // at most 64
	left, right := shiftRight(v, rw).lo&ones(lw), v.lo&ones(rw)
	for i := range mixRounds {
		r := i
		if back {
			r = mixRounds - 1 - i
		}
		if r%2 == 0 {
			left ^= m.round(s, tweak, width, r, right) & ones(lw)
		} else {
			right ^= m.round(s, tweak, width, r, left) & ones(rw)
		}
	}
	moved := shiftLeft(bits128{0, left}, rw).or(bits128{0, right})
	return a.and(first(keep).or(first(n).not())).or(shiftLeft(moved, 128-n))
}

func (m *mixer) round(s *scratch, tweak byte, width, r int, half uint64) uint64 {
	s.in = [16]byte{0: tweak, 1: byte(width), 2: byte(r)}
	binary.BigEndian.PutUint64(s.in[8:], half)
	m.block.Encrypt(s.out[:], s.in[:])
	return binary.BigEndian.Uint64(s.out[:8])
}

func ones(n int) uint64 { return ^uint64(0) >> (64 - n) }

func shiftRight(a bits128, n int) bits128 {
	if n >= 64 {
		return bits128{0, a.hi >> (n - 64)}
	}
	return bits128{a.hi >> n, a.lo>>n | a.hi<<(64-n)}
}

func shiftLeft(a bits128, n int) bits128 {
	if n >= 64 {
		return bits128{a.lo << (n - 64), 0}
	}
	return bits128{a.hi<<n | a.lo>>(64-n), a.lo << n}
}
