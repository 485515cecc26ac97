package handoff

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the version of the message header that this package speaks.
const Version = 1

const (
	headerSize = 16

	// MaxPayload is the largest payload of one message in bytes.
	MaxPayload = 32 << 10
)

// kind says what a message is.
type kind uint8

const (
	kindPass   kind = 1 // one descriptor under an id
	kindCall   kind = 2 // a question; op says which
	kindReply  kind = 3 // its answer, with at most one descriptor
	kindCancel kind = 4 // the asker no longer waits for the answer
	kindTaken  kind = 5 // a passed descriptor left the backlog
)

// Status of a reply, carried in the op field.
const (
	statusDone    = 0
	statusRefused = 1 // the payload is a RemoteError
)

// ErrProtocol is wrapped by every error that means that the other side broke
// the rules of the channel.
var ErrProtocol = errors.New("handoff protocol violated")

// header opens every message.
type header struct {
	kind   kind
	op     Op
	length uint32
	id     uint64
}

// appendTo appends the 16 bytes of the header to b.
func (h header) appendTo(b []byte) []byte {
	b = append(b, Version, byte(h.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(h.op))
	b = binary.BigEndian.AppendUint32(b, h.length)
	return binary.BigEndian.AppendUint64(b, h.id)
}

// parse splits a whole message into header and payload. It accepts nothing
// that appendTo would not have written.
func parse(msg []byte) (header, []byte, error) {
	if len(msg) < headerSize {
		return header{}, nil, fmt.Errorf("%w: message of %d bytes is shorter than its header", ErrProtocol, len(msg))
	}
	if msg[0] != Version {
		return header{}, nil, fmt.Errorf("%w: version %d, this side speaks %d", ErrProtocol, msg[0], Version)
	}
	h := header{
		kind:   kind(msg[1]),
		op:     Op(binary.BigEndian.Uint16(msg[2:])),
		length: binary.BigEndian.Uint32(msg[4:]),
		id:     binary.BigEndian.Uint64(msg[8:]),
	}
	payload := msg[headerSize:]
	if uint64(h.length) != uint64(len(payload)) || h.length > MaxPayload {
		return header{}, nil, fmt.Errorf("%w: header announces %d bytes, %d came", ErrProtocol, h.length, len(payload))
	}
	if err := h.check(); err != nil {
		return header{}, nil, err
	}
	return h, payload, nil
}

// check holds what each kind may carry beside descriptors.
func (h header) check() error {
	switch h.kind {
	case kindPass, kindCancel, kindTaken:
		if h.op != 0 || h.length != 0 {
			return fmt.Errorf("%w: message of kind %d with an operation or a payload", ErrProtocol, h.kind)
		}
	case kindCall:
		if h.op == 0 {
			return fmt.Errorf("%w: call without an operation", ErrProtocol)
		}
	case kindReply:
		if h.op > statusRefused {
			return fmt.Errorf("%w: reply with unknown status %d", ErrProtocol, h.op)
		}
	default:
		return fmt.Errorf("%w: unknown kind of message %d", ErrProtocol, h.kind)
	}
	return nil
}

// files says how many descriptors the message must and may carry.
func (h header) files() (least, most int) {
	switch {
	case h.kind == kindPass:
		return 1, 1
	case h.kind == kindReply && h.op == statusDone:
		return 0, 1
	default:
		return 0, 0
	}
}
