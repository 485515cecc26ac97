package hardware

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// moment is a clock that a test sets.
type moment struct {
	mu   sync.Mutex
	now  time.Time
	boot string
}

func (m *moment) Now() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.now }

func (m *moment) Boot() (time.Duration, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return 0, m.boot, nil
}

func (m *moment) pass(d time.Duration) { m.mu.Lock(); defer m.mu.Unlock(); m.now = m.now.Add(d) }

// lab is a machine with a watcher.
type lab struct {
	*testing.T
	clock *moment
	files map[string]string
	file  string
	w     *Watcher
	told  []string
	fail  error
}

func newLab(t *testing.T) *lab {
	l := &lab{T: t, clock: &moment{now: time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC), boot: "a"}, files: merge(mirror, server), file: filepath.Join(t.TempDir(), "hardware.json")}
	l.restart()
	return l
}

// restart is that of the agent.
func (l *lab) restart() {
	l.Helper()
	var err error
	if l.w, err = New(Options{File: l.file, Root: kernel(l.files), Clock: l.clock, Record: l.record}); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) record(n News) error {
	if l.fail != nil {
		return l.fail
	}
	text := n.Level + " " + n.Name + ": " + n.What
	if n.Over {
		text = "over " + n.Name + ": " + n.How
	}
	if n.Again > 0 {
		text += fmt.Sprintf(" (again, %d)", n.Again)
	}
	l.told = append(l.told, text)
	return nil
}

// look changes files, lets time pass and looks.
func (l *lab) look(after time.Duration, change ...string) {
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "gone" {
			delete(l.files, change[i])
			continue
		}
		l.files[change[i]] = change[i+1]
	}
	l.clock.pass(after)
	l.w.opt.Root = kernel(l.files)
	l.w.once(l.Context())
}

// want holds what was told since the last time against lines.
func (l *lab) want(lines ...string) {
	l.Helper()
	if diff := cmp.Diff(lines, l.told); diff != "" {
		l.Error(diff)
	}
	l.told = nil
}

const (
	disk    = "sys/block/sdb/device/state"
	link    = "sys/class/net/eno2/bonding_slave/mii_status"
	dimm    = "sys/devices/system/edac/mc/mc0/dimm0/dimm_"
	offline = "error disk sdb: the kernel has taken it offline after errors"
)

// REQ F3: a failure is told once, not again after restarts, and so is its end.
func TestOnce(t *testing.T) {
	l := newLab(t)
	l.look(0)
	l.want()
	l.look(time.Minute, disk, "offline")
	l.want(offline)
	l.look(time.Minute)
	l.restart()
	l.look(time.Minute)
	l.clock.boot = "b"
	l.restart()
	l.look(time.Hour)
	l.want()
	l.look(time.Minute, disk, "running")
	l.restart()
	l.look(time.Minute)
	l.want()
	l.look(time.Minute)
	l.want("over disk sdb: it is well again")
	l.restart()
	l.look(time.Hour)
	l.want()
	// What was there before anybody looked is told, too.
	os.Remove(l.file)
	l.files[disk] = "offline"
	l.restart()
	l.look(0)
	l.want(offline)
	// A disk that the kernel takes away is not mended.
	l.look(time.Minute, disk, "gone", "sys/block/sdb/removable", "gone")
	l.look(2 * time.Minute)
	l.want("over disk sdb: it is no longer there")
}

// What passes is not told, and what was never seen to work has not failed.
func TestPassing(t *testing.T) {
	l := newLab(t)
	l.files[link] = "down"
	l.look(0)
	l.look(time.Hour)
	l.want()
	l.look(time.Minute, link, "up")
	l.look(time.Minute, link, "down")
	l.look(30 * time.Second)
	l.want()
	l.look(30*time.Second, link, "up")
	l.want()
	l.look(time.Minute, link, "down")
	l.look(time.Minute)
	l.want("warning interface eno2 of bond0: its link is lost")
	// One of an adapter may be another after a restart of the machine.
	l.look(time.Minute, "sys/class/fc_host/host7/port_state", "Linkdown")
	l.clock.boot = "b"
	l.look(time.Hour)
	l.want()
}

// What comes and goes is told a few times, however often it does.
func TestFlapping(t *testing.T) {
	l := newLab(t)
	l.look(0)
	for i := range 24 * 60 / 5 { // a day, five minutes each
		state := "offline"
		if i%2 == 1 {
			state = "running"
		}
		for range 5 {
			l.look(time.Minute, disk, state)
		}
	}
	if len(l.told) < 2 || len(l.told) > 6 {
		t.Errorf("%d events: %q", len(l.told), l.told)
	}
	l.told = nil
	l.look(time.Minute, disk, "running")
	for range 7 {
		l.look(time.Hour)
	}
	if len(l.told) > 1 || len(l.w.Snapshot().Failures) != 0 {
		t.Errorf("it is still not well: %q %+v", l.told, l.w.Snapshot().Failures)
	}
}

