package resume

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// Side messages and resets are sealed under the key of the stream: the relay
// neither reads nor writes them. Each has a number, larger than that of the one
// before, over all connections; a message may be missing, but none comes twice,
// changed, late, or back to who sent it.

// seals are the keys of both directions.
type seals struct {
	out, in        cipher.AEAD
	sent, received uint64
}

const sealOverhead = chacha20poly1305.Overhead

func newSeals(key []byte, system bool) seals {
	up, down := sealOf(key, "to system"), sealOf(key, "to engineer")
	if system {
		return seals{out: down, in: up}
	}
	return seals{out: up, in: down}
}

func sealOf(key []byte, direction string) cipher.AEAD {
	k, err := hkdf.Key(sha256.New, key, nil, "latchstring v1 side "+direction, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // only for a length that SHA-256 cannot give
	}
	defer clear(k)
	a, err := chacha20poly1305.New(k)
	if err != nil {
		panic(err) // only for a key of another length
	}
	return a
}

// append appends a sealed frame to b.
func (s *seals) append(b []byte, kind frameType, plain ...[]byte) []byte {
	n := 0
	for _, p := range plain {
		n += len(p)
	}
	s.sent++
	b = appendHead(b, kind, n+sealOverhead, s.sent)
	head := b[len(b)-headSize:]
	text := make([]byte, 0, n)
	for _, p := range plain {
		text = append(text, p...)
	}
	return s.out.Seal(b, sealNonce(s.sent), text, head)
}

// open opens a sealed frame in place.
func (s *seals) open(h head, payload []byte) ([]byte, error) {
	if h.position <= s.received {
		return nil, broken("a message came again")
	}
	plain, err := s.in.Open(payload[:0], sealNonce(h.position), payload, appendHead(nil, h.kind, h.length, h.position))
	if err != nil {
		return nil, broken("a message was changed on the way")
	}
	s.received = h.position
	return plain, nil
}

func sealNonce(n uint64) []byte {
	var b [chacha20poly1305.NonceSize]byte
	binary.BigEndian.PutUint64(b[4:], n)
	return b[:]
}
