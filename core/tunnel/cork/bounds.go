package cork

import (
	"encoding/binary"
	"net"
)

// Leavable is what is below a TLS connection that can end before its
// connection does: other bytes follow behind the last record, in either
// direction.
type Leavable interface {
	// Bound makes reads stop at the ends of records from now on, so that TLS
	// never takes bytes that are not its own. Nothing but whole records may
	// have been read so far, which holds where the other side waits for an answer.
	Bound()
	// Below is the connection that records go over.
	Below() net.Conn
	// Rest is what was read of it behind the last record. It is called once,
	// after TLS has reported the end of what the other side sends, and nothing is
	// read through here any more.
	Rest() []byte
}

const recordHead = 5 // type, version, length (RFC 8446, section 5.1)

// Bounds follows a stream of TLS records. Its zero value is at the beginning of
// one.
type Bounds struct {
	head [recordHead]byte
	have int // of the head
	left int // of the body
}

// Within is how many bytes at the front of b belong to the record that the
// stream is in. The stream is behind them then.
func (r *Bounds) Within(b []byte) (n int) {
	for n < len(b) {
		if r.have < recordHead {
			m := copy(r.head[r.have:], b[n:])
			r.have += m
			n += m
			if r.have < recordHead {
				break
			}
			r.left = int(binary.BigEndian.Uint16(r.head[3:]))
		}
		m := min(r.left, len(b)-n)
		r.left -= m
		n += m
		if r.left == 0 {
			r.have = 0
			break
		}
	}
	return n
}