// Counters fail when they grow, and are well after a day without.
func TestCounters(t *testing.T) {
	l := newLab(t)
	l.files[dimm+"ce_count"] = "5000" // in how long, nobody knows
	l.look(0)
	l.want()
	for i := range 60 { // one a minute is slow
		l.look(time.Minute, dimm+"ce_count", fmt.Sprint(5001+i))
	}
	l.want()
	l.look(time.Minute, dimm+"ce_count", "5200")
	l.want("warning memory CPU_SrcID#0_MC#0_Chan#0_DIMM#0: its errors, which are still corrected, come fast")
	l.look(time.Minute, dimm+"ue_count", "1")
	l.want("critical memory CPU_SrcID#0_MC#0_Chan#0_DIMM#0: it has errors that could not be corrected")
	// A restart of the machine begins to count anew, and mends nothing.
	l.clock.boot = "b"
	l.restart()
	l.look(time.Hour, dimm+"ue_count", "0", dimm+"ce_count", "0")
	l.look(time.Hour)
	l.look(time.Hour, dimm+"ue_count", "1")
	l.want()
	l.look(23 * time.Hour)
	l.want()
	l.look(2 * time.Hour)
	l.look(2 * time.Minute)
	l.look(2 * time.Hour)
	l.want("over memory CPU_SrcID#0_MC#0_Chan#0_DIMM#0: no further errors within a day",
		"over memory CPU_SrcID#0_MC#0_Chan#0_DIMM#0: no further errors within a day")
	// One that was not told before it was read is.
	l.look(time.Minute, "proc/interrupts", " MCE:  0  1  Machine check exceptions")
	l.want("critical processors: a processor has raised machine checks")
}

// What cannot be recorded is told later, and what cannot be kept is told all the same.
func TestFullDisk(t *testing.T) {
	l := newLab(t)
	l.fail = errors.New("no space left on device")
	l.look(0, disk, "offline")
	if s := l.w.Snapshot(); !strings.Contains(s.Problem, "no space left") || len(s.Failures) != 1 {
		t.Errorf("%+v", s)
	}
	l.fail = nil
	l.look(time.Minute)
	l.want(offline)
	if s := l.w.Snapshot(); s.Problem != "" {
		t.Error(s.Problem)
	}
	l.w.opt.File = filepath.Join(l.file, "no", "directory")
	l.look(time.Minute, disk, "running")
	l.look(2 * time.Minute)
	l.look(2 * time.Minute)
	l.want("over disk sdb: it is well again")
	if s := l.w.Snapshot(); s.Problem == "" {
		t.Error("nobody says that it cannot be kept")
	}
}

// A file that is damaged, or that somebody made, is no end of watching.
func TestDamagedFile(t *testing.T) {
	for _, text := range []string{"", "{", `{"v":1,"faults":{"a":null},"counters":{},"seen_to_work":{}}`, `{"v":1}`, `{"v":1,"faults":null,"counters":null,"seen_to_work":null}`, `{"v":9}`, "\x00\x00", `{"v":1,"faults":{},"counters":{"x":null},"seen_to_work":{}}`} {
		l := newLab(t)
		os.WriteFile(l.file, []byte(text), 0o600)
		w, err := New(Options{File: l.file, Root: kernel(l.files), Clock: l.clock, Record: l.record})
		if text != `{"v":1}` && !errors.Is(err, errDamaged) {
			t.Errorf("%q: %v", text, err)
		}
		l.w = w
		l.look(0, disk, "offline")
		l.want(offline)
		l.restart()
	}
}

// A clock that is set does not make anybody wait for ever.
func TestClockIsSet(t *testing.T) {
	l := newLab(t)
	l.look(0, disk, "offline", dimm+"ue_count", "1")
	l.told = nil
	l.look(-1000*day, disk, "running")
	l.look(2 * time.Minute)
	l.look(2 * time.Minute)
	l.look(25 * time.Hour)
	l.look(3 * time.Minute)
	l.want("over disk sdb: it is well again", "over memory CPU_SrcID#0_MC#0_Chan#0_DIMM#0: no further errors within a day")
}

// Hundreds of the same are told as one.
func TestCrowd(t *testing.T) {
	l := newLab(t)
	l.look(0)
	for i := range 300 {
		l.files[fmt.Sprintf("sys/block/sdx%03d/device/state", i)] = "transport-offline"
	}
	l.look(time.Minute)
	l.look(time.Minute, disk, "offline")
	if len(l.told) != 2 || !strings.Contains(strings.Join(l.told, "\n"), "disk sdx000, disk sdx001") || !strings.Contains(strings.Join(l.told, "\n"), "and 292 more") {
		t.Errorf("%q", l.told)
	}
	s := l.w.Snapshot()
	if len(s.Failures) != 301 || s.Failures[5].Told.IsZero() {
		t.Errorf("%d failures", len(s.Failures))
	}
	l.told = nil
	for i := range 300 {
		l.files[fmt.Sprintf("sys/block/sdx%03d/device/state", i)] = "running"
	}
	l.look(time.Minute)
	l.look(2 * time.Minute)
	if len(l.told) != 1 {
		t.Errorf("%q", l.told)
	}
}

