package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Types of objects, and flags, of the format.
const (
	typeData  = 1
	typeEntry = 3
	typeArray = 6

	flagXZ, flagLZ4, flagZstd = 1, 2, 4

	incompatibleCompact = 16
	incompatibleKnown   = 1 | 2 | 4 | 8 | 16

	objectHeader = 16
	minHeader    = 208
)

// Limits on what a file may ask for.
const (
	maxField  = 1 << 20 // bytes of one field; journald's own limit is 768 MiB
	maxFields = 1 << 10 // of one entry
	maxArray  = 1 << 22 // entries in one array; journald makes them larger as the file grows
)

// File is a journal file.
type File struct {
	r       io.ReaderAt
	size    uint64
	compact bool
	entries uint64 // offset of the first array of entries
	cache   map[uint64][]byte
}

var errFormat = errors.New("this is no journal file")

// Open reads the header of a journal file of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	h := make([]byte, minHeader)
	if size < minHeader {
		return nil, errFormat
	}
	if _, err := r.ReadAt(h, 0); err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	if string(h[:8]) != "LPKSHHRH" {
		return nil, errFormat
	}
	incompatible := binary.LittleEndian.Uint32(h[12:])
	if unknown := incompatible &^ incompatibleKnown; unknown != 0 {
		return nil, fmt.Errorf("read journal: it uses features (%#x) that are newer than this reader", unknown)
	}
	f := &File{r: r, size: uint64(size), compact: incompatible&incompatibleCompact != 0, cache: map[uint64][]byte{}}
	f.entries = binary.LittleEndian.Uint64(h[176:])
	return f, nil
}

// object reads the beginning of an object, at most n bytes beyond its header,
// and its size as it claims.
func (f *File) object(at uint64, kind byte, n uint64) (b []byte, size uint64, err error) {
	if at < minHeader || at%8 != 0 || at > f.size || f.size-at < objectHeader {
		return nil, 0, fmt.Errorf("an object at %d, outside of the file", at)
	}
	var head [objectHeader]byte
	if _, err := f.r.ReadAt(head[:], int64(at)); err != nil {
		return nil, 0, err
	}
	size = binary.LittleEndian.Uint64(head[8:])
	if head[0] != kind || size < objectHeader || size > f.size-at {
		return nil, 0, fmt.Errorf("an object at %d of kind %d with %d bytes is damaged", at, head[0], size)
	}
	b = make([]byte, objectHeader+min(n, size-objectHeader))
	_, err = f.r.ReadAt(b, int64(at))
	return b, size, err
}

// width is the size of an item in an array of entries.
func (f *File) width() uint64 {
	if f.compact {
		return 4
	}
	return 8
}

// offsets returns those of the last n entries, the oldest first.
func (f *File) offsets(n int) ([]uint64, error) {
	ring := make([]uint64, 0, min(n, 4096))
	next, total := 0, 0
	for at := f.entries; at != 0; {
		b, size, err := f.object(at, typeArray, 8+maxArray*f.width())
		if err != nil {
			return ordered(ring, next, total, n), err
		}
		if size < 24 || len(b) < 24 {
			return ordered(ring, next, total, n), errFormat
		}
		following := binary.LittleEndian.Uint64(b[16:])
		for items := b[24:]; uint64(len(items)) >= f.width(); items = items[f.width():] {
			var o uint64
			if f.compact {
				o = uint64(binary.LittleEndian.Uint32(items))
			} else {
				o = binary.LittleEndian.Uint64(items)
			}
			if o == 0 {
				break // the rest is not used yet
			}
			if len(ring) < n {
				ring = append(ring, o)
			} else {
				ring[next] = o
				next = (next + 1) % n
			}
			total++
		}
		if following != 0 && following <= at {
			return ordered(ring, next, total, n), errors.New("the list of entries goes backwards")
		}
		at = following
	}
	return ordered(ring, next, total, n), nil
}

func ordered(ring []uint64, next, total, n int) []uint64 {
	if total <= n {
		return ring
	}
	return append(append(make([]uint64, 0, len(ring)), ring[next:]...), ring[:next]...)
}

// Last yields the last n entries that are not older than since, the oldest
// first. An error is of one entry, or of the list; what else there is comes all
// the same.
func (f *File) Last(n int, since time.Time) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		all, err := f.offsets(max(n, 1))
		if err != nil && !yield(nil, err) {
			return
		}
		for _, at := range all {
			e, err := f.entry(at, since)
			if e == nil && err == nil {
				continue // too old
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
