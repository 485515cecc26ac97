package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// A record on disk: a head of 24 bytes, little endian, and its payload.
//
//	0  crc32c of all that follows
//	4  length of the payload
//	8  kind
//	12 channel
//	16 time, microseconds since 1970
//
// The checksum finds the torn end that a crash leaves; it is no protection
// against people, which the chain is.
const (
	frameHead  = 24
	maxPayload = 128 << 10
	maxOutput  = 64 << 10 // longer output becomes several records
)

type frameKind uint32

const (
	frameOutput frameKind = 1 // bytes that went to the engineer
	frameResize frameKind = 2 // columns and rows, 16 bits each
	frameNote   frameKind = 3 // a Note in JSON
	frameBegin  frameKind = 4 // a Begin in JSON: the first record of all
)

type frame struct {
	kind    frameKind
	channel uint32
	micros  int64
	payload []byte
}

func (f frame) time() time.Time { return time.UnixMicro(f.micros).UTC() }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame adds one record to b.
func appendFrame(b []byte, f frame) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.kind))
	b = binary.LittleEndian.AppendUint32(b, f.channel)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.micros))
	b = append(b, f.payload...)
	binary.LittleEndian.PutUint32(b[at:], crc32.Checksum(b[at+4:], castagnoli))
	return b
}

var errTorn = errors.New("torn record")

// nextFrame cuts one record off b. The payload points into b.
func nextFrame(b []byte) (f frame, rest []byte, err error) {
	if len(b) < frameHead {
		return f, b, fmt.Errorf("%w: %d bytes where a record needs %d", errTorn, len(b), frameHead)
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > maxPayload || int(n) > len(b)-frameHead {
		return f, b, fmt.Errorf("%w: it says %d bytes and %d are there", errTorn, n, len(b)-frameHead)
	}
	end := frameHead + int(n)
	if binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:end], castagnoli) {
		return f, b, fmt.Errorf("%w: the checksum does not fit", errTorn)
	}
	f = frame{
		kind:    frameKind(binary.LittleEndian.Uint32(b[8:])),
		channel: binary.LittleEndian.Uint32(b[12:]),
		micros:  int64(binary.LittleEndian.Uint64(b[16:])),
		payload: b[frameHead:end],
	}
	if f.kind < frameOutput || f.kind > frameBegin {
		return f, b, fmt.Errorf("%w: kind %d is none of this version", errTorn, f.kind)
	}
	return f, b[end:], nil
}

// sound returns how many bytes of b are whole records, and what they are.
func sound(b []byte) (tally, int) {
	var t tally
	rest := b
	for len(rest) > 0 {
		f, next, err := nextFrame(rest)
		if err != nil {
			break
		}
		t.add(f)
		rest = next
	}
	return t, len(b) - len(rest)
}

// tally is what a segment holds, for its header.
type tally struct {
	records     int
	first, last int64
	output      int64
	notes       int
}

func (t *tally) add(f frame) {
	if t.records == 0 {
		t.first = f.micros
	}
	t.records++
	t.last = f.micros
	switch f.kind {
	case frameOutput:
		t.output += int64(len(f.payload))
	case frameNote:
		t.notes++
	}
}
