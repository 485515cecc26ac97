package code

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespace is that of the SSH signature.
const Namespace = "latchstring-challenge"

const domain = "latchstring challenge and response 1\x00"

// Grant is what an engineer's response says.
type Grant struct {
	Engineer string        // 1 to 40 characters of ASCII
	Case     string        // up to 40 characters of ASCII
	Longest  time.Duration // of the session; 0 sets no bound. Whole minutes
	Valid    time.Duration // of the response, after the challenge was issued; whole minutes
}

const maxName = 40

func (g Grant) check() error {
	switch {
	case !name(g.Engineer) || g.Engineer == "":
		return fmt.Errorf("the engineer's name has 1 to %d characters of plain ASCII", maxName)
	case !name(g.Case):
		return fmt.Errorf("the case has up to %d characters of plain ASCII", maxName)
	case !minutes(g.Longest):
		return errors.New("the longest session is a whole number of minutes, up to 45 days")
	case !minutes(g.Valid) || g.Valid == 0:
		return errors.New("the response is valid for a whole number of minutes, up to 45 days")
	}
	return nil
}

func name(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= maxName
}

func minutes(d time.Duration) bool {
	return d >= 0 && d%time.Minute == 0 && d/time.Minute <= math.MaxUint16
}

// kinds of signature.
const (
	plainKey    = 0
	securityKey = 1
)

// sizes are the lengths of signatures by kind.
var sizes = [...]int{plainKey: 64, securityKey: 69}

// Response is the answer to a challenge.
type Response struct {
	Grant
	key       [4]byte
	challenge [8]byte
	kind      byte
	signature []byte
}

// unsigned are the bytes that are signed.
func (r *Response) unsigned() []byte {
	b := append([]byte{version}, r.key[:]...)
	b = append(b, r.challenge[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Longest/time.Minute))
	b = binary.BigEndian.AppendUint16(b, uint16(r.Valid/time.Minute))
	b = append(append(b, byte(len(r.Engineer))), r.Engineer...)
	return append(append(b, byte(len(r.Case))), r.Case...)
}

func (r *Response) message(c Challenge) *bytes.Reader {
	b := append([]byte(domain), c.bytes()...)
	return bytes.NewReader(append(b, r.unsigned()...))
}

// Text is the response in groups.
func (r *Response) Text() string {
	return encode("response", append(append(r.unsigned(), r.kind), r.signature...))
}

// Respond signs what g grants for one challenge. The key is Ed25519: in a file,
// in an agent or on a security key.
func Respond(c Challenge, g Grant, key ssh.Signer) (*Response, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	kind, err := kindOf(key.PublicKey())
	if err != nil {
		return nil, err
	}
	r := &Response{Grant: g, key: keyID(key.PublicKey()), challenge: c.hash(), kind: kind}
	sig, err := sshsig.Sign(r.message(c), key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, fmt.Errorf("sign the response: %w", err)
	}
	r.signature = append(append([]byte(nil), sig.Signature.Blob...), sig.Signature.Rest...)
	if len(r.signature) != sizes[kind] {
		return nil, fmt.Errorf("sign the response: the signature has %d bytes, want %d", len(r.signature), sizes[kind])
	}
	return r, nil
}

func kindOf(key ssh.PublicKey) (byte, error) {
	switch key.Type() {
	case ssh.KeyAlgoED25519:
		return plainKey, nil
	case ssh.KeyAlgoSKED25519:
		return securityKey, nil
	}
	return 0, fmt.Errorf("a key of type %s cannot sign responses; use Ed25519 (ssh-keygen -t ed25519 or ed25519-sk)", key.Type())
}

var errForm = errors.New("the response is malformed, though it was typed as it was made")

// ParseResponse reads the text of a response. It does not check who made it:
// see [Keys.Verify].
func ParseResponse(text string) (*Response, error) {
	b, err := decode("response", text)
	if err != nil {
		if _, other := decode("challenge", text); other == nil {
			return nil, typo("this is a challenge, not the response to one")
		}
		return nil, err
	}
	if b[0] != version {
		return nil, fmt.Errorf("this response is of version %d; this program knows version %d", b[0], version)
	}
	var r Response
	take := func(n int) []byte {
		if n > len(b) {
			b, err = nil, errForm
			return make([]byte, n)
		}
		out := b[:n]
		b = b[n:]
		return out
	}
	take(1)
	r.key, r.challenge = [4]byte(take(4)), [8]byte(take(8))
	r.Longest = time.Duration(binary.BigEndian.Uint16(take(2))) * time.Minute
	r.Valid = time.Duration(binary.BigEndian.Uint16(take(2))) * time.Minute
	r.Engineer = string(take(int(take(1)[0])))
	r.Case = string(take(int(take(1)[0])))
	r.kind = take(1)[0]
	if err != nil || int(r.kind) >= len(sizes) || len(b) != sizes[r.kind] || r.Grant.check() != nil {
		return nil, errForm
	}
	r.signature = bytes.Clone(b)
	return &r, nil
}
