package record

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fixture is a customer: a system key and a key that reads recordings.
type fixture struct {
	dir    string
	signer ssh.Signer
	age    *age.X25519Identity
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return fixture{dir: t.TempDir(), signer: newSigner(t), age: id}
}

func (f fixture) options(id string) Options {
	return Options{
		Dir: f.dir, ID: id, Session: "ses-test0001", Engineer: "ada", Case: "C-4711", From: "192.0.2.7",
		Signer: f.signer, Recipients: []age.Recipient{f.age.Recipient()},
	}
}

func (f fixture) start(t testing.TB, id string, change ...func(*Options)) *Recording {
	t.Helper()
	o := f.options(id)
	for _, c := range change {
		c(&o)
	}
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f fixture) path(id string) string { return filepath.Join(f.dir, id) }

func (f fixture) check() Check {
	return Check{Key: f.signer.PublicKey(), Identities: []age.Identity{f.age}}
}

// made is a closed recording of n segments: after each second there is
// another.
func (f fixture) made(t testing.TB, id string, n int, change ...func(*Options)) Summary {
	t.Helper()
	var r *Recording
	sealed := make(chan Segment, 4*n+4)
	r = f.start(t, id, append(change, func(o *Options) { o.Ship = func(s Segment) { sealed <- s } })...)
	must(t, r.Resize(0, 100, 30))
	for i := range n {
		must(t, r.Output(0, fmt.Appendf(nil, "line %d of %s\r\n", i, id)))
		if i < n-1 {
			r.expire() // as the timer does after a second
			<-sealed
		}
	}
	sum, err := r.Close("the engineer left")
	must(t, err)
	return sum
}

func read(t testing.TB, r *Reader) (output map[uint32]string, notes []Note) {
	t.Helper()
	output = map[uint32]string{}
	for rec, err := range r.Records() {
		must(t, err)
		if rec.Note != nil {
			notes = append(notes, *rec.Note)
		}
		output[rec.Channel] += string(rec.Output)
	}
	return output, notes
}

// REQ E1
func TestRecording(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-rec00001")
	must(t, r.Resize(0, 100, 30))
	big := strings.Repeat("0123456789abcdef", 30_000)
	must(t, r.Output(0, []byte("hello\r\n")))
	must(t, r.Output(1, []byte(big)))
	must(t, r.Output(1, nil))
	must(t, r.Note(Note{Kind: Command, Channel: 1, Command: "cat \xff big"}))
	must(t, r.Note(Note{Kind: File, Path: "/tmp/a\xfe", Direction: Upload, Size: 12, SHA256: "ab"}))
	sum, err := r.Close("the engineer left")
	must(t, err)
	if sum.Commands != 1 || sum.FileCount != 1 || sum.Output != int64(7+len(big)) || sum.Head.Segment != sum.Segments-1 || sum.Segments < 2 {
		t.Errorf("summary %+v", sum)
	}
	again, err := r.Close("again")
	if err != nil || again.Reason != "the engineer left" {
		t.Errorf("the second close says %v, %v", again.Reason, err)
	}
	if err := r.Output(0, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("output after the end: %v", err)
	}

	rd, err := Open(f.path("con-rec00001"), f.age)
	must(t, err)
	output, notes := read(t, rd)
	if output[0] != "hello\r\n" || output[1] != big {
		t.Error("the output is not what was recorded")
	}
	if len(notes) != 3 || notes[0].Command != "cat \xff big" || notes[1].Path != "/tmp/a\xfe" || notes[2].Kind != Closed {
		t.Errorf("notes %+v", notes)
	}
	rep, err := Verify(f.path("con-rec00001"), f.check())
	must(t, err)
	if !rep.Content || rep.End == nil || rep.Head != sum.Head {
		t.Errorf("report %+v", rep)
	}
	// Whoever has no key for the content checks all the rest.
	rep, err = Verify(f.path("con-rec00001"), Check{Key: f.signer.PublicKey()})
	if err != nil || rep.Content {
		t.Errorf("without a key: %+v, %v", rep, err)
	}
	stranger, _ := age.GenerateX25519Identity()
	rep, err = Verify(f.path("con-rec00001"), Check{Key: f.signer.PublicKey(), Identities: []age.Identity{stranger}})
	if err != nil || rep.Content {
		t.Errorf("with a stranger's key: %+v, %v", rep, err)
	}
	if _, err := Open(f.path("con-rec00001"), stranger); err == nil {
		t.Error("a stranger can read it")
	}
}

// What is recorded is in the file before Output returns, readable by nobody
// else, and what is sealed is not readable at all.
func TestOnDiskAtOnce(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-disk0001")
	must(t, r.Output(3, []byte("SECRET-ON-SCREEN")))
	open := filepath.Join(f.path("con-disk0001"), segmentName(0, openExt))
	b, err := os.ReadFile(open)
	must(t, err)
	if !bytes.Contains(b, []byte("SECRET-ON-SCREEN")) {
		t.Error("the record is not in the file yet")
	}
	fi, err := os.Stat(open)
	must(t, err)
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
	rd, err := Open(f.path("con-disk0001"), f.age)
	must(t, err)
	if out, _ := read(t, rd); out[3] != "SECRET-ON-SCREEN" {
		t.Error("a live recording cannot be read")
	}
	rep, err := Verify(f.path("con-disk0001"), f.check())
	if err != nil || !rep.Live {
		t.Errorf("a live recording: %+v, %v", rep, err)
	}
	_, err = r.Close("done")
	must(t, err)
	files, err := os.ReadDir(f.path("con-disk0001"))
	must(t, err)
	for _, e := range files {
		b, err := os.ReadFile(filepath.Join(f.path("con-disk0001"), e.Name()))
		must(t, err)
		if bytes.Contains(b, []byte("SECRET-ON-SCREEN")) {
			t.Errorf("%s shows what was on the screen", e.Name())
		}
	}
}

