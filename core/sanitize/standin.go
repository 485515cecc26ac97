package sanitize

import (
	"encoding/binary"
	"math/bits"

	"github.com/latchstring/latchstring/core/sanitize/scan"
)

// standIns remembers the pseudonyms that a stream has written lately by the
// very bytes that they stand for. A log names few hosts and users and names
// them all the time; folding and looking them up in the tables that all streams
// share costs several times as much. A pseudonym is a function of the text, so
// nothing goes stale, and an entry that was pushed out is asked for again.
type standIns struct {
	slots [1 << standInBits]standIn
}

const (
	standInBits = 11
	maxStandIn  = 60 // bytes of what is remembered, on either side
)

type standIn struct {
	n, m uint8 // bytes of text, bytes of out
	what scan.What
	same bool // out is text
	text [maxStandIn]byte
	out  [shortText]byte
}

// shortText is the length of what is copied whole, because how much of it counts
// is hard to foretell for a processor.
const shortText = 64

// appendShort appends text[:n].
func appendShort(dst []byte, text *[shortText]byte, n int) []byte {
	at := len(dst)
	if cap(dst)-at < shortText {
		return append(dst, text[:n]...)
	}
	dst = dst[:at+shortText]
	*(*[shortText]byte)(dst[at:]) = *text
	return dst[:at+n]
}

// slot is where buf[start:end] has its place.
func (t *standIns) slot(buf []byte, start, end int, what scan.What) *standIn {
	n := end - start
	var head, tail uint64
	if n >= 8 {
		head, tail = binary.LittleEndian.Uint64(buf[start:]), binary.LittleEndian.Uint64(buf[end-8:])
		if n > 16 {
			head ^= bits.RotateLeft64(binary.LittleEndian.Uint64(buf[start+n/2-4:]), 23)
		}
	} else {
		for _, c := range buf[start:end] {
			head = head<<8 | uint64(c)
		}
	}
	h := (head ^ bits.RotateLeft64(tail, 31) ^ uint64(n)<<8 ^ uint64(what)) * 0x9E3779B97F4A7C15
	return &t.slots[h>>(64-standInBits)]
}

func (e *standIn) is(text []byte, what scan.What) bool {
	return int(e.n) == len(text) && e.what == what && string(e.text[:e.n]) == string(text)
}

func (e *standIn) put(text, out []byte, what scan.What) {
	if len(text) > len(e.text) || len(out) > len(e.out) {
		return
	}
	e.n, e.m, e.what = uint8(copy(e.text[:], text)), uint8(copy(e.out[:], out)), what
	e.same = string(text) == string(out)
}
