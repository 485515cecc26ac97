package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
)

const (
	finBit     = 0x80
	maskBit    = 0x80
	maxHead    = 14
	maxPayload = 125 // of a control frame
)

// MaxFrame is the longest frame that is accepted. Frames are not gathered in
// memory; the limit only tells nonsense from data early.
const MaxFrame = 64 << 20

// head is the head of a frame.
type head struct {
	op     byte
	fin    bool
	masked bool
	length uint64
	key    uint32
}

// headLen says how long a head is by its second byte.
func headLen(second byte) int {
	n := 2
	switch second &^ maskBit {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&maskBit != 0 {
		n += 4
	}
	return n
}

// parseHead reads a whole head, of headLen bytes.
func parseHead(b []byte) (head, error) {
	h := head{op: b[0] & 0x0f, fin: b[0]&finBit != 0, masked: b[1]&maskBit != 0, length: uint64(b[1] &^ maskBit)}
	if b[0]&0x70 != 0 {
		return h, errors.New("websocket: reserved bits are set, and no extension was agreed on")
	}
	rest := b[2:]
	switch h.length {
	case 126:
		h.length, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
		if h.length < 126 {
			return h, errors.New("websocket: a length is not in its shortest form")
		}
	case 127:
		h.length, rest = binary.BigEndian.Uint64(rest), rest[8:]
		if h.length < 1<<16 {
			return h, errors.New("websocket: a length is not in its shortest form")
		}
	}
	if h.masked {
		h.key = binary.LittleEndian.Uint32(rest)
	}
	switch h.op {
	case opContinue, opText, opBinary:
		if h.length > MaxFrame {
			return h, fmt.Errorf("websocket: a frame of %d bytes; at most %d are accepted", h.length, MaxFrame)
		}
	case opClose, opPing, opPong:
		if !h.fin || h.length > maxPayload {
			return h, errors.New("websocket: a control frame is fragmented or longer than 125 bytes")
		}
	default:
		return h, fmt.Errorf("websocket: unknown opcode %d", h.op)
	}
	return h, nil
}

// appendHead writes a head.
func appendHead(b []byte, h head) []byte {
	first := h.op
	if h.fin {
		first |= finBit
	}
	var m byte
	if h.masked {
		m = maskBit
	}
	switch {
	case h.length < 126:
		b = append(b, first, m|byte(h.length))
	case h.length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, first, m|126), uint16(h.length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, m|127), h.length)
	}
	if h.masked {
		b = binary.LittleEndian.AppendUint32(b, h.key)
	}
	return b
}
