package pake

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"

	"github.com/bwesterb/go-ristretto"
)

const (
	// ShareSize is the length of a share in bytes.
	ShareSize = 32
	// TagSize is the length of a key confirmation in bytes.
	TagSize = sha512.Size
	// KeySize is the length of the shared key in bytes.
	KeySize = sha512.Size
)

const dsi = "CPaceRistretto255"

// Role is the side that is taken in a run. The two sides take different ones,
// so that what one says can never be held against itself.
type Role int

// The roles: A and B of the draft.
const (
	Initiator Role = iota
	Responder
)

// Input is what both sides know before they talk.
type Input struct {
	Password []byte // PRS: the secret, however short
	Channel  []byte // CI: who talks to whom about what
	Session  []byte // sid: unique to this run
}

// ErrShare is returned for a share that no honest side can have sent.
var ErrShare = errors.New("the share of the other side is not a valid group element")

// ErrConfirm is returned for a confirmation that does not fit: the other side
// used another password, or somebody changed something on the way.
var ErrConfirm = errors.New("key confirmation failed: the secret is wrong, or somebody changed what was said on the way")

// Exchange is one side of one run.
type Exchange struct {
	role    Role
	session []byte
	scalar  ristretto.Scalar
	share   [ShareSize]byte
	done    bool
}

// New begins a run. The password may be cleared when it returns.
func New(role Role, in Input) (*Exchange, error) {
	var s ristretto.Scalar
	var buf [32]byte
	rand.Read(buf[:]) // does not fail; the process ends instead
	buf[31] &= 0x0f   // 252 bits, as the draft samples
	s.SetBytes(&buf)
	clear(buf[:])
	return newExchange(role, in, &s)
}

func newExchange(role Role, in Input, s *ristretto.Scalar) (*Exchange, error) {
	if role != Initiator && role != Responder {
		return nil, errors.New("pake: no such role")
	}
	if len(in.Password) == 0 {
		return nil, errors.New("pake: the password is empty")
	}
	e := &Exchange{role: role, session: append([]byte(nil), in.Session...)}
	e.scalar.Set(s)
	var g, y ristretto.Point
	generator(&g, in)
	y.ScalarMult(&g, &e.scalar)
	y.BytesInto(&e.share)
	clearPoint(&g)
	clearPoint(&y)
	if e.share == [ShareSize]byte{} {
		return nil, ErrShare // a scalar of zero: once in 2^252 runs
	}
	return e, nil
}

// Share is what goes to the other side, in clear.
func (e *Exchange) Share() []byte { return append([]byte(nil), e.share[:]...) }

// Finish ends the run: own is the associated data that this side sent, peer
// that of the other side, share the other side's share. It works once; the
// secret scalar is gone afterwards, whatever came out.
func (e *Exchange) Finish(own, share, peer []byte) (*Keys, error) {
	defer e.Clear()
	if e.done {
		return nil, errors.New("pake: the run is over")
	}
	if len(share) != ShareSize || subtle.ConstantTimeCompare(share, e.share[:]) == 1 {
		return nil, ErrShare // cut short, or our own come back
	}
	var k [ShareSize]byte
	if !multiply(&k, &e.scalar, [ShareSize]byte(share)) {
		return nil, ErrShare
	}
	ya, ada, yb, adb := e.share[:], own, share, peer
	if e.role == Responder {
		ya, ada, yb, adb = share, peer, e.share[:], own
	}
	keys := &Keys{role: e.role, a: lvCat(ya, ada), b: lvCat(yb, adb)}
	in := lvCat([]byte(dsi+"_ISK"), e.session, k[:])
	in = appendClearing(in, keys.a, keys.b)
	keys.isk = sha512.Sum512(in)
	clear(in)
	clear(k[:])

	in = appendClearing([]byte("CPaceMac"), e.session, keys.isk[:])
	keys.mac = sha512.Sum512(in)
	clear(in)
	return keys, nil
}

// Clear ends a run that is not finished.
func (e *Exchange) Clear() {
	e.scalar.SetZero()
	e.done = true
}

// Keys is the outcome of a run. It is worth nothing until Verify has accepted
// the tag of the other side.
type Keys struct {
	role Role
	a, b []byte // what the tags are over
	isk  [KeySize]byte
	mac  [sha512.Size]byte
}

// Tag is the proof for the other side. An initiator sends it only after it has
// verified the responder's, who would otherwise get a guess for nothing.
func (k *Keys) Tag() []byte {
	if k.role == Initiator {
		return tag(k.mac[:], k.a)
	}
	return tag(k.mac[:], k.b)
}

// Verify checks the tag of the other side, in constant time.
func (k *Keys) Verify(t []byte) error {
	over := k.b
	if k.role == Responder {
		over = k.a
	}
	if !hmac.Equal(t, tag(k.mac[:], over)) {
		return ErrConfirm
	}
	return nil
}

// Key returns a copy of the shared key, ISK of the draft. It goes through a key
// derivation before it is used.
func (k *Keys) Key() []byte { return append([]byte(nil), k.isk[:]...) }

// Clear overwrites the keys.
func (k *Keys) Clear() {
	clear(k.isk[:])
	clear(k.mac[:])
}

func tag(key, message []byte) []byte {
	h := hmac.New(sha512.New, key)
	h.Write(message)
	return h.Sum(nil)
}
