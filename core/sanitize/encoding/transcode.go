package encoding

import (
	"errors"
	"io"
	"unicode/utf8"
)

// What UTF-8 cannot say is escaped by bytes that UTF-8 never has: escapeByte,
// then the two halves of a byte, each on top of halfByte.
const (
	escapeByte = 0xff
	halfByte   = 0xf0
)

const bufferSize = 16 << 10

// A Reader delivers wide text as UTF-8. Unpaired surrogates become the three
// bytes that UTF-8 would give them; bytes that are no whole unit, and units
// that are no code point, become escapes that [Writer] understands. It holds
// 48 KB at most.
type Reader struct {
	src  io.Reader
	kind Kind
	in   [bufferSize]byte
	n    int // bytes held in in
	out  []byte
	off  int
	err  error
}

// NewReader returns a reader of UTF-8 for text of the given kind, which must
// be [Kind.Wide]; of any other the bytes pass unchanged.
func NewReader(src io.Reader, kind Kind) io.Reader {
	if !kind.Wide() {
		return src
	}
	return &Reader{src: src, kind: kind}
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	for r.off == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		r.fill()
	}
	n := copy(p, r.out[r.off:])
	r.off += n
	return n, nil
}

func (r *Reader) fill() {
	n, err := r.src.Read(r.in[r.n:])
	r.n += n
	r.err = err
	r.out, r.off = r.out[:0], 0
	used := 0
	if r.kind == UTF16LE || r.kind == UTF16BE {
		r.out, used = appendFrom16(r.out, r.in[:r.n], r.kind == UTF16LE, err != nil)
	} else {
		r.out, used = appendFrom32(r.out, r.in[:r.n], r.kind == UTF32LE)
	}
	if err != nil && errors.Is(err, io.EOF) {
		for _, b := range r.in[used:r.n] {
			r.out = appendEscape(r.out, b)
		}
		used = r.n
	}
	r.n = copy(r.in[:], r.in[used:r.n])
}

func appendEscape(dst []byte, b byte) []byte {
	return append(dst, escapeByte, halfByte|b>>4, halfByte|b&15)
}

// appendSurrogate writes a surrogate as if it were a character (WTF-8).
func appendSurrogate(dst []byte, u rune) []byte {
	return append(dst, 0xe0|byte(u>>12), 0x80|byte(u>>6)&0x3f, 0x80|byte(u)&0x3f)
}

func surrogate(u rune) bool { return 0xd800 <= u && u <= 0xdfff }

// appendFrom16 converts whole units and returns how many bytes it used. A high
// surrogate at the end waits for its partner unless this is the last call.
func appendFrom16(dst, in []byte, little, last bool) ([]byte, int) {
	unit := func(i int) rune {
		if little {
			return rune(in[i]) | rune(in[i+1])<<8
		}
		return rune(in[i])<<8 | rune(in[i+1])
	}
	i := 0
	for ; i+1 < len(in); i += 2 {
		u := unit(i)
		switch {
		case u < utf8.RuneSelf:
			dst = append(dst, byte(u))
		case !surrogate(u):
			dst = utf8.AppendRune(dst, u)
		case u >= 0xdc00:
			dst = appendSurrogate(dst, u)
		case i+3 < len(in):
			if low := unit(i + 2); 0xdc00 <= low && low <= 0xdfff {
				dst = utf8.AppendRune(dst, 0x10000+(u-0xd800)<<10+(low-0xdc00))
				i += 2
			} else {
				dst = appendSurrogate(dst, u)
			}
		case last:
			dst = appendSurrogate(dst, u)
		default:
			return dst, i
		}
	}
	return dst, i
}

func appendFrom32(dst, in []byte, little bool) ([]byte, int) {
	i := 0
	for ; i+3 < len(in); i += 4 {
		u := unit32(in[i:], little)
		switch {
		case u >= 0 && u < utf8.RuneSelf:
			dst = append(dst, byte(u))
		case u < 0 || u > utf8.MaxRune:
			for _, b := range in[i : i+4] {
				dst = appendEscape(dst, b)
			}
		case surrogate(u):
			dst = appendSurrogate(dst, u)
		default:
			dst = utf8.AppendRune(dst, u)
		}
	}
	return dst, i
}

