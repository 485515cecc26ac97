package ws

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
)

// pattern is the length of the repeated key that long runs are combined with;
// subtle.XORBytes then works on whole vector registers.
const pattern = 512

// mask writes src XOR the repeated key to dst, which is as long and either the
// same memory or none of it, and returns the key turned to where the next byte
// needs it. The first byte of the key on the wire is the lowest of key.
func mask(dst, src []byte, key uint32) uint32 {
	dst = dst[:len(src)]
	if len(src) >= 2*pattern {
		var keys [pattern]byte
		fill(&keys, key)
		for len(src) >= pattern {
			subtle.XORBytes(dst[:pattern], src[:pattern], keys[:])
			dst, src = dst[pattern:], src[pattern:]
		}
	}
	wide := uint64(key)<<32 | uint64(key)
	for len(src) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^wide)
		dst, src = dst[8:], src[8:]
	}
	for i := range src {
		dst[i] = src[i] ^ byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

func fill(keys *[pattern]byte, key uint32) {
	for i := 0; i < pattern; i += 4 {
		binary.LittleEndian.PutUint32(keys[i:], key)
	}
}
