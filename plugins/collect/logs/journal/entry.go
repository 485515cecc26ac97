package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Entry is one entry of a journal.
type Entry struct {
	Realtime time.Time
	Seqnum   uint64
	Fields   map[string]string // of a name that comes twice, the first
}

// wanted are the fields that a line is made of. Nothing else is read.
var wanted = map[string]bool{"MESSAGE": true, "_HOSTNAME": true, "SYSLOG_IDENTIFIER": true, "_COMM": true, "_PID": true, "SYSLOG_PID": true, "PRIORITY": true, "_TRANSPORT": true}

func (f *File) entry(at uint64, since time.Time) (*Entry, error) {
	const items = 64 // where they begin
	step := uint64(16)
	if f.compact {
		step = 4
	}
	b, _, err := f.object(at, typeEntry, items-objectHeader+maxFields*step)
	if err != nil {
		return nil, err
	}
	if len(b) < items {
		return nil, fmt.Errorf("an entry at %d is damaged", at)
	}
	micros := binary.LittleEndian.Uint64(b[24:])
	if micros > 1<<60 {
		return nil, fmt.Errorf("an entry at %d has no time", at)
	}
	e := &Entry{Realtime: time.UnixMicro(int64(micros)).UTC(), Seqnum: binary.LittleEndian.Uint64(b[16:]), Fields: map[string]string{}}
	if e.Realtime.Before(since) {
		return nil, nil
	}
	var broken error
	for rest := b[items:]; uint64(len(rest)) >= step; rest = rest[step:] {
		var o uint64
		if f.compact {
			o = uint64(binary.LittleEndian.Uint32(rest))
		} else {
			o = binary.LittleEndian.Uint64(rest)
		}
		if o == 0 {
			continue
		}
		field, err := f.data(o)
		if err != nil {
			broken = err
			continue
		}
		name, value, _ := bytes.Cut(field, []byte("="))
		if _, twice := e.Fields[string(name)]; wanted[string(name)] && !twice {
			e.Fields[string(name)] = string(value)
		}
	}
	if len(e.Fields) == 0 && broken != nil {
		return nil, broken
	}
	return e, nil
}

// maxCache bounds the small fields that are kept: hosts, units and programs
// come again and again.
const maxCache, maxCached = 4096, 256

// data returns a field: NAME=value, cut where it is too long.
func (f *File) data(at uint64) ([]byte, error) {
	if b, ok := f.cache[at]; ok {
		return b, nil
	}
	start := uint64(64)
	if f.compact {
		start = 72
	}
	b, _, err := f.object(at, typeData, start-objectHeader+maxField)
	if err != nil {
		return nil, err
	}
	if uint64(len(b)) < start {
		return nil, fmt.Errorf("a field at %d is damaged", at)
	}
	payload, err := expand(b[1], b[start:])
	if err != nil {
		return nil, fmt.Errorf("a field at %d: %w", at, err)
	}
	if len(payload) <= maxCached {
		if len(f.cache) >= maxCache {
			clear(f.cache)
		}
		f.cache[at] = payload
	}
	return payload, nil
}

// expand undoes the compression, up to maxField bytes.
func expand(flags byte, b []byte) ([]byte, error) {
	var r io.Reader
	switch flags & (flagXZ | flagLZ4 | flagZstd) {
	case 0:
		return b, nil
	case flagLZ4:
		if len(b) < 8 {
			return nil, errors.New("cut short")
		}
		return unlz4(b[8:], int(min(binary.LittleEndian.Uint64(b), maxField)))
	case flagXZ:
		x, err := xz.ReaderConfig{DictCap: 8 << 20}.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		r = x
	case flagZstd:
		z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	default:
		return nil, errors.New("compressed in two ways")
	}
	out, err := io.ReadAll(io.LimitReader(r, maxField))
	if len(out) > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the compressed field was cut
	}
	return out, err
}

// unlz4 decodes a block of the LZ4 format, up to size bytes.
func unlz4(b []byte, size int) ([]byte, error) {
	damaged := errors.New("damaged lz4")
	out := make([]byte, 0, min(size, 64<<10))
	length := func(n int) (int, bool) {
		if n != 15 {
			return n, true
		}
		for {
			if len(b) == 0 || n > maxField {
				return 0, false
			}
			c := b[0]
			b = b[1:]
			if n += int(c); c != 255 {
				return n, true
			}
		}
	}
	for len(b) > 0 && len(out) < size {
		token := b[0]
		b = b[1:]
		n, ok := length(int(token >> 4))
		if !ok || n > len(b) {
			return nil, damaged
		}
		out, b = append(out, b[:n]...), b[n:]
		if len(b) == 0 {
			break // the last sequence has no match
		}
		if len(b) < 2 {
			return nil, damaged
		}
		back := int(b[0]) | int(b[1])<<8
		b = b[2:]
		if n, ok = length(int(token & 15)); !ok || back == 0 || back > len(out) {
			return nil, damaged
		}
		for n += 4; n > 0 && len(out) < size; n-- { // may overlap itself
			out = append(out, out[len(out)-back])
		}
	}
	return out[:min(len(out), size)], nil
}

// Line is the entry as `journalctl --output=short-iso-precise` shows it.
func (e *Entry) Line() string {
	first := func(names ...string) string {
		for _, n := range names {
			if v := e.Fields[n]; v != "" {
				return v
			}
		}
		return ""
	}
	var b strings.Builder
	b.WriteString(e.Realtime.Local().Format("2006-01-02T15:04:05.000000-0700"))
	b.WriteString(" " + plain(first("_HOSTNAME")) + " ")
	who := first("SYSLOG_IDENTIFIER", "_COMM")
	if who == "" {
		who = "unknown"
	}
	b.WriteString(plain(who))
	if pid := first("_PID", "SYSLOG_PID"); pid != "" {
		b.WriteString("[" + plain(pid) + "]")
	}
	b.WriteString(": ")
	// Further lines are put below the beginning of the message.
	indent := "\n" + strings.Repeat(" ", b.Len())
	b.WriteString(strings.ReplaceAll(strings.TrimRight(e.Fields["MESSAGE"], "\n"), "\n", indent))
	return b.String()
}

// plain keeps a field on one line.
func plain(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }
