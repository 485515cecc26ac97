package resume

import (
	"encoding/binary"
	"fmt"
)

// frameType is the first byte of a frame.
type frameType byte

const (
	typeData  frameType = 1 // position of the first byte; bytes of the stream
	typeAck   frameType = 2 // position up to which all is consumed; the fin counts as one
	typeFin   frameType = 3 // position of the end of the stream
	typePing  frameType = 4 // a number, to be sent back
	typePong  frameType = 5 // number of the message; sealed: that number, and how many bytes of the stream have arrived
	typeSide  frameType = 6 // number of the message; sealed: one byte of kind, the message
	typeStop  frameType = 7 // number of the message; sealed: nothing will be read any more
	typeReset frameType = 8 // number of the message; sealed: why the stream is over at once
)

const (
	headSize = 12

	// maxData is the longest data frame that is taken. The longest that is
	// sent is shorter, so that small messages can get in between.
	maxData  = 1 << 20
	sendData = 256 << 10

	// MaxSide is the longest side message in bytes.
	MaxSide   = 16 << 10
	maxReason = 512
	pongSize  = 16
)

// head is what a frame begins with.
type head struct {
	kind     frameType
	length   int
	position uint64
}

func appendHead(b []byte, kind frameType, length int, position uint64) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(kind)<<24|uint32(length))
	return binary.BigEndian.AppendUint64(b, position)
}

// parseHead reads a head and checks that a frame of its type may be that long.
func parseHead(b []byte) (head, error) {
	w := binary.BigEndian.Uint32(b)
	h := head{kind: frameType(w >> 24), length: int(w & 0xffffff), position: binary.BigEndian.Uint64(b[4:])}
	low, high := 0, 0
	switch h.kind {
	case typeData:
		low, high = 1, maxData
	case typeSide:
		low, high = 1+sealOverhead, 1+MaxSide+sealOverhead
	case typeReset:
		low, high = sealOverhead, maxReason+sealOverhead
	case typePong:
		low, high = pongSize+sealOverhead, pongSize+sealOverhead
	case typeStop:
		low, high = sealOverhead, sealOverhead
	case typeAck, typeFin, typePing:
	default:
		return h, fmt.Errorf("frame of unknown type %d", h.kind)
	}
	if h.length < low || h.length > high {
		return h, fmt.Errorf("frame of type %d with %d bytes", h.kind, h.length)
	}
	if h.position > 1<<62 {
		return h, fmt.Errorf("frame at position %d", h.position)
	}
	return h, nil
}
