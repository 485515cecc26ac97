package ttyrec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxRecord is the longest record that is read. Real ones have some kilobytes;
// a length beyond it means that the file is something else.
const MaxRecord = 16 << 20

// ErrTruncated says that a file ends within a record.
var ErrTruncated = errors.New("ttyrec ends within a record")

// Record is one piece of output.
type Record struct {
	Time    time.Time
	Payload []byte // valid until the next record
}

// Reader reads a recording.
type Reader struct {
	r   io.Reader
	buf []byte
}

// NewReader reads from r, which should be buffered.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next gives the next record, and [io.EOF] after the last. A file that was cut
// short gives [ErrTruncated]; what came before it is good.
func (r *Reader) Next() (Record, error) {
	var head [12]byte
	n, err := io.ReadFull(r.r, head[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return Record{}, io.EOF
	}
	if err != nil {
		return Record{}, cut(err)
	}
	sec := binary.LittleEndian.Uint32(head[0:])
	usec := binary.LittleEndian.Uint32(head[4:])
	size := binary.LittleEndian.Uint32(head[8:])
	if usec >= 1e6 {
		return Record{}, fmt.Errorf("read ttyrec: %d microseconds are more than a second; this is no ttyrec file", usec)
	}
	if size > MaxRecord {
		return Record{}, fmt.Errorf("read ttyrec: a record of %d bytes; this is no ttyrec file", size)
	}
	// Memory grows with what is there, not with what is claimed.
	r.buf = r.buf[:0]
	for len(r.buf) < int(size) {
		at, step := len(r.buf), min(int(size)-len(r.buf), 64<<10)
		r.buf = append(r.buf, make([]byte, step)...)
		if _, err := io.ReadFull(r.r, r.buf[at:]); err != nil {
			return Record{}, cut(err)
		}
	}
	return Record{Time: time.Unix(int64(sec), int64(usec)*1000).UTC(), Payload: r.buf}, nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("read ttyrec: %w", err)
}
