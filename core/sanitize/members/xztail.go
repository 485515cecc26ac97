package members

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// xzTail watches an xz file go by and keeps its end. The decoder takes a file
// that is cut within a header for one that ends there; the footer and the index
// before it tell.
type xzTail struct {
	r    io.Reader
	tail []byte
	eof  bool
}

// xzKeep holds the index of some 500 blocks.
const xzKeep = 4 << 10

func (x *xzTail) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if x.tail = append(x.tail, p[:n]...); len(x.tail) > 2*xzKeep {
		x.tail = append(x.tail[:0], x.tail[len(x.tail)-xzKeep:]...)
	}
	x.eof = x.eof || errors.Is(err, io.EOF)
	return n, err
}

// xzReader adds the check to a decoder.
type xzReader struct {
	dec  io.Reader
	tail *xzTail
	n    uint64
}

var errTail = errors.New("xz: the file ends before its index does")

func (x *xzReader) Read(p []byte) (int, error) {
	n, err := x.dec.Read(p)
	x.n += uint64(n)
	if errors.Is(err, io.EOF) {
		if _, rest := io.Copy(io.Discard, x.tail); rest != nil {
			return n, rest
		}
		if !x.tail.whole(x.n) {
			return n, errTail
		}
	}
	return n, err
}

// whole reports whether the file ends with a footer whose index speaks of no
// more than decoded bytes (.xz file format, 2.1.2 and 4).
func (x *xzTail) whole(decoded uint64) bool {
	t := x.tail
	for len(t) >= 4 && bytes.Equal(t[len(t)-4:], make([]byte, 4)) {
		t = t[:len(t)-4] // stream padding
	}
	if len(t) < 12 || string(t[len(t)-2:]) != "YZ" {
		return false
	}
	footer := t[len(t)-12:]
	size := 4 * (int64(binary.LittleEndian.Uint32(footer[4:])) + 1)
	if size > int64(len(t)-12) {
		return int64(len(t)) > xzKeep // an index that is longer than what was kept
	}
	index := t[int64(len(t))-12-size : len(t)-12]
	if index[0] != 0 {
		return false
	}
	index = index[1:]
	records, n := binary.Uvarint(index)
	if n <= 0 {
		return false
	}
	index = index[n:]
	var sum uint64
	for range records {
		_, n := binary.Uvarint(index) // unpadded size
		if n <= 0 {
			return false
		}
		size, k := binary.Uvarint(index[n:])
		if k <= 0 || size > 1<<62 {
			return false
		}
		sum += size
		index = index[n+k:]
	}
	return sum <= decoded
}
