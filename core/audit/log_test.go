package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/testdata/until"
)

func event(n int) Event {
	return Event{Type: BundleCreated, Actor: "uid:0(root)", Subject: "bundle-" + strconv.Itoa(n), Detail: map[string]string{"bytes": "12", "a<b": "\u2028 \"q\" \xff"}}
}

// fill appends n events to a new log and returns its directory.
func fill(t *testing.T, n int, opts ...Option) string {
	t.Helper()
	dir := t.TempDir()
	l := open(t, dir, opts...)
	for i := range n {
		mustAppend(t, l, event(i))
	}
	return dir
}

func open(t *testing.T, dir string, opts ...Option) *Log {
	t.Helper()
	l, err := Open(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustAppend(t *testing.T, l *Log, e Event) Record {
	t.Helper()
	r, err := l.Append(e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func small(n int64) Option { return func(l *Log) { l.segSize = n } }

func mustVerify(t *testing.T, dir string) Report {
	t.Helper()
	rep, err := Verify(dir, Check{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func records(t *testing.T, dir string) []Record {
	t.Helper()
	var out []Record
	for r, err := range Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestAppendAndRead(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, small(1500))
	var want []Record
	for i := range 20 {
		want = append(want, mustAppend(t, l, event(i)))
	}
	if diff := cmp.Diff(want, records(t, dir)); diff != "" {
		t.Errorf("records read back differ (-want +got):\n%s", diff)
	}
	rep := mustVerify(t, dir)
	if rep.Records != 20 || rep.Segments < 3 || rep.Head.Hash != want[19].Hash {
		t.Errorf("report %+v; want 20 records in several segments up to %s", rep, want[19].Hash)
	}
	for i, r := range want {
		if r.Seq != uint64(i+1) {
			t.Errorf("record %d has number %d", i, r.Seq)
		}
	}
	h, err := l.Head()
	if err != nil || h.Seq != 20 {
		t.Errorf("Head() = %+v, %v", h, err)
	}
	for _, name := range []string{lockName, headName, segmentName(1)} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, fi.Mode(), err)
		}
	}
}

func TestReadStopsEarly(t *testing.T) {
	dir := fill(t, 5)
	n := 0
	for range Read(dir) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("iterated %d times", n)
	}
}

func TestEmptyAndAbsent(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if rep := mustVerify(t, dir); rep.Records != 0 {
		t.Errorf("empty log: %+v", rep)
	}
	if _, err := Verify(filepath.Join(dir, "absent"), Check{}); err == nil {
		t.Error("a log that does not exist verified")
	}
}

func TestRefusedEvents(t *testing.T) {
	l := open(t, t.TempDir())
	for _, e := range []Event{
		{Actor: "x"}, {Type: "Bad Type", Actor: "x"}, {Type: "a.b"},
		{Type: "a.b", Actor: "x", Subject: strings.Repeat("x", MaxLine)},
	} {
		if r, err := l.Append(e); err == nil {
			t.Errorf("Append(%.40v) = %+v", e, r)
		}
	}
	if r := mustAppend(t, l, event(1)); r.Seq != 1 {
		t.Errorf("after refusals the first record has number %d", r.Seq)
	}
}

// Several logs on one directory, as several processes have them.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for w := range 4 {
		l := open(t, dir, small(4000))
		wg.Go(func() {
			for i := range 15 {
				if _, err := l.Append(event(w*100 + i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() { // a reader never sees half a record
		for range 20 {
			if _, err := Verify(dir, Check{}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if rep := mustVerify(t, dir); rep.Records != 60 || rep.Recovered != 0 {
		t.Errorf("report %+v; want 60 records", rep)
	}
}

// Real processes: this test binary appends, is killed, and others go on.
func TestKilledWriters(t *testing.T) {
	dir := t.TempDir()
	if d := os.Getenv("AUDIT_TEST_WRITER"); d != "" {
		l, err := Open(d)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			if _, err := l.Append(event(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var cmds []*exec.Cmd
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriters$")
		cmd.Env = append(os.Environ(), "AUDIT_TEST_WRITER="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	until.True(t, "60 records are written", func() bool { h, _, _ := readHead(dir); return h.Seq > 60 })
	for _, cmd := range cmds {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}
	mustAppend(t, open(t, dir), event(-1))
	if rep := mustVerify(t, dir); rep.Records <= 60 {
		t.Errorf("report %+v; want more than 60 records", rep)
	}
}

// REQ J2: what a crash cuts short is recorded, wherever it cuts.
func TestTornLine(t *testing.T) {
	last := func(dir string) string { return filepath.Join(dir, segmentName(1)) }
	whole, err := os.ReadFile(last(fill(t, 3)))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	rest := lines[2]
	torn := [][]byte{
		rest[:1], rest[:len(rest)/2], rest[:len(rest)-1], // the newline alone is missing
		make([]byte, 700), // blocks that were never written
		append(make([]byte, 700), rest[len(rest)/2:]...),        // the end was written, the beginning was not
		append(append(make([]byte, 300), '\n'), rest[:40]...),   // two lines
		bytes.Repeat([]byte("\x00\n"), 5),                       // several
		append(bytes.Repeat([]byte{0}, 9000), []byte("\"}")...), // beyond a page
	}
	for i, cut := range torn {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			dir := fill(t, 2)
			b, err := os.ReadFile(last(dir))
			if err != nil {
				t.Fatal(err)
			}
			if i == 2 {
				h, _, _ := readHead(dir)
				_, next, err := Next(h, time.Now(), event(3))
				if err != nil {
					t.Fatal(err)
				}
				cut = trimNewline(next)
			}
			if err := os.WriteFile(last(dir), append(b, cut...), 0o600); err != nil {
				t.Fatal(err)
			}
			if rep := mustVerify(t, dir); !rep.Torn || rep.Records != 2 {
				t.Errorf("before the next append: %+v; want a torn end behind 2 records", rep)
			}
			l := open(t, dir, small(10)) // full: the note must stay with what it speaks of
			r := mustAppend(t, l, event(7))
			mustAppend(t, l, event(8))
			if r.Seq != 4 {
				t.Errorf("the event has number %d; want 4, behind the note", r.Seq)
			}
			got := records(t, dir)
			if got[2].Type != LogRecovered || got[2].Detail["torn_bytes"] == "" {
				t.Errorf("record 3 is %+v; want a note of the recovery", got[2])
			}
			if rep := mustVerify(t, dir); rep.Recovered != 1 || rep.Torn || rep.Records != 5 {
				t.Errorf("report %+v; want one recovery in 5 records", rep)
			}
		})
	}
}

// The note of a crash cannot be used to explain away a record.
func TestRecoveryHidesNothing(t *testing.T) {
	dir := fill(t, 3)
	l := open(t, dir)
	head, _ := l.Head()
	segs, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(segs, []byte("\n"))
	second, err := Decode(trimNewline(lines[1]))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(trimNewline(lines[2]))
	_, note, err := Next(Head{Seq: second.Seq, Hash: second.Hash}, time.Now(), Event{Type: LogRecovered, Actor: "audit",
		Detail: map[string]string{"torn_bytes": strconv.Itoa(len(lines[2]) - 1), "torn_sha256": hex.EncodeToString(sum[:])}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, segmentName(1)), append(segs, note...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(dir, Check{}); err == nil {
		t.Error("a record was explained away although the head names it")
	}
	if err := os.Remove(filepath.Join(dir, headName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(dir, Check{Anchors: []Head{head}}); err == nil {
		t.Error("a record was explained away although it was anchored")
	}
}

// The format page says how anybody recomputes a hash with standard tools.
func TestHashByShell(t *testing.T) {
	dir := fill(t, 1)
	b, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^(.*),"hash":"([0-9a-f]{64})"}\n$`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("line %s has another form", b)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(m[1])); got != string(m[2]) {
		t.Errorf("hash by hand %s, in the line %s", got, m[2])
	}
}

func TestReadsOldestVersion(t *testing.T) {
	rep, err := Verify("testdata/v1", Check{})
	if err != nil || rep.Records != 3 {
		t.Errorf("Verify = %+v, %v; want the 3 records of version 1", rep, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	l, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		if _, err := l.Append(event(1)); err != nil {
			b.Fatal(err)
		}
	}
}
