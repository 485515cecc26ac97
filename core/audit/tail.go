package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Tail follows a log that grows: each record once, in order, for those who bring
// them elsewhere. It reads what is new and nothing twice. Whether the log holds
// is for [Verify]; a Tail passes over what is no record.
//
// A Tail is not safe for concurrent use.
type Tail struct {
	dir   string
	after uint64 // records up to this one are not wanted
	found bool   // seg and off are known
	seg   uint64 // number of the first record of the segment
	off   int64  // how much of it was read
}

// Follow returns a tail of the log in dir that begins behind record after.
func Follow(dir string, after uint64) *Tail { return &Tail{dir: dir, after: after} }

// Last is the number of the last record of the log in dir, 0 when there is none.
func Last(dir string) (uint64, error) {
	v, err := snapshot(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		return 0, err
	}
	for i := len(v.segs) - 1; i >= 0; i-- {
		t, err := readTail(filepath.Join(dir, v.segs[i].name), v.segs[i].size)
		if err != nil {
			return 0, err
		}
		if t.last != nil {
			return max(t.last.Seq, v.head.Seq), nil
		}
	}
	return v.head.Seq, nil
}

// Next calls fn for the records that were added since the last call, until fn
// returns false; the next call goes on behind that one.
func (t *Tail) Next(fn func(Record) bool) error {
	v, err := snapshot(t.dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if !t.found && len(v.segs) > 0 {
		t.found, t.seg, t.off = true, v.segs[0].first, 0
		for _, s := range v.segs {
			if s.first <= t.after+1 {
				t.seg = s.first
			}
		}
	}
	for _, s := range v.segs {
		if s.first < t.seg {
			continue
		}
		if s.first > t.seg {
			t.seg, t.off = s.first, 0
		}
		if s.size <= t.off {
			continue
		}
		more, err := t.read(s, fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// read goes through what is new in a segment. A record is held back until the
// line behind it is known, which may say that it was torn by a crash and does not
// count. The files were measured under the lock, so that a last line without a
// newline is torn, and whoever ends it says so in the same write.
func (t *Tail) read(s segment, fn func(Record) bool) (more bool, err error) {
	f, err := os.Open(filepath.Join(t.dir, s.name))
	if err != nil {
		return false, fmt.Errorf("follow audit log: %w", err)
	}
	defer f.Close()
	r := newFeed(io.NewSectionReader(f, t.off, s.size-t.off))
	var held *Record
	begin, heldEnd := t.off, t.off
	give := func() bool {
		if held == nil {
			return true
		}
		rec := *held
		held = nil
		t.off = heldEnd
		if rec.Seq <= t.after {
			return true
		}
		t.after = rec.Seq
		return fn(rec)
	}
	for {
		line, n, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, fmt.Errorf("follow audit log %s: %w", s.name, err)
		}
		begin += n
		rec, bad := Decode(line)
		if bad != nil {
			continue
		}
		if held != nil && rec.Type == LogRecovered && rec.Seq == held.Seq {
			held = nil
		}
		if !give() {
			return false, nil
		}
		held, heldEnd = &rec, begin
	}
	if !give() {
		return false, nil
	}
	t.off = begin
	return true, nil
}

// feed is the whole lines of a reader. What is longer than a record can be is
// passed on cut, and is then none.
type feed struct {
	r   io.Reader
	buf []byte
	eof bool
}

func newFeed(r io.Reader) *feed { return &feed{r: r} }

// next returns a line without its newline, and how many bytes it took. What
// follows the last newline is left for later.
func (l *feed) next() ([]byte, int64, error) {
	skipped := int64(0)
	for {
		if i := bytes.IndexByte(l.buf, '\n'); i >= 0 {
			line := l.buf[:i]
			l.buf = l.buf[i+1:]
			if skipped > 0 {
				line = nil
			}
			return line, skipped + int64(i) + 1, nil
		}
		if l.eof {
			return nil, 0, io.EOF
		}
		if len(l.buf) > MaxLine {
			skipped += int64(len(l.buf))
			l.buf = nil
		}
		chunk := make([]byte, len(l.buf)+32<<10)
		n := copy(chunk, l.buf)
		m, err := l.r.Read(chunk[n:])
		l.buf = chunk[:n+m]
		if errors.Is(err, io.EOF) {
			l.eof = true
		} else if err != nil {
			return nil, 0, err
		}
	}
}
