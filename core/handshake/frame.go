package handshake

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// kind is the type of a message.
type kind byte

const (
	kindOffer  kind = 1
	kindClaim  kind = 2
	kindShare  kind = 3
	kindAnswer kind = 4
	kindProof  kind = 5
	kindRefuse kind = 6
	kindSealed kind = 16
)

const (
	shareSize = 32
	proofSize = 64
	nonceSize = 32
	headSize  = 3

	// MaxMessage bounds the JSON of a sealed message.
	MaxMessage = 16 << 10
)

// bounds are the least and the greatest length of each kind of payload.
var bounds = map[kind][2]int{
	kindOffer:  {2, 4 << 10},
	kindClaim:  {2, 12 << 10},
	kindShare:  {shareSize, shareSize},
	kindAnswer: {shareSize + proofSize, shareSize + proofSize},
	kindProof:  {proofSize, proofSize},
	kindRefuse: {2, 2 << 10},
	kindSealed: {2 + sealOverhead, MaxMessage + sealOverhead},
}

func (k kind) String() string {
	switch k {
	case kindOffer:
		return "offer"
	case kindClaim:
		return "claim"
	case kindShare:
		return "share"
	case kindAnswer:
		return "answer"
	case kindProof:
		return "proof"
	case kindRefuse:
		return "refuse"
	case kindSealed:
		return "sealed message"
	}
	return fmt.Sprintf("message of type %d", byte(k))
}

// appendMessage appends a message to b.
func appendMessage(b []byte, k kind, payload []byte) []byte {
	b = append(b, byte(k), 0, 0)
	binary.BigEndian.PutUint16(b[len(b)-2:], uint16(len(payload)))
	return append(b, payload...)
}

// readMessage reads the next message, which must be of kind want. A refusal
// instead is returned as an [*Error]. It reads no byte beyond the message.
func readMessage(r io.Reader, want kind) ([]byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %s: %w", want, err)
	}
	k, n := kind(head[0]), int(binary.BigEndian.Uint16(head[1:]))
	if k != want && k != kindRefuse {
		return nil, malformed("got a %s where a %s belongs", k, want)
	}
	if b := bounds[k]; n < b[0] || n > b[1] {
		return nil, malformed("a %s of %d bytes", k, n)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); err != nil {
		return nil, fmt.Errorf("read %s: %w", want, io.ErrUnexpectedEOF)
	}
	if k == kindRefuse && want != kindRefuse {
		return nil, parseRefusal(p)
	}
	return p, nil
}

// strict decodes one JSON object without unknown members or anything after it.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}
