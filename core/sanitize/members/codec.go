package members

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"io"
	"sync"
	"time"

	dsbzip2 "github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

var errWindow = errors.New("decoder window too large")

// decoder opens one compressed stream. The time is the one a gzip header
// holds.
func (j *job) decoder(src io.Reader, kind Kind) (io.ReadCloser, time.Time, error) {
	var none time.Time
	switch kind {
	case Gzip:
		r, err := gzip.NewReader(src)
		if err != nil {
			return nil, none, err
		}
		return r, r.ModTime, nil
	case Zstd:
		r, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(j.Window)))
		if err != nil {
			return nil, none, err
		}
		return r.IOReadCloser(), none, nil
	case XZ:
		tail := &xzTail{r: src}
		br := bufio.NewReaderSize(tail, 4<<10)
		if dictionary(br) > j.Window {
			return nil, none, errWindow
		}
		r, err := xz.NewReader(br)
		if err != nil {
			return nil, none, err
		}
		return io.NopCloser(&xzReader{dec: r, tail: tail}), none, nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(src)), none, nil
	}
	return nil, none, errors.New("no compression")
}

// Encoders have large tables; they are used again.
var (
	gzipEncoders = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	zstdEncoders = sync.Pool{New: func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
		if err != nil { // only for options out of range
			panic(err)
		}
		return w
	}}
)

// pooled gives an encoder back when it is closed.
type pooled struct {
	io.WriteCloser
	back func()
}

func (p *pooled) Close() error {
	err := p.WriteCloser.Close()
	p.back()
	return err
}

// encoder makes the counterpart. Nothing of the original's header is kept but
// the time, so that equal input gives equal output. It must be closed.
func encoder(dst io.Writer, kind Kind, mtime time.Time) (io.WriteCloser, error) {
	switch kind {
	case Gzip:
		w := gzipEncoders.Get().(*gzip.Writer)
		w.Reset(dst)
		w.Header = gzip.Header{ModTime: mtime, OS: 255}
		return &pooled{w, func() { w.Reset(nil); gzipEncoders.Put(w) }}, nil
	case Zstd:
		w := zstdEncoders.Get().(*zstd.Encoder)
		w.Reset(dst)
		return &pooled{w, func() { w.Reset(nil); zstdEncoders.Put(w) }}, nil
	case XZ:
		return xz.WriterConfig{DictCap: 1 << 20}.NewWriter(dst)
	}
	return dsbzip2.NewWriter(dst, &dsbzip2.WriterConfig{Level: 9})
}

// dictionary returns how much memory the first block of an xz stream asks for
// (xz file format 3.1: block header with its filters; LZMA2 has id 0x21 and
// one byte of properties). 0 means that it could not be told; then the decoder
// will refuse too, or ask for little.
func dictionary(br *bufio.Reader) int64 {
	head, _ := br.Peek(12 + 64)
	if len(head) < 16 || head[12] == 0 {
		return 0
	}
	b := head[13:min(len(head), 12+4*(int(head[12])+1))]
	flags := b[0]
	b = b[1:]
	skip := 0
	for _, present := range []bool{flags&0x40 != 0, flags&0x80 != 0} {
		if present { // a size, seven bits a byte
			skip++
		}
	}
	for ; skip > 0; skip-- {
		for len(b) > 0 && b[0]&0x80 != 0 {
			b = b[1:]
		}
		if len(b) > 0 {
			b = b[1:]
		}
	}
	for filter := 0; filter <= int(flags&3) && len(b) >= 3; filter++ {
		id, size := b[0], int(b[1])
		if id == 0x21 && size == 1 {
			p := b[2]
			if p > 40 {
				return 0
			}
			if p == 40 {
				return 1<<32 - 1
			}
			return int64(2|p&1) << (p/2 + 11)
		}
		b = b[min(len(b), 2+size):]
	}
	return 0
}

// unpacked takes the place of an encoder whose work nobody wants.
type unpacked struct{ io.Writer }

func (unpacked) Close() error { return nil }

func (j *job) encoder(dst io.Writer, kind Kind, mtime time.Time) (io.WriteCloser, error) {
	if j.readOnly {
		return unpacked{io.Discard}, nil
	}
	return encoder(dst, kind, mtime)
}
