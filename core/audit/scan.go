package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Problem is one place where a log does not hold.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0 when it is about the file
	What string `json:"what"`

	crash bool // the end of the log was cut short in a line the head never named
}

func (p *Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("audit log: %s: %s", p.File, p.What)
	}
	return fmt.Sprintf("audit log: %s:%d: %s", p.File, p.Line, p.What)
}

// Read yields the records of the log in dir, oldest first, as they were when
// the iteration began. Where the log does not hold it yields a *[Problem] and
// goes on; any other error ends the iteration.
func Read(dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		snap, err := snapshot(dir)
		if err != nil {
			yield(Record{}, err)
			return
		}
		s := &scanner{dir: dir, yield: func(it item) bool {
			if it.problem != nil {
				return yield(Record{}, it.problem)
			}
			return yield(*it.record, nil)
		}}
		if err := s.run(snap.segs); err != nil {
			yield(Record{}, err)
		}
	}
}

// view is the log at one moment: files only grow, so their sizes suffice.
type view struct {
	segs     []segment
	head     Head
	haveHead bool
	headErr  *Problem
}

func snapshot(dir string) (view, error) {
	// A copy that somebody carried away has no lock; nobody writes it either.
	lock, err := os.Open(filepath.Join(dir, lockName))
	switch {
	case err == nil:
		defer lock.Close()
		if err := flock(lock, syscall.LOCK_SH); err != nil {
			return view{}, fmt.Errorf("lock audit log %s: %w", dir, err)
		}
		defer flock(lock, syscall.LOCK_UN)
	case !errors.Is(err, fs.ErrNotExist):
		return view{}, fmt.Errorf("read audit log: %w", err)
	}
	var v view
	if v.segs, err = segments(dir); err != nil {
		return view{}, err
	}
	v.head, v.haveHead, err = readHead(dir)
	if err != nil && !errors.As(err, &v.headErr) {
		return view{}, err
	}
	return v, nil
}

// item is what a scan finds: a record or a problem.
type item struct {
	record  *Record
	problem *Problem
}

// errStop ends a scan whose consumer has had enough.
var errStop = errors.New("stop")

// scanner walks through the lines of a log. A record is held back until the
// next line is known, because that may say that it was torn.
type scanner struct {
	dir   string
	yield func(item) bool

	file      string
	lineno    int
	last      Head    // of the last record that was yielded, or zero
	pending   *Record // chained, not yet yielded
	raw       []byte  // its line
	torn      []byte  // lines that are no records
	tornAt    int
	tornWhy   error
	within    bool // the last chunk had no newline: what comes belongs to it
	recovered int
}