// A Writer turns UTF-8 back into the wide encoding. Close must be called: it
// writes what is buffered (and does not close what is below).
type Writer struct {
	dst  io.Writer
	kind Kind
	part []byte // sequence cut by the end of a Write
	out  []byte
	err  error
}

// NewWriter returns a writer that gives dst text of the given kind. For a kind
// that is not [Kind.Wide] bytes pass unchanged.
func NewWriter(dst io.Writer, kind Kind) io.WriteCloser {
	if !kind.Wide() {
		return nopCloser{dst}
	}
	return &Writer{dst: dst, kind: kind}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Write implements [io.Writer].
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	total := len(p)
	for len(w.part) > 0 && len(p) > 0 { // at most a few bytes
		w.part = append(w.part, p[0])
		p = p[1:]
		used := w.convert(w.part, false)
		w.part = append(w.part[:0], w.part[used:]...)
	}
	for len(p) > 0 {
		piece := p[:min(len(p), bufferSize)]
		used := w.convert(piece, false)
		if used < len(piece) && len(piece) == len(p) || used == 0 {
			w.part = append(w.part[:0], p[used:]...)
			p = nil
		} else {
			p = p[used:]
		}
		if w.flush() != nil {
			return 0, w.err
		}
	}
	return total, nil
}

// Close writes what is left, a broken sequence as the replacement character.
func (w *Writer) Close() error {
	if w.err == nil && len(w.part) > 0 {
		w.convert(w.part, true)
		w.part = nil
	}
	if w.err == nil {
		w.flush()
	}
	return w.err
}

func (w *Writer) flush() error {
	if len(w.out) > 0 {
		_, w.err = w.dst.Write(w.out)
		w.out = w.out[:0]
	}
	return w.err
}

// convert appends p in the wide encoding to out and returns how much of p it
// used: all but a sequence that goes on behind its end.
func (w *Writer) convert(p []byte, last bool) int {
	i := 0
	for i < len(p) {
		c := p[i]
		if c < utf8.RuneSelf {
			w.unit(rune(c))
			i++
			continue
		}
		if c == escapeByte {
			if len(p)-i < 3 && !last {
				return i
			}
			if len(p)-i >= 3 && p[i+1] >= halfByte && p[i+2] >= halfByte {
				w.out = append(w.out, p[i+1]<<4|p[i+2]&15)
				i += 3
				continue
			}
			w.rune(utf8.RuneError)
			i++
			continue
		}
		if c == 0xed { // perhaps a surrogate
			if len(p)-i < 3 && !last {
				return i
			}
			if len(p)-i >= 3 && p[i+1] >= 0xa0 && p[i+1] < 0xc0 && p[i+2]&0xc0 == 0x80 {
				w.unit(rune(c&15)<<12 | rune(p[i+1]&0x3f)<<6 | rune(p[i+2]&0x3f))
				i += 3
				continue
			}
		}
		if !last && !utf8.FullRune(p[i:]) {
			return i
		}
		r, n := utf8.DecodeRune(p[i:])
		w.rune(r)
		i += n
	}
	return i
}

func (w *Writer) rune(r rune) {
	if r > 0xffff && (w.kind == UTF16LE || w.kind == UTF16BE) {
		r -= 0x10000
		w.unit(0xd800 + r>>10)
		w.unit(0xdc00 + r&0x3ff)
		return
	}
	w.unit(r)
}

func (w *Writer) unit(u rune) {
	switch w.kind {
	case UTF16LE:
		w.out = append(w.out, byte(u), byte(u>>8))
	case UTF16BE:
		w.out = append(w.out, byte(u>>8), byte(u))
	case UTF32LE:
		w.out = append(w.out, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	case UTF32BE:
		w.out = append(w.out, byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
	}
}
