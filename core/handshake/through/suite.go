package through

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/cpu"

	"github.com/latchstring/latchstring/core/handshake/through/aegis"
)

// Suite is how records are sealed.
type Suite string

// The suites. All have tags of 16 bytes.
const (
	AEGIS128L        Suite = "aegis-128l"
	AES128GCM        Suite = "aes128-gcm"
	ChaCha20Poly1305 Suite = "chacha20-poly1305"
)

// KeySize is the length of the keys of every suite, in bytes. Suites with
// shorter ones take an expansion of it.
const KeySize = 32

// Preferred are the suites in the order in which this machine likes them.
func Preferred() []Suite {
	all := []Suite{ChaCha20Poly1305, AES128GCM}
	if aesFast {
		all = []Suite{AES128GCM, ChaCha20Poly1305}
	}
	if aegis.Available() {
		all = append([]Suite{AEGIS128L}, all...)
	}
	return all
}

var aesFast = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL || cpu.S390X.HasAESGCM

// Choose is the suite for both ends, of those that the other one likes; "" if
// there is none. AES is for two that both compute it in hardware: who names it
// behind ChaCha20 does not.
func Choose(theirs []Suite) Suite {
	chacha := slices.Index(theirs, ChaCha20Poly1305)
	for _, mine := range Preferred() {
		if i := slices.Index(theirs, mine); i >= 0 && (mine != AES128GCM || chacha < 0 || i < chacha) {
			return mine
		}
	}
	return ""
}

func (s Suite) aead(key []byte) (cipher.AEAD, error) {
	switch s {
	case AEGIS128L:
		short, err := expand(key, "latchstring v1 through aegis128l", aegis.KeySize)
		if err != nil {
			return nil, err
		}
		defer clear(short)
		return aegis.New(short)
	case AES128GCM:
		short, err := expand(key, "latchstring v1 through aes128", 16)
		if err != nil {
			return nil, err
		}
		defer clear(short)
		block, err := aes.NewCipher(short)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCM(block)
	case ChaCha20Poly1305:
		return chacha20poly1305.New(key)
	}
	return nil, fmt.Errorf("records sealed by %.40q are not known here", string(s))
}

func expand(key []byte, label string, n int) ([]byte, error) {
	return hkdf.Expand(sha256.New, key, label, n)
}

// direction is the sealing of one direction.
type direction struct {
	suite  Suite
	key    []byte
	aead   cipher.AEAD
	number uint64
	nonce  []byte // its last eight bytes are the number
}

// perKey is how many records a key seals: far below what the bounds of AES-GCM
// allow (RFC 8446, section 5.5), and those of AEGIS are wider.
var perKey uint64 = 1 << 24

func newDirection(s Suite, key []byte) (*direction, error) {
	d := &direction{suite: s, key: append([]byte(nil), key...)}
	var err error
	if d.aead, err = s.aead(d.key); err != nil {
		return nil, err
	}
	d.nonce = make([]byte, d.aead.NonceSize())
	return d, nil
}

// next is the nonce of the next record, under a new key where it is time.
func (d *direction) next() ([]byte, error) {
	if d.number > 0 && d.number%perKey == 0 {
		key, err := expand(d.key, "latchstring v1 through next", KeySize)
		if err != nil {
			return nil, err
		}
		clear(d.key)
		d.key = key
		if d.aead, err = d.suite.aead(key); err != nil {
			return nil, err
		}
	}
	binary.BigEndian.PutUint64(d.nonce[len(d.nonce)-8:], d.number)
	d.number++
	return d.nonce, nil
}
