package pseudonym

import (
	"crypto/cipher"
	"sync"
)

// prefixCipher is Crypto-PAn: bit i of the result is bit i of the input,
// flipped by a keyed function of the bits before it. Two inputs with a common
// prefix of n bits have images with a common prefix of n bits.
type prefixCipher struct {
	block   cipher.Block
	pad     bits128
	scratch sync.Pool // *scratch: the interface call would move it to the heap
}

type scratch struct{ in, out [16]byte }

// newPrefixCipher takes 16 bytes of cipher key and 16 bytes that become the
// padding, as the reference implementation does.
func newPrefixCipher(key []byte) (*prefixCipher, error) {
	block, err := newBlock(key[:16])
	if err != nil {
		return nil, err
	}
	p := &prefixCipher{block: block}
	p.scratch.New = func() any { return new(scratch) }
	var pad [16]byte
	block.Encrypt(pad[:], key[16:32])
	p.pad = bitsOf(&pad)
	return p, nil
}

// encrypt maps the bits from keep up to n of a; the bits before keep stay.
func (p *prefixCipher) encrypt(a bits128, keep, n int) bits128 {
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	out := a
	for i := keep; i < n; i++ {
		out = out.flip(i, p.bit(s, a, i))
	}
	return out
}

// decrypt is the inverse of encrypt.
func (p *prefixCipher) decrypt(a bits128, keep, n int) bits128 {
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	for i := keep; i < n; i++ {
		a = a.flip(i, p.bit(s, a, i)) // the bits before i are the original's
	}
	return a
}

// bit is the keyed function of the first i bits of a.
func (p *prefixCipher) bit(s *scratch, a bits128, i int) uint64 {
	mask := first(i)
	a.and(mask).or(p.pad.and(mask.not())).put(&s.in)
	p.block.Encrypt(s.out[:], s.in[:])
	return uint64(s.out[0] >> 7)
}
