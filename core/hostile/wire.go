package hostile

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A hostile relay knows the protocol. This reads it from the bytes between an
// engineer and a system, as docs/FORMATS.md specifies it, and shares no code
// with the packages that are attacked.

// The messages of the handshake, and the frames of the stream.
const (
	offer  = 1
	claim  = 2
	share  = 3
	answer = 4
	proof  = 5
	refuse = 6
	sealed = 16

	data  = 1
	ack   = 2
	fin   = 3
	ping  = 4
	side  = 6
	stop  = 7
	reset = 8
)

const (
	messageHead = 3
	frameHead   = 12
)

// unit is one message of the handshake, or one frame of the stream.
type unit struct {
	up    bool // from the engineer
	frame bool
	// record says that it is one below TLS: nothing in it can be read.
	record bool
	kind   byte
	n      int // among those of its direction; frames count anew
	b      []byte
}

// payload is what is behind the head.
func (u unit) payload() []byte {
	if u.frame {
		return u.b[frameHead:]
	}
	return u.b[messageHead:]
}

// position is that of a frame.
func (u unit) position() uint64 { return binary.BigEndian.Uint64(u.b[4:frameHead]) }

// message makes a message of the handshake.
func message(kind byte, payload []byte) []byte {
	b := []byte{kind, byte(len(payload) >> 8), byte(len(payload))}
	return append(b, payload...)
}

// frame makes a frame of the stream.
func frame(kind byte, position uint64, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(kind)<<24|uint32(len(payload)))
	b = binary.BigEndian.AppendUint64(b, position)
	return append(b, payload...)
}

// reader reads the units of one direction. Frames begin behind the sealed
// messages of the handshake.
type reader struct {
	r      io.Reader
	up     bool
	frames bool
	sealed bool
	n      int
}

func (r *reader) next() (unit, error) {
	var first [1]byte
	if _, err := io.ReadFull(r.r, first[:]); err != nil {
		return unit{}, err
	}
	if r.sealed && !r.frames && first[0] != sealed {
		r.frames, r.n = true, 0
	}
	size := messageHead
	if r.frames {
		size = frameHead
	}
	b := make([]byte, size)
	b[0] = first[0]
	if _, err := io.ReadFull(r.r, b[1:]); err != nil {
		return unit{}, err
	}
	length := int(binary.BigEndian.Uint16(b[1:3]))
	if r.frames {
		length = int(binary.BigEndian.Uint32(b) & 0xffffff)
	}
	if length > 2<<20 {
		return unit{}, fmt.Errorf("a frame of %d bytes", length)
	}
	b = append(b, make([]byte, length)...)
	if _, err := io.ReadFull(r.r, b[size:]); err != nil {
		return unit{}, err
	}
	r.sealed = r.sealed || b[0] == sealed
	u := unit{up: r.up, frame: r.frames, kind: b[0], n: r.n, b: b}
	r.n++
	return u, nil
}