func (s *scanner) run(segs []segment) error {
	err := s.all(segs)
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (s *scanner) all(segs []segment) error {
	for i, seg := range segs {
		s.file, s.lineno, s.within = seg.name, 0, false
		if err := s.segment(seg, i == 0); err != nil {
			return err
		}
		if i == len(segs)-1 && s.torn != nil {
			return s.tail()
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// tail yields what is held back at the end of the log, where a torn line is
// what a crash leaves and nobody has appended since.
func (s *scanner) tail() error {
	s.torn = nil
	if err := s.flush(); err != nil {
		return err
	}
	p := &Problem{File: s.file, Line: s.tornAt, What: fmt.Sprintf("the last line was cut short: %v", s.tornWhy), crash: true}
	if !s.yield(item{problem: p}) {
		return errStop
	}
	return nil
}

func (s *scanner) segment(seg segment, first bool) error {
	f, err := os.Open(filepath.Join(s.dir, seg.name))
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	defer f.Close()
	if want := s.last.Seq + 1; seg.first != want {
		what := fmt.Sprintf("the segment begins with record %d; expected %d", seg.first, want)
		if first {
			what = fmt.Sprintf("the log begins with record %d: everything before it is missing", seg.first)
		}
		if err := s.bad(0, what); err != nil {
			return err
		}
	}
	return s.lines(io.LimitReader(f, seg.size))
}

// lines takes the lines of one segment. Memory is bounded whatever they hold.
func (s *scanner) lines(r io.Reader) error {
	br := bufio.NewReaderSize(r, MaxLine)
	for {
		b, err := br.ReadSlice('\n')
		if len(b) > 0 {
			s.lineno++
			if e := s.line(b); e != nil {
				return e
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			s.lineno-- // the rest belongs to the same line
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read audit log %s: %w", s.file, err)
		}
	}
}

func (s *scanner) line(b []byte) error {
	complete := b[len(b)-1] == '\n'
	var r Record
	err := errors.New("the line has no end")
	whole := complete && !s.within
	s.within = !complete
	if whole {
		r, err = Decode(b[:len(b)-1])
	}
	if err != nil {
		if s.torn == nil {
			s.tornAt, s.tornWhy = s.lineno, err
		}
		// What a crash tears is one line; more is kept no longer than needed
		// to find that out.
		if len(s.torn) <= 2*MaxLine {
			s.torn = append(s.torn, b...)
		}
		return nil
	}
	return s.record(r, bytes.Clone(b))
}

func (s *scanner) record(r Record, raw []byte) error {
	if r.Type == LogRecovered && s.excuses(r) {
		s.recovered++
		s.torn = nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	if why := s.breaks(r); why != "" {
		if err := s.bad(s.lineno, why); err != nil {
			return err
		}
	}
	if r.Type == LogDamaged {
		if err := s.bad(s.lineno, "records that damage was found here: "+r.Detail["found"]); err != nil {
			return err
		}
	}
	s.pending, s.raw = &r, raw
	s.last = Head{Version: Version, Seq: r.Seq, Hash: r.Hash, Time: r.Time}
	return nil
}

// breaks says why r does not follow the record before it, or "".
func (s *scanner) breaks(r Record) string {
	switch {
	case s.last.Seq == 0 && r.Seq == 1 && r.Prev != Zero:
		return "the first record names one before it"
	case s.last.Seq == 0 && r.Seq != 1:
		return fmt.Sprintf("record %d comes first; records 1 to %d are missing", r.Seq, r.Seq-1)
	case s.last.Seq == 0:
		return ""
	case r.Seq == s.last.Seq:
		return fmt.Sprintf("record %d stands here twice", r.Seq)
	case r.Seq < s.last.Seq:
		return fmt.Sprintf("record %d stands behind record %d: reordered or inserted", r.Seq, s.last.Seq)
	case r.Seq > s.last.Seq+1:
		return fmt.Sprintf("record %d follows record %d: %d missing", r.Seq, s.last.Seq, r.Seq-s.last.Seq-1)
	case r.Prev != s.last.Hash:
		return fmt.Sprintf("record %d does not follow record %d as it stands: one of the two was changed", r.Seq, s.last.Seq)
	}
	return ""
}

// excuses reports whether r is the note of a crash about the bytes before it:
// lines that are no records, or a record that lacked nothing but its newline.
func (s *scanner) excuses(r Record) bool {
	torn := s.torn
	whole := s.torn == nil && s.pending != nil && s.pending.Seq == r.Seq && s.pending.Prev == r.Prev
	if whole {
		torn = s.raw
	}
	torn = trimNewline(torn)
	sum := sha256.Sum256(torn)
	if len(torn) == 0 || r.Detail["torn_bytes"] != strconv.Itoa(len(torn)) || r.Detail["torn_sha256"] != hex.EncodeToString(sum[:]) {
		return false
	}
	if whole {
		s.last = Head{Version: Version, Seq: r.Seq - 1, Hash: r.Prev}
		if r.Seq == 1 {
			s.last = Head{}
		}
		s.pending = nil
	}
	return true
}

// flush yields what was held back, and complains about lines that nothing
// explained.
func (s *scanner) flush() error {
	if s.pending != nil {
		r := s.pending
		s.pending, s.raw = nil, nil
		if !s.yield(item{record: r}) {
			return errStop
		}
	}
	if s.torn != nil {
		s.torn = nil
		return s.bad(s.tornAt, s.tornWhy.Error())
	}
	return nil
}

func (s *scanner) bad(line int, what string) error {
	if !s.yield(item{problem: &Problem{File: s.file, Line: line, What: what}}) {
		return errStop
	}
	return nil
}

func trimNewline(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\n")) }
