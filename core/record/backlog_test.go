package record

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A disk that does nothing any more ends the recording in bounded time, with an
// error that says so, and ends no caller's patience. What is in plain files by
// then is sealed when it comes back.
func TestHungDisk(t *testing.T) {
	f := newFixture(t)
	hangs, told := make(chan struct{}), make(chan error, 1)
	first := make(chan struct{}, 1)
	r := f.start(t, "con-hung0001", func(o *Options) {
		o.patience = 300 * time.Millisecond
		o.Failed = func(err error) { told <- err }
		o.Ship = func(Segment) { // on the goroutine that seals
			select {
			case first <- struct{}{}:
			default:
			}
			<-hangs
		}
	})
	p := make([]byte, 64<<10)
	must(t, r.Output(0, p))
	r.expire()
	<-first
	var err error
	n := 1
	for ; err == nil && n < 10_000; n++ {
		err = r.Output(0, p)
	}
	if !errors.Is(err, errHung) {
		t.Fatalf("%v after %d bytes", err, n*len(p))
	}
	if most := maxBehind + 3*maxStream; n*len(p) > most {
		t.Errorf("%d bytes wait, at most %d should", n*len(p), most)
	}
	if err := <-told; !errors.Is(err, errHung) {
		t.Errorf("told %v", err)
	}
	if err := r.Note(Note{Kind: Command, Command: "id"}); !errors.Is(err, errHung) {
		t.Errorf("a note after that: %v", err)
	}
	began := time.Now()
	sum, err := r.Close("cut")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closing took %s", took)
	}
	if !errors.Is(err, errHung) || sum.Failed == "" || sum.Engineer != "ada" {
		t.Errorf("%v, %+v", err, sum)
	}
	close(hangs)
	if _, err = r.Close("cut"); !errors.Is(err, errHung) {
		t.Errorf("%v", err)
	}
	rep, err := Verify(f.path("con-hung0001"), f.check())
	if err != nil || len(rep.Problems) > 0 {
		t.Errorf("%v, %+v", err, rep)
	}
}

// Nobody waits for ever for a lock whose holder waits for a disk.
func TestHungHolder(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-hung0002", func(o *Options) { o.patience = 100 * time.Millisecond })
	r.mu.Lock() // as one who opens a file
	for name, err := range map[string]error{"output": r.Output(0, []byte("x")), "resize": r.Resize(0, 80, 24), "note": r.Note(Note{})} {
		if !errors.Is(err, errHung) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sum, err := r.Close("cut"); !errors.Is(err, errHung) || sum.Failed == "" {
		t.Errorf("close: %v, %+v", err, sum)
	}
	r.mu.Unlock()
	if _, err := r.Close("cut"); !errors.Is(err, errHung) {
		t.Errorf("close after it: %v", err)
	}
}

// A stream of output gets larger segments, and small ones again after it.
func TestSegmentsOfStreams(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-large001")
	p := make([]byte, 32<<10)
	for range 16 << 20 / len(p) {
		must(t, r.Output(0, p))
	}
	r.mu.Lock()
	large := r.limit
	r.mu.Unlock()
	r.expire() // a second passes
	r.mu.Lock()
	small := r.limit
	r.mu.Unlock()
	if large != maxStream || small != maxSegment {
		t.Errorf("segments of %d bytes in a stream, %d after it", large, small)
	}
	sum, err := r.Close("done")
	must(t, err)
	if sum.Segments > 20 {
		t.Errorf("%d segments for 16 MiB", sum.Segments)
	}
	for n := range sum.Segments {
		fi, err := os.Stat(filepath.Join(f.path("con-large001"), segmentName(n, sealedExt)))
		must(t, err)
		if fi.Size() > maxSealedFile {
			t.Errorf("segment %d has %d bytes", n, fi.Size())
		}
	}
	rep, err := Verify(f.path("con-large001"), f.check())
	if err != nil || len(rep.Problems) > 0 {
		t.Errorf("%v, %+v", err, rep)
	}
}