// Nothing is written where nothing changes.
func TestQuiet(t *testing.T) {
	l := newLab(t)
	l.look(0)
	before, err := os.Stat(l.file)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		l.look(time.Minute)
	}
	after, err := os.Stat(l.file)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written: %v", err)
	}
	if before.Mode().Perm() != 0o600 {
		t.Error(before.Mode())
	}
}

func TestSnapshot(t *testing.T) {
	l := newLab(t)
	l.look(0, disk, "offline")
	l.look(time.Minute, link, "down")
	s := l.w.Snapshot()
	if !s.On || s.Since.IsZero() || !s.Looked.Equal(l.clock.Now()) || len(s.Failures) != 2 || s.Failures[0].Told.Equal(time.Time{}) == s.Failures[1].Told.Equal(time.Time{}) {
		t.Errorf("%+v", s)
	}
	for _, k := range s.Kinds {
		if want := map[Kind]int{Disks: 1, Links: 1}[k.Kind]; k.Failed != want || k.Parts == 0 || len(k.Names) == 0 {
			t.Errorf("%+v", k)
		}
	}
	l.look(time.Minute, disk, "running")
	if s := l.w.Snapshot(); s.Failures[1].Well.IsZero() || s.Kinds[1].Failed != 0 {
		t.Errorf("it is well and counts as failed: %+v", s)
	}
	l.look(time.Second, disk, "offline")
	// Another process sees the same, and keeps nothing.
	b, _ := os.ReadFile(l.file)
	l.told, s = nil, l.w.Snapshot()
	l.restart()
	if n := l.w.Now(); len(n.Failures) != 2 || n.Failures[0].Since != s.Failures[0].Since {
		t.Errorf("%+v", n)
	}
	if c, _ := os.ReadFile(l.file); string(b) != string(c) || len(l.told) > 0 {
		t.Error("a look of another process was kept, or told")
	}
}

// hanging is a machine with a device that never answers.
type hanging struct {
	fs.FS
	until chan struct{}
}

func (h hanging) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "sys/class/nvme") {
		<-h.until
	}
	return h.FS.Open(name)
}

// A device that hangs holds up neither the agent nor its end, and is told.
func TestHangingDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &moment{boot: "a", now: time.Now()}
		h := hanging{fstest.MapFS{}, make(chan struct{})}
		w, err := New(Options{File: filepath.Join(t.TempDir(), "h.json"), Root: h, Clock: clock, Record: func(News) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		time.Sleep(15 * time.Second)
		clock.pass(time.Minute)
		if s := w.Snapshot(); !strings.Contains(s.Problem, "hangs") {
			t.Errorf("%+v", s)
		}
		cancel()
		<-ended
		close(h.until)
	})
}

// It looks each minute, not at the same moment as all others, and not while it is
// switched off.
func TestRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		var off atomic.Bool
		var at []time.Time
		w, _ := New(Options{File: filepath.Join(t.TempDir(), "h.json"), Root: fstest.MapFS{}, Record: func(News) error { return nil }, On: func() (bool, string) { return !off.Load(), "off" }})
		begun := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		count := func(d time.Duration) int {
			before := looks
			for range d / time.Second {
				time.Sleep(time.Second)
				synctest.Wait()
				if s := w.Snapshot(); !s.Looked.IsZero() && (len(at) == 0 || !s.Looked.Equal(at[len(at)-1])) {
					looks, at = looks+1, append(at, s.Looked)
				}
			}
			return looks - before
		}
		if n := count(time.Hour); n < 55 || n > 66 || at[0].Sub(begun) > 11*time.Second {
			t.Errorf("%d looks in an hour, the first after %v", n, at[0].Sub(begun))
		}
		off.Store(true)
		if n := count(10 * time.Minute); n > 1 {
			t.Errorf("%d looks while it is off", n)
		}
		cancel()
		synctest.Wait()
	})
}

// panicking is a mistake of ours.
type panicking struct{ fs.FS }

func (panicking) Open(string) (fs.File, error) { panic("oops") }

func TestPanic(t *testing.T) {
	l := newLab(t)
	l.w.opt.Root = panicking{}
	if !l.w.once(t.Context()) || !strings.Contains(l.w.Snapshot().Problem, "oops") {
		t.Errorf("%+v", l.w.Snapshot())
	}
	l.look(time.Minute, disk, "offline")
	l.want(offline)
}
