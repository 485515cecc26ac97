package handshake

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/latchstring/latchstring/core/handshake/through"
)

const sealOverhead = chacha20poly1305.Overhead

// Enrolment is what a first connection with the secret leaves the engineer:
// the right to connect again in this session without it. The key is as good
// as the secret was: it is kept in a file of mode 0600 and forgotten with the
// session.
type Enrolment struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// Clear overwrites the key.
func (e *Enrolment) Clear() { clear(e.Key) }

// keys is everything that is derived from a handshake.
type keys struct {
	up, down  cipher.AEAD // engineer to system, system to engineer
	stream    []byte
	binding   []byte
	enrolment Enrolment

	throughUp, throughDown []byte // as up and down, of package through
}

// derive makes the keys from what both sides share and from all that was said.
func derive(shared []byte, said ...[]byte) (*keys, error) {
	salt := sha512.Sum512(join(said...))
	prk, err := hkdf.Extract(sha512.New, shared, salt[:])
	if err != nil {
		return nil, err
	}
	defer clear(prk)
	expand := func(label string, n int) []byte {
		b, e := hkdf.Expand(sha512.New, prk, "latchstring v1 "+label, n)
		if e != nil {
			err = e
		}
		return b
	}
	up, down := expand("sealed to system", chacha20poly1305.KeySize), expand("sealed to engineer", chacha20poly1305.KeySize)
	defer clear(up)
	defer clear(down)
	k := &keys{
		stream:  expand("stream", 32),
		binding: expand("binding", 32),
		enrolment: Enrolment{
			ID:  "enr-" + hex.EncodeToString(expand("enrolment id", 10)),
			Key: expand("enrolment key", 32),
		},
		throughUp: expand("through to system", through.KeySize), throughDown: expand("through to engineer", through.KeySize),
	}
	if err != nil {
		return nil, err
	}
	if k.up, err = chacha20poly1305.New(up); err != nil {
		return nil, err
	}
	k.down, err = chacha20poly1305.New(down)
	return k, err
}

// prove is the proof of one side in mode enrolled.
func prove(key []byte, side string, said ...[]byte) []byte {
	h := hmac.New(sha512.New, key)
	h.Write([]byte("latchstring v1 enrolled " + side + "\x00"))
	h.Write(join(said...))
	return h.Sum(nil)
}

// channelOf is CI of the PAKE: what the secret is good for.
func channelOf(system string) []byte { return []byte("latchstring v1 " + system) }

// runOf is sid of the PAKE, unique through both nonces.
func runOf(session string, offered, claimed []byte) []byte {
	h := sha256.Sum256(join([]byte(session), offered, claimed))
	return h[:]
}

// join puts strings behind one another so that no two lists give the same.
func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
