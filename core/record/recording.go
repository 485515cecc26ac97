package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// maxAge is how long a segment stays open.
const maxAge = time.Second

// ErrClosed is what a recording returns that was closed.
var ErrClosed = errors.New("the recording is closed")

// Recording is one that is being made. Its methods may be called from many
// goroutines.
type Recording struct {
	o     Options
	dir   string
	lock  *os.File
	begin Begin
	timer *time.Timer
	queue *backlog // to the sealer
	done  chan struct{}
	let   chan struct{} // closed when this process has let go of the directory

	fail failure

	mu       door
	finished bool // only the closing record is missing
	closed   bool
	limit    int // bytes of a segment: output that streams gets larger ones
	start    time.Time
	micros   int64    // of the last record
	file     *os.File // the open segment, nil when there is none
	cur      *pending
	sum      Summary

	headMu    sync.Mutex
	heads     []Head // the newest last
	counter   *Counter
	final     bool // the newest head is the last under which something was recorded
	witnessed Witnessing
}

// failure is the first error, which stays.
type failure struct {
	once sync.Once
	set  chan struct{}
	err  error
	tell func(error)
}

func (f *failure) is() error {
	select {
	case <-f.set:
		return f.err
	default:
		return nil
	}
}

func (f *failure) because(err error) error {
	f.once.Do(func() {
		f.err = err
		close(f.set)
		if f.tell != nil {
			go f.tell(err) // it may well close the recording
		}
	})
	return f.err
}

// Start begins a recording. Its first record is on disk when it returns.
func Start(o Options) (*Recording, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("start recording: %w", err)
	}
	dir := filepath.Join(o.Dir, o.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start recording %s: %w", o.ID, err) // also: the id was used before
	}
	if err := durable.SyncDir(o.Dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	start := o.Now()
	r := &Recording{
		o: o, dir: dir, lock: lock, start: start, micros: start.UnixMicro(),
		mu: make(door, 1), limit: maxSegment, queue: newBacklog(), done: make(chan struct{}), let: make(chan struct{}),
		fail: failure{set: make(chan struct{}), tell: o.Failed},
		begin: Begin{
			Session: o.Session, Engineer: o.Engineer, Case: o.Case, From: o.From, System: o.System,
			Key: keyLine(o.Signer.PublicKey()), Witness: keyLine(o.Witness), Started: start.UTC(),
		},
		sum: Summary{Recording: o.ID, Session: o.Session, Engineer: o.Engineer, Case: o.Case, From: o.From, Started: start.UTC()},
	}
	makeReserve(dir)
	go r.run(&chain{id: o.ID, dir: dir, signer: o.Signer, recipients: o.Recipients, prev: zeroHash})
	b, err := json.Marshal(r.begin)
	if err == nil {
		err = r.add(frame{kind: frameBegin, payload: b})
	}
	if err != nil {
		_, _ = r.Close("recording could not start")
		return nil, err
	}
	return r, nil
}

// ID is the id of the recording, which is that of the connection.
func (r *Recording) ID() string { return r.o.ID }

// Err is what made recording impossible, or nil.
func (r *Recording) Err() error { return r.fail.is() }

// Output records bytes on their way to the engineer's screen.
//
// What comes faster than it can be sealed waits here. When the disk does nothing
// for ten seconds, the recording has failed.
func (r *Recording) Output(channel uint32, p []byte) error {
	if !r.queue.room(r.o.patience, r.fail.set) {
		return r.fail.because(r.hung())
	}
	for len(p) > maxOutput {
		if err := r.add(frame{kind: frameOutput, channel: channel, payload: p[:maxOutput]}); err != nil {
			return err
		}
		p = p[maxOutput:]
	}
	if len(p) == 0 {
		return r.fail.is()
	}
	return r.add(frame{kind: frameOutput, channel: channel, payload: p})
}

// Resize records the size of a terminal, first of all when it is made.
func (r *Recording) Resize(channel uint32, cols, rows int) error {
	cols, rows = clampSize(cols), clampSize(rows)
	return r.add(frame{kind: frameResize, channel: channel, payload: []byte{byte(cols), byte(cols >> 8), byte(rows), byte(rows >> 8)}})
}

// clampSize keeps a size within what players can show.
func clampSize(n int) int { return min(max(n, 1), 4096) }

// Note records what happened beside the output.
func (r *Recording) Note(n Note) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.mu.Unlock()
	return r.note(n)
}

func (r *Recording) note(n Note) error {
	now := r.now()
	if n.Time.IsZero() {
		n.Time = time.UnixMicro(now).UTC()
	}
	b, err := json.Marshal(n)
	if err != nil {
		return r.fail.because(fmt.Errorf("recording %s: %w", r.o.ID, err))
	}
	if err := r.write(frame{kind: frameNote, channel: n.Channel, micros: now, payload: b}); err != nil {
		return err
	}
	r.sum.add(n)
	return nil
}

