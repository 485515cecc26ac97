package aegis

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// Sizes in bytes.
const (
	KeySize   = 16
	NonceSize = 16
	Overhead  = 16 // a tag
)

const block = 32 // bytes that an update of the state takes in

// ErrOpen is a message that was not sealed so.
var ErrOpen = errors.New("aegis: message authentication failed")

// state are the eight blocks S0 to S7 of the draft.
type state [8][16]byte

// C0 and C1 of the draft: the Fibonacci sequence modulo 256.
var c0c1 = [block]byte{
	0x00, 0x01, 0x01, 0x02, 0x03, 0x05, 0x08, 0x0d, 0x15, 0x22, 0x37, 0x59, 0x90, 0xe9, 0x79, 0x62,
	0xdb, 0x3d, 0x18, 0x55, 0x6d, 0xc2, 0x2f, 0xf1, 0x20, 0x11, 0x31, 0x42, 0x73, 0xb5, 0x28, 0xdd,
}

// aead is a key.
type aead [KeySize]byte

// New is the AEAD under a key of 16 bytes. It is an error where it is not
// [Available]. It is safe for use by several goroutines.
func New(key []byte) (cipher.AEAD, error) {
	switch {
	case !Available():
		return nil, errors.New("aegis: this processor has no instructions for AES")
	case len(key) != KeySize:
		return nil, fmt.Errorf("aegis: a key of %d bytes, not %d", len(key), KeySize)
	}
	a := aead(key)
	return &a, nil
}

// Available reports whether this machine has what it takes.
func Available() bool { return available }

func (a *aead) NonceSize() int { return NonceSize }
func (a *aead) Overhead() int  { return Overhead }

// Seal appends the sealed message to dst. Its place may be that of the message
// or another, but not overlap with it in part.
func (a *aead) Seal(dst, nonce, plaintext, additional []byte) []byte {
	all, out := room(dst, len(plaintext)+Overhead)
	if overlaps(out, plaintext) {
		panic("aegis: the buffers overlap")
	}
	var s state
	a.begin(&s, nonce, additional)
	n := len(plaintext) / block
	if n > 0 {
		seal(&s, &out[0], &plaintext[0], n)
	}
	if rest := plaintext[n*block:]; len(rest) > 0 {
		var b [block]byte
		copy(b[:], rest)
		seal(&s, &b[0], &b[0], 1)
		copy(out[n*block:], b[:len(rest)])
	}
	tag := s.finish(len(additional), len(plaintext))
	copy(out[len(plaintext):], tag[:])
	return all
}

// Open appends what was sealed to dst, which may overlap as with Seal. After an
// error the place holds zeros: nothing that is not authentic comes out.
func (a *aead) Open(dst, nonce, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	ciphertext, tag := sealed[:len(sealed)-Overhead], [Overhead]byte(sealed[len(sealed)-Overhead:])
	all, out := room(dst, len(ciphertext))
	if overlaps(out, sealed) {
		panic("aegis: the buffers overlap")
	}
	var s state
	a.begin(&s, nonce, additional)
	n := len(ciphertext) / block
	if n > 0 {
		open(&s, &out[0], &ciphertext[0], n)
	}
	if rest := ciphertext[n*block:]; len(rest) > 0 {
		var b, plain [block]byte
		keystream(&s, &b)
		subtle.XORBytes(plain[:], b[:len(rest)], rest)
		copy(out[n*block:], plain[:len(rest)])
		update(&s, &plain, 1)
	}
	want := s.finish(len(additional), len(ciphertext))
	if subtle.ConstantTimeCompare(want[:], tag[:]) != 1 {
		clear(out)
		return nil, ErrOpen
	}
	return all, nil
}

// begin is Init of the draft, and Absorb of the additional data.
func (a *aead) begin(s *state, nonce, additional []byte) {
	if len(nonce) != NonceSize {
		panic("aegis: a nonce of another length")
	}
	c0, c1 := c0c1[:16], c0c1[16:]
	for i, c := range [...][]byte{nonce, c1, c0, c1, nonce, c0, c1, c0} {
		s[i] = [16]byte(c)
	}
	for _, i := range [...]int{0, 4, 5, 6, 7} {
		subtle.XORBytes(s[i][:], s[i][:], a[:])
	}
	var m [block]byte
	copy(m[:], nonce)
	copy(m[16:], a[:])
	update(s, &m, 10)
	for len(additional) > 0 {
		m = [block]byte{}
		additional = additional[copy(m[:], additional):]
		update(s, &m, 1)
	}
	clear(m[:])
}

// finish is Finalize of the draft: the tag. The state is gone then.
func (s *state) finish(additional, message int) (tag [Overhead]byte) {
	var m [block]byte
	binary.LittleEndian.PutUint64(m[:], uint64(additional)*8)
	binary.LittleEndian.PutUint64(m[8:], uint64(message)*8)
	subtle.XORBytes(m[:16], m[:16], s[2][:])
	copy(m[16:], m[:16])
	update(s, &m, 7)
	for i := range 7 {
		subtle.XORBytes(tag[:], tag[:], s[i][:])
	}
	clear(s[:])
	return tag
}

// keystream is what the next block is added to.
func keystream(s *state, z *[block]byte) {
	for i := range 16 {
		z[i] = s[6][i] ^ s[1][i] ^ s[2][i]&s[3][i]
		z[16+i] = s[2][i] ^ s[5][i] ^ s[6][i]&s[7][i]
	}
}

// room is dst with n more bytes, and those.
func room(dst []byte, n int) (all, more []byte) {
	at := len(dst)
	if cap(dst) < at+n {
		all = make([]byte, at+n)
		copy(all, dst)
	} else {
		all = dst[:at+n]
	}
	return all, all[at:]
}

// overlaps reports whether two slices share memory without beginning at the same
// place.
func overlaps(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || &a[0] == &b[0] {
		return false
	}
	return uintptr(unsafe.Pointer(&a[0])) <= uintptr(unsafe.Pointer(&b[len(b)-1])) &&
		uintptr(unsafe.Pointer(&b[0])) <= uintptr(unsafe.Pointer(&a[len(a)-1]))
}