// A segment is closed after a second although nothing follows, and time never
// goes back.
func TestSegmentsCloseByTime(t *testing.T) {
	f := newFixture(t)
	sealed := make(chan Segment, 8)
	var mu sync.Mutex
	now := time.Now().Round(0) // wall clock only: it can be set back
	r := f.start(t, "con-time0001", func(o *Options) {
		o.Ship = func(s Segment) { sealed <- s }
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	must(t, r.Output(0, []byte("a")))
	select {
	case s := <-sealed:
		if s.Segment != 0 || s.Final {
			t.Errorf("segment %+v", s)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the segment stays open")
	}
	mu.Lock()
	now = now.Add(-time.Hour)
	mu.Unlock()
	must(t, r.Output(0, []byte("b")))
	_, err := r.Close("done")
	must(t, err)
	if _, err := Verify(f.path("con-time0001"), f.check()); err != nil {
		t.Error(err)
	}
}

func TestWitness(t *testing.T) {
	f := newFixture(t)
	eng := newSigner(t)
	sealed := make(chan Segment, 8)
	r := f.start(t, "con-wit00001", func(o *Options) {
		o.Witness = eng.PublicKey()
		o.Ship = func(s Segment) { sealed <- s }
	})
	must(t, r.Output(0, []byte("a")))
	r.expire()
	head := (<-sealed).Head
	if head != r.Head() {
		t.Errorf("head %v, shipped %v", r.Head(), head)
	}
	sig, err := SignHead(eng, head)
	must(t, err)
	foreign, err := SignHead(newSigner(t), head)
	must(t, err)
	if err := r.Witness(head, foreign); err == nil {
		t.Error("anybody can be the witness")
	}
	other := head
	other.Segment = 7
	if err := r.Witness(other, sig); err == nil {
		t.Error("a head that was never given out is taken")
	}
	must(t, r.Witness(head, sig))
	_, err = r.Close("done")
	must(t, err)
	rep, err := Verify(f.path("con-wit00001"), f.check())
	if err != nil || rep.Witnessed != 1 {
		t.Errorf("witnessed %d, %v", rep.Witnessed, err)
	}
}

func TestStartRefuses(t *testing.T) {
	f := newFixture(t)
	f.made(t, "con-once0001", 1)
	for name, change := range map[string]func(*Options){
		"an id that is a path":  func(o *Options) { o.ID = "../con" },
		"the id of another":     func(o *Options) { o.ID = "con-once0001" },
		"no key":                func(o *Options) { o.Signer = nil },
		"nobody who could read": func(o *Options) { o.Recipients = nil },
	} {
		o := f.options("con-once0002")
		change(&o)
		if r, err := Start(o); err == nil {
			t.Errorf("%s: it starts", name)
			_, _ = r.Close("")
		}
	}
}

// Many channels at once keep their order each.
func TestConcurrentChannels(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-many0001")
	var wg sync.WaitGroup
	for ch := range uint32(8) {
		wg.Go(func() {
			for i := range 500 {
				if err := r.Output(ch, fmt.Appendf(nil, "%d.%d\n", ch, i)); err != nil {
					t.Error(err)
				}
				if i%100 == 0 {
					_ = r.Resize(ch, 80, i)
				}
			}
		})
	}
	wg.Wait()
	_, err := r.Close("done")
	must(t, err)
	rd, err := Open(f.path("con-many0001"), f.age)
	must(t, err)
	out, _ := read(t, rd)
	for ch := range uint32(8) {
		var want strings.Builder
		for i := range 500 {
			fmt.Fprintf(&want, "%d.%d\n", ch, i)
		}
		if out[ch] != want.String() {
			t.Errorf("channel %d is not what was recorded", ch)
		}
	}
}

// BenchmarkOutput measures what it costs the caller: cpu-MB/s is by the time of
// its own thread, which other work on the machine does not change. By the wall
// clock the disk is the limit, once the queue to the sealer is full.
func BenchmarkOutput(b *testing.B) {
	for _, size := range []int{64, 32 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			f := newFixture(b)
			r := f.start(b, "con-bench001")
			p := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ResetTimer()
			before := threadTime(b)
			for range b.N {
				must(b, r.Output(0, p))
			}
			used := threadTime(b) - before
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(size*b.N)/1e6/used.Seconds(), "cpu-MB/s")
			b.StopTimer()
			_, err := r.Close("done")
			must(b, err)
		})
	}
}

// threadTime is what the calling thread has used.
func threadTime(b *testing.B) time.Duration {
	var u unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_THREAD, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
