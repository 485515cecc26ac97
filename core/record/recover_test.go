package record

import (
	"bufio"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

func (f fixture) recovery() Recovery {
	return Recovery{Signer: f.signer, Recipients: []age.Recipient{f.age.Recipient()}}
}

// crash leaves a recording as a killed process does: its lock gone, nothing
// closed.
func (r *Recording) crash() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.timer.Stop()
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
	r.queue.end()
	<-r.done
	r.lock.Close()
}

// REQ E5
func TestRecover(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(t *testing.T, dir string)
		cut  bool
		lost string // the end of what is lost
	}{
		{name: "killed between records", harm: func(*testing.T, string) {}},
		{name: "killed within a record", harm: func(t *testing.T, dir string) { truncate(t, dir, 3) }, cut: true, lost: "last\r\n"},
		{name: "killed within the head of a record", harm: func(t *testing.T, dir string) { truncate(t, dir, 6+frameHead-3) }, cut: true, lost: "last\r\n"},
		{name: "power cut, zeros at the end", harm: func(t *testing.T, dir string) {
			p := filepath.Join(dir, segmentName(1, openExt))
			fi, err := os.Stat(p)
			must(t, err)
			must(t, os.Truncate(p, fi.Size()+4096))
		}, cut: true},
		{name: "killed while sealing", harm: func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, segmentName(1, ".new")), []byte("half"), 0o600))
		}},
		{name: "killed after sealing, before the plain file went", harm: func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, segmentName(0, openExt)), []byte("plain"), 0o600))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			const id = "con-crash001"
			sealed := make(chan Segment, 8)
			r := f.start(t, id, func(o *Options) { o.Ship = func(s Segment) { sealed <- s } })
			must(t, r.Output(0, []byte("first\r\n")))
			r.expire()
			<-sealed
			must(t, r.Output(0, []byte("second\r\n")))
			must(t, r.Output(0, []byte("last\r\n")))
			r.crash()
			tt.harm(t, f.path(id))

			_, err := Verify(f.path(id), f.check())
			noticed(t, err, "never sealed")
			var shipped []Segment
			rec := f.recovery()
			rec.Ship = func(s Segment) { shipped = append(shipped, s) }
			ids, err := Recover(f.dir, rec)
			if err != nil || len(ids) != 1 {
				t.Fatalf("recovered %v, %v", ids, err)
			}
			rep, err := Verify(f.path(id), f.check())
			must(t, err)
			if !rep.Recovered || rep.End == nil || rep.End.Reason != Crashed || len(shipped) != 2 || !shipped[1].Final {
				t.Errorf("report %+v, shipped %v", rep, shipped)
			}
			rd, err := Open(f.path(id), f.age)
			must(t, err)
			out, _ := read(t, rd)
			if want := strings.TrimSuffix("first\r\nsecond\r\nlast\r\n", tt.lost); out[0] != want {
				t.Errorf("output %q, want %q", out[0], want)
			}
			s, err := readSegment(f.path(id), 1)
			must(t, err)
			if s.Recovered == nil || (s.Recovered.Cut > 0) != tt.cut {
				t.Errorf("recovered %+v", s.Recovered)
			}
			if ids, err := Recover(f.dir, f.recovery()); err != nil || len(ids) != 0 {
				t.Errorf("a second time: %v, %v", ids, err)
			}
			if info, ok := Look(f.path(id)); !ok || info.State != Crash {
				t.Errorf("listed as %+v", info)
			}
		})
	}
}

func truncate(t *testing.T, dir string, by int64) {
	t.Helper()
	p := filepath.Join(dir, segmentName(1, openExt))
	fi, err := os.Stat(p)
	must(t, err)
	must(t, os.Truncate(p, fi.Size()-by))
}

// Killed before the first record was whole, nobody was let in: there is
// nothing to close.
func TestRecoverNothing(t *testing.T) {
	f := newFixture(t)
	dir := f.path("con-crash002")
	must(t, os.MkdirAll(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, segmentName(0, openExt)), []byte("{"), 0o600))
	if _, err := Recover(f.dir, f.recovery()); err != nil {
		t.Error(err)
	}
	if all, err := List(f.dir); err != nil || len(all) != 0 {
		t.Errorf("listed %v, %v", all, err)
	}
}

// Recovery closes no gap that a crash cannot make, and leaves alone what is
// being recorded.
func TestRecoverRefuses(t *testing.T) {
	f := newFixture(t)
	f.made(t, "con-crash003", 4)
	must(t, os.Remove(f.file("con-crash003", 1)))
	live := f.start(t, "con-crash004")
	if ids, err := Recover(f.dir, f.recovery()); err == nil || len(ids) != 0 {
		t.Errorf("recovered %v, %v", ids, err)
	}
	_, err := live.Close("done")
	must(t, err)
	if _, err := Verify(f.path("con-crash004"), f.check()); err != nil {
		t.Error(err)
	}
}

// A process is killed in the middle of recording. Every line that it says is
// recorded is there afterwards.
func TestKill(t *testing.T) {
	if os.Getenv("RECORD_TEST_DIR") != "" {
		recordForEver(t)
		return
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	f := newFixture(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "RECORD_TEST_DIR="+f.dir, "RECORD_TEST_TO="+f.age.Recipient().String())
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	said := 0
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if _, err := fmt.Sscanf(sc.Text(), "recorded %d", &said); err == nil && said >= 8_000 {
			break
		}
	}
	must(t, cmd.Process.Signal(syscall.SIGKILL))
	_ = cmd.Wait()

	f.signer = fixedSigner(t)
	ids, err := Recover(f.dir, f.recovery())
	if err != nil || len(ids) != 1 {
		t.Fatalf("recovered %v, %v", ids, err)
	}
	rep, err := Verify(f.path("con-kill0001"), f.check())
	must(t, err)
	if rep.Segments < 2 {
		t.Errorf("only %d segments", rep.Segments)
	}
	rd, err := Open(f.path("con-kill0001"), f.age)
	must(t, err)
	text, _ := read(t, rd)
	if !strings.Contains(text[0], fmt.Sprintf("line %d\n", said)) {
		t.Errorf("line %d was recorded and is not there", said)
	}
}

func recordForEver(t *testing.T) {
	to, err := age.ParseX25519Recipient(os.Getenv("RECORD_TEST_TO"))
	must(t, err)
	r, err := Start(Options{Dir: os.Getenv("RECORD_TEST_DIR"), ID: "con-kill0001", Engineer: "ada", Signer: fixedSigner(t), Recipients: []age.Recipient{to}})
	must(t, err)
	for i := 0; ; i++ {
		must(t, r.Output(0, fmt.Appendf(nil, "line %d\n", i)))
		if i%1000 == 0 {
			if _, err := fmt.Printf("recorded %d\n", i); errors.Is(err, syscall.EPIPE) {
				return
			}
		}
	}
}

// fixedSigner is the same in both processes.
func fixedSigner(t *testing.T) ssh.Signer {
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	must(t, err)
	return s
}
