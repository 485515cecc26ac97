package aegis

import "encoding/binary"

// The draft in slow Go, word by word: no assembly, no tables, one shape for all
// lengths.

// mul multiplies in the field of AES.
func mul(a, b byte) (p byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		high := a & 0x80
		if a <<= 1; high != 0 {
			a ^= 0x1b
		}
	}
	return p
}

// sbox is SubBytes of one byte (FIPS 197, section 5.1.1).
func sbox(b byte) byte {
	inverse := byte(1)
	for range 254 { // b^254
		inverse = mul(inverse, b)
	}
	out := byte(0x63)
	for i := range 5 {
		out ^= inverse<<i | inverse>>(8-i)
	}
	return out
}

var substitutes = func() (t [256]byte) {
	for i := range t {
		t[i] = sbox(byte(i))
	}
	return t
}()

// aesRound is AESRound(in, key).
func aesRound(in, key [16]byte) (out [16]byte) {
	for column := range 4 {
		var c [4]byte
		for row := range 4 {
			c[row] = substitutes[in[(column+row)%4*4+row]]
		}
		for row := range 4 {
			out[column*4+row] = mul(2, c[row]) ^ mul(3, c[(row+1)%4]) ^ c[(row+2)%4] ^ c[(row+3)%4] ^ key[column*4+row]
		}
	}
	return out
}

func xor(blocks ...[16]byte) (out [16]byte) {
	for _, b := range blocks {
		for i := range out {
			out[i] ^= b[i]
		}
	}
	return out
}

func and(a, b [16]byte) (out [16]byte) {
	for i := range out {
		out[i] = a[i] & b[i]
	}
	return out
}

func (s *state) update(m0, m1 [16]byte) {
	*s = state{
		aesRound(s[7], xor(s[0], m0)), aesRound(s[0], s[1]), aesRound(s[1], s[2]), aesRound(s[2], s[3]),
		aesRound(s[3], xor(s[4], m1)), aesRound(s[4], s[5]), aesRound(s[5], s[6]), aesRound(s[6], s[7]),
	}
}

func (s *state) init(key, nonce [16]byte) {
	c0, c1 := [16]byte(c0c1[:]), [16]byte(c0c1[16:])
	*s = state{xor(key, nonce), c1, c0, c1, xor(key, nonce), xor(key, c0), xor(key, c1), xor(key, c0)}
	for range 10 {
		s.update(nonce, key)
	}
}

// parts are the pieces of 32 bytes, the last one filled up with zeros.
func parts(b []byte) (out [][2][16]byte) {
	b = append([]byte(nil), b...)
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	for ; len(b) > 0; b = b[32:] {
		out = append(out, [2][16]byte{[16]byte(b), [16]byte(b[16:])})
	}
	return out
}

// slow seals.
func slow(key, nonce [16]byte, message, additional []byte) (sealed []byte) {
	var s state
	s.init(key, nonce)
	for _, a := range parts(additional) {
		s.update(a[0], a[1])
	}
	for _, m := range parts(message) {
		z0, z1 := xor(s[6], s[1], and(s[2], s[3])), xor(s[2], s[5], and(s[6], s[7]))
		x, y := xor(m[0], z0), xor(m[1], z1)
		s.update(m[0], m[1])
		sealed = append(append(sealed, x[:]...), y[:]...)
	}
	sealed = sealed[:len(message)]
	var lengths [16]byte
	binary.LittleEndian.PutUint64(lengths[:], uint64(len(additional))*8)
	binary.LittleEndian.PutUint64(lengths[8:], uint64(len(message))*8)
	t := xor(s[2], lengths)
	for range 7 {
		s.update(t, t)
	}
	tag := xor(s[0], s[1], s[2], s[3], s[4], s[5], s[6])
	return append(sealed, tag[:]...)
}
