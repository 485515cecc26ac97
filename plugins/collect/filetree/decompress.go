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
