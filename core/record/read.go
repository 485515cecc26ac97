package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// Record is one thing in a recording: output, a size, or a note.
type Record struct {
	Time       time.Time
	Channel    uint32
	Output     []byte // valid until the next record
	Cols, Rows int    // not zero: a terminal got this size
	Note       *Note
}

// Reader reads a recording, also one that is still being made.
type Reader struct {
	dir    string
	ids    []age.Identity
	begin  Begin
	Broken func(error) // when set, what is broken is told and skipped instead of ending the reading
}

// Open opens the recording in dir with the customer's key, or with the
// vendor's where it was encrypted to that too. It checks nothing but what it
// needs to read: see [Verify].
func Open(dir string, ids ...age.Identity) (*Reader, error) {
	r := &Reader{dir: dir, ids: ids}
	b, err := r.plain(0)
	if err != nil {
		return nil, fmt.Errorf("open recording %s: %w", filepath.Base(dir), err)
	}
	f, _, err := nextFrame(b)
	if err == nil && f.kind != frameBegin {
		err = errors.New("it does not say whose it is")
	}
	if err == nil {
		err = json.Unmarshal(f.payload, &r.begin)
	}
	if err != nil {
		return nil, fmt.Errorf("open recording %s: %w", filepath.Base(dir), err)
	}
	return r, nil
}

// ID is the id of the recording.
func (r *Reader) ID() string { return filepath.Base(r.dir) }

// Begin says whose connection was recorded.
func (r *Reader) Begin() Begin { return r.begin }

// plain is the content of segment n, sealed or not yet. It is
// [fs.ErrNotExist] behind the last.
func (r *Reader) plain(n int) ([]byte, error) {
	for range 2 { // it may be sealed between the two looks
		s, err := readSegment(r.dir, n)
		if err == nil {
			b, err := s.decrypt(r.ids)
			if err != nil {
				return nil, fmt.Errorf("segment %d: %w", n, err)
			}
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		b, err := readBounded(filepath.Join(r.dir, segmentName(n, openExt)))
		if err == nil {
			_, ok := sound(b) // the last record may be half written at this moment
			return b[:ok], nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fs.ErrNotExist
}

// Records gives what was recorded, in order. After an error nothing follows,
// unless Broken is set.
func (r *Reader) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		last := -1
		if all, err := segmentNumbers(r.dir, sealedExt); err == nil && len(all) > 0 {
			last = all[len(all)-1]
		}
		for n := 0; ; n++ {
			b, err := r.plain(n)
			if errors.Is(err, fs.ErrNotExist) {
				if n > last {
					return
				}
				err = fmt.Errorf("segment %d is missing", n)
			}
			if err == nil {
				var more bool
				if more, err = eachRecord(b, yield); !more {
					return
				}
			}
			if err != nil {
				err = fmt.Errorf("read recording %s: %w", r.ID(), err)
				if r.Broken == nil {
					yield(Record{}, err)
					return
				}
				r.Broken(err)
			}
		}
	}
}

// eachRecord yields the records of one segment. It reports whether to go on.
func eachRecord(b []byte, yield func(Record, error) bool) (bool, error) {
	for len(b) > 0 {
		f, rest, err := nextFrame(b)
		if err != nil {
			return true, err
		}
		b = rest
		rec, ok, err := f.record()
		if err != nil {
			return true, err
		}
		if ok && !yield(rec, nil) {
			return false, nil
		}
	}
	return true, nil
}

// record is the frame as others see it; not ok for the begin.
func (f frame) record() (rec Record, ok bool, err error) {
	rec = Record{Time: f.time(), Channel: f.channel}
	switch f.kind {
	case frameOutput:
		rec.Output = f.payload
	case frameResize:
		if len(f.payload) != 4 {
			return rec, false, fmt.Errorf("a size of %d bytes", len(f.payload))
		}
		rec.Cols = clampSize(int(f.payload[0]) | int(f.payload[1])<<8)
		rec.Rows = clampSize(int(f.payload[2]) | int(f.payload[3])<<8)
	case frameNote:
		rec.Note = new(Note)
		if err := json.Unmarshal(f.payload, rec.Note); err != nil {
			return rec, false, fmt.Errorf("read note: %w", err)
		}
	default:
		return rec, false, nil
	}
	return rec, true, nil
}

func readSegment(dir string, n int) (sealedSegment, error) {
	b, err := readBounded(filepath.Join(dir, segmentName(n, sealedExt)))
	if err != nil {
		return sealedSegment{}, err
	}
	s, err := parseSegment(b)
	if err != nil {
		return s, fmt.Errorf("segment %d: %w", n, err)
	}
	return s, nil
}

// readBounded reads a file that may come from elsewhere.
func readBounded(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil {
		return nil, err
	} else if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is no regular file", path)
	} else if fi.Size() > maxSealedFile {
		return nil, fmt.Errorf("read %s: %d bytes are too many for a segment", path, fi.Size())
	}
	return io.ReadAll(io.LimitReader(f, maxSealedFile))
}

// segmentNumbers lists the segments with that extension, ascending.
func segmentNumbers(dir, ext string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	var all []int
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ext)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(base); err == nil && n >= 0 && segmentName(n, ext) == e.Name() {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// isLive reports whether somebody is making the recording at this moment.
func isLive(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}
