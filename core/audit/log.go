package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

const (
	lockName = "lock"
	// A segment is closed when it has reached this many bytes.
	segmentSize = 8 << 20
)

// Log appends to the log in one directory. Several Logs, in one process or in
// many, may be open on it at once.
type Log struct {
	dir     string
	signer  Signer
	segSize int64
	now     func() time.Time

	mu   sync.Mutex
	lock *os.File
	seen end // what this Log wrote last, to spare reading it back
}

// end is a position in the log that is known to be good.
type end struct {
	seg  segment
	head Head
}

// Option changes how a log is opened.
type Option func(*Log)

// WithSigner signs each head, so that nobody without the key can make one.
func WithSigner(s Signer) Option { return func(l *Log) { l.signer = s } }

// Open opens the log in dir, which is made, with its parents, where it does
// not exist.
func Open(dir string, opts ...Option) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	l := &Log{dir: dir, lock: lock, segSize: segmentSize, now: time.Now}
	for _, o := range opts {
		o(l)
	}
	return l, nil
}

// Close closes the log. It does not wait for anything: what was appended is on
// disk already.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lock.Close()
}

// Head returns the head of the log, signed if the log is; Seq 0 means that it
// is empty. Kept elsewhere it is an anchor.
func (l *Log) Head() (Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, _, err := readHead(l.dir)
	return h, err
}

// Append adds an event. When it returns without an error the record is on
// disk; with one, what the event was to record must not happen.
func (l *Log) Append(e Event) (Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := flock(l.lock, syscall.LOCK_EX); err != nil {
		return Record{}, fmt.Errorf("lock audit log %s: %w", l.dir, err)
	}
	defer flock(l.lock, syscall.LOCK_UN)
	at, notes, err := l.locate()
	if err != nil {
		return Record{}, err
	}
	// Refuse a bad event before the notes are written for it.
	if _, _, err := Next(at.head, l.now(), e); err != nil {
		return Record{}, err
	}
	for _, note := range notes {
		if _, at, err = l.write(at, note.event, note.before, true); err != nil {
			return Record{}, err
		}
	}
	r, at, err := l.write(at, e, nil, false)
	if err != nil {
		return Record{}, err
	}
	l.seen = at
	return r, nil
}

// note is a record about the log itself that goes before the next event.
type note struct {
	event  Event
	before []byte // written in front of the record's line
}

// locate finds where the next record goes, under the lock.
func (l *Log) locate() (end, []note, error) {
	segs, err := segments(l.dir)
	if err != nil {
		return end{}, nil, err
	}
	if n := len(segs); n > 0 && segs[n-1] == l.seen.seg {
		return l.seen, nil, nil
	}
	head, haveHead, err := readHead(l.dir)
	var bad *Problem
	if err != nil && !errors.As(err, &bad) {
		return end{}, nil, err
	}
	at := end{}
	var t tail
	for i := len(segs) - 1; i >= 0; i-- {
		seg := segs[i]
		found, err := readTail(filepath.Join(l.dir, seg.name), seg.size)
		if err != nil {
			return end{}, nil, err
		}
		if i == len(segs)-1 {
			at.seg, t = seg, found
		}
		if found.last != nil {
			at.head = Head{Version: Version, Seq: found.last.Seq, Hash: found.last.Hash, Time: found.last.Time}
			break
		}
	}
	var notes []note
	switch damage := l.damage(at, head, haveHead, bad); {
	case damage != "":
		e := Event{Type: LogDamaged, Actor: "audit", Subject: at.seg.name, Detail: map[string]string{
			"found": damage, "last_record": strconv.FormatUint(at.head.Seq, 10), "head": strconv.FormatUint(head.Seq, 10)}}
		describeTorn(e.Detail, t)
		if head.Seq > at.head.Seq || head.Seq == at.head.Seq && haveHead {
			at.head = head
		}
		notes = append(notes, note{event: e, before: newline(t)})
	case len(t.torn) > 0:
		e := Event{Type: LogRecovered, Actor: "audit", Subject: at.seg.name, Detail: map[string]string{}}
		describeTorn(e.Detail, t)
		notes = append(notes, note{event: e, before: newline(t)})
	}
	return at, notes, nil
}

// damage says in words how the files contradict the head. The head is written
// after the record it names is on disk, so no crash can make it run ahead.
func (l *Log) damage(at end, head Head, haveHead bool, bad *Problem) string {
	switch {
	case bad != nil:
		return "the head file is damaged: " + bad.What
	case !haveHead && at.head.Seq > 1:
		return "the head file is missing"
	case head.Seq > at.head.Seq:
		return "records that the head names are missing or changed"
	case haveHead && head.Seq == at.head.Seq && head.Hash != at.head.Hash:
		return "the last record is not the one that the head names"
	}
	return ""
}

func describeTorn(detail map[string]string, t tail) {
	if len(t.torn) == 0 {
		return
	}
	sum := sha256.Sum256(trimNewline(t.torn))
	detail["torn_bytes"] = strconv.Itoa(len(trimNewline(t.torn)))
	detail["torn_sha256"] = hex.EncodeToString(sum[:])
}

func newline(t tail) []byte {
	if t.open {
		return []byte("\n")
	}
	return nil
}

// write appends one record, in a new segment when the present one is full and
// the record need not stay beside what it speaks of.
func (l *Log) write(at end, e Event, before []byte, stay bool) (Record, end, error) {
	r, b, err := Next(at.head, l.now(), e)
	if err != nil {
		return Record{}, at, err
	}
	flags := os.O_WRONLY | os.O_APPEND
	fresh := at.seg.name == "" || at.seg.size >= l.segSize && !stay
	if fresh {
		at.seg = segment{name: segmentName(r.Seq), first: r.Seq}
		flags |= os.O_CREATE | os.O_EXCL
	}
	path := filepath.Join(l.dir, at.seg.name)
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return Record{}, at, fmt.Errorf("write audit log: %w", err)
	}
	defer f.Close()
	n, err := f.Write(append(before, b...))
	at.seg.size += int64(n)
	if err != nil {
		return Record{}, at, fmt.Errorf("write audit log %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return Record{}, at, fmt.Errorf("sync audit log %s: %w", path, err)
	}
	if fresh {
		if err := durable.SyncDir(l.dir); err != nil {
			return Record{}, at, err
		}
	}
	at.head = Head{Version: Version, Seq: r.Seq, Hash: r.Hash, Time: r.Time}
	if err := writeHead(l.dir, at.head, l.signer); err != nil {
		return Record{}, at, fmt.Errorf("write audit head: %w", err)
	}
	return r, at, nil
}

// flock waits for the lock, through interruptions.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