func (r *Recording) add(f frame) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.mu.Unlock()
	f.micros = r.now()
	return r.write(f)
}

// enter takes the lock, unless somebody who has it waits for a hung disk.
func (r *Recording) enter() error {
	if r.mu.lockWithin(r.o.patience) {
		return nil
	}
	return r.fail.because(r.hung())
}

func (r *Recording) hung() error {
	return fmt.Errorf("recording %s: %w: %s has been waited for for %s", r.o.ID, errHung, r.o.Dir, r.o.patience)
}

// now is the start by the wall and the time since by the monotonic clock: it
// never goes back, whatever is done to the wall clock.
func (r *Recording) now() int64 {
	r.micros = max(r.micros, r.start.UnixMicro()+r.o.Now().Sub(r.start).Microseconds())
	return r.micros
}

// write puts one record into the open segment, in one write.
func (r *Recording) write(f frame) error {
	if err := r.fail.is(); err != nil {
		return err
	}
	if r.closed || r.finished {
		return ErrClosed
	}
	if r.cur != nil && len(r.cur.plain)+frameHead+len(f.payload) > r.limit {
		r.rotate()
		r.limit = maxStream
	}
	if r.file == nil {
		if err := r.open(); err != nil {
			return r.fail.because(r.explain(err))
		}
	}
	at := len(r.cur.plain)
	grown := appendFrame(r.cur.plain, f)
	if _, err := r.file.WriteAt(grown[at:], int64(at)); err != nil {
		_ = r.file.Truncate(int64(at)) // what stands there stays valid in any case
		return r.fail.because(r.explain(err))
	}
	r.cur.plain = grown
	r.cur.tally.add(f)
	if f.kind == frameOutput {
		r.sum.Output += int64(len(f.payload))
	}
	return nil
}

func (r *Recording) open() error {
	n := r.sum.Segments
	f, err := r.create(filepath.Join(r.dir, segmentName(n, openExt)))
	if err != nil {
		return err
	}
	r.file, r.cur = f, segments.Get().(*pending)
	r.cur.n = n
	if cap(r.cur.plain) < r.limit {
		r.cur.plain = make([]byte, 0, r.limit)
	}
	if n == 0 {
		r.cur.begin = &r.begin
	}
	r.sum.Segments++
	if r.timer == nil {
		r.timer = time.AfterFunc(maxAge, r.expire)
	} else {
		r.timer.Reset(maxAge)
	}
	return nil
}

func createFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// create makes a file, and waits no longer for it than a disk may take.
func (r *Recording) create(path string) (*os.File, error) {
	type made struct {
		f   *os.File
		err error
	}
	c := make(chan made, 1)
	go func() {
		f, err := r.o.create(path)
		c <- made{f, err}
	}()
	timer := time.NewTimer(r.o.patience)
	defer timer.Stop()
	select {
	case m := <-c:
		return m.f, m.err
	case <-timer.C:
	}
	go func() { // when the disk comes back
		if m := <-c; m.err == nil {
			m.f.Close()
			os.Remove(path)
		}
	}()
	return nil, r.hung()
}

// expire closes a segment that has been open for long enough. When it comes
// late, and there is another already, closing that does no harm.
func (r *Recording) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = maxSegment
	if r.file != nil {
		r.rotate()
	}
}

// rotate hands the open segment to the sealer.
func (r *Recording) rotate() {
	r.timer.Stop()
	if err := r.file.Close(); err != nil {
		r.fail.because(r.explain(err))
	}
	p := r.cur
	r.file, r.cur = nil, nil
	r.queue.put(p)
}

// explain says what failed and what to do about it.
func (r *Recording) explain(err error) error {
	if errors.Is(err, errHung) {
		return err // it says all that
	}
	if isFull(err) {
		return fmt.Errorf("recording %s: the disk of %s is full, free some space or let `remote-support recordings prune` do it: %w", r.o.ID, r.o.Dir, err)
	}
	return fmt.Errorf("recording %s: %w", r.o.ID, err)
}

// segments are used again: each holds a buffer for what is in it.
var segments = sync.Pool{New: func() any { return &pending{plain: make([]byte, 0, maxSegment)} }}

func (p *pending) free() {
	*p = pending{plain: p.plain[:0]}
	segments.Put(p)
}

func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

func keyLine(key ssh.PublicKey) string {
	if key == nil {
		return ""
	}
	b := ssh.MarshalAuthorizedKey(key)
	return string(b[:len(b)-1])
}

// lockDir tells others that the recording is being made. The lock goes with
// the process.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock recording: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock recording %s: %w", filepath.Base(dir), err)
	}
	return f, nil
}
