package filetree

import (
	"compress/bzip2"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressed maps the endings that are read through to their readers. The
// memory that a file can ask of them is bounded.
var compressed = map[string]func(io.Reader) (io.Reader, func(), error){
	".gz": func(r io.Reader) (io.Reader, func(), error) {
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	},
	".bz2": func(r io.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), func() {}, nil },
	".xz": func(r io.Reader) (io.Reader, func(), error) {
		z, err := xz.ReaderConfig{DictCap: 64 << 20}.NewReader(r)
		return z, func() {}, err
	},
	".zst": func(r io.Reader) (io.Reader, func(), error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	},
}

// Plain returns the name of a compressed file without its ending, or the name
// itself and false.
func Plain(name string) (plain string, isCompressed bool) {
	for ext := range compressed {
		if p, ok := strings.CutSuffix(name, ext); ok && p != "" && !strings.HasSuffix(p, "/") && !strings.HasSuffix(p, ".tar") {
			return p, true
		}
	}
	return name, false
}

// How DecompressEnd finds the end.
const (
	heldBytes = 4 << 20 // what unpacks to no more is unpacked once
	mostBytes = 4 << 30 // what unpacks to more is cut at its end after all: it may be a bomb
)

// DecompressEnd copies the last max bytes of what is inside the file of that
// name to dst: of a log, the newest. It says what it kept, or nothing when that
// is all. A long file is unpacked twice and held nowhere.
func DecompressEnd(dst io.Writer, src io.ReadSeeker, name string, most int64) (kept string, err error) {
	first := &measure{}
	over, err := Decompress(first, src, name, mostBytes)
	if err != nil {
		return "", err
	}
	left := first.size - most
	if over {
		left = 0
	}
	if first.size <= heldBytes {
		_, err := dst.Write(first.held[min(len(first.held), int(max(left, 0))):])
		return lastOf(most, left), err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("decompress %s: %w", name, err)
	}
	if over {
		_, err := Decompress(dst, src, name, most)
		return fmt.Sprintf("the first %d bytes of more than %d", most, int64(mostBytes)), err
	}
	_, err = Decompress(&skipper{w: dst, left: max(left, 0)}, src, name, 0)
	return lastOf(most, left), err
}

func lastOf(most, left int64) string {
	if left <= 0 {
		return ""
	}
	return fmt.Sprintf("the last %d of %d bytes", most, left+most)
}

// measure counts, and holds what is short.
type measure struct {
	size int64
	held []byte
}

func (m *measure) Write(p []byte) (int, error) {
	if m.size += int64(len(p)); m.size <= heldBytes {
		m.held = append(m.held, p...)
	} else {
		m.held = nil
	}
	return len(p), nil
}

// skipper drops the first bytes.
type skipper struct {
	w    io.Writer
	left int64
}

func (s *skipper) Write(p []byte) (int, error) {
	n := len(p)
	k := int(min(s.left, int64(n)))
	if s.left -= int64(k); k == n {
		return n, nil
	}
	if _, err := s.w.Write(p[k:]); err != nil {
		return 0, err
	}
	return n, nil
}

// Decompress copies what is inside the file of that name to dst, at most max
// bytes (0: all). It reports whether it stopped there.
func Decompress(dst io.Writer, src io.Reader, name string, max int64) (cut bool, err error) {
	for ext, open := range compressed {
		if !strings.HasSuffix(name, ext) {
			continue
		}
		r, end, err := open(src)
		if err != nil {
			return false, fmt.Errorf("decompress %s: %w", name, err)
		}
		defer end()
		if max <= 0 {
			_, err = io.Copy(dst, r)
		} else if _, err = io.CopyN(dst, r, max); err == io.EOF {
			err = nil
		} else if err == nil {
			var one [1]byte
			n, _ := io.ReadFull(r, one[:])
			cut = n > 0
		}
		if err != nil {
			return cut, fmt.Errorf("decompress %s: %w", name, err)
		}
		return cut, nil
	}
	return false, fmt.Errorf("decompress %s: ending not known", name)
}
