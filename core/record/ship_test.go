package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// relay keeps what it is sent, and fails as often as told.
type relay struct {
	mu   sync.Mutex
	got  map[string][]int
	dir  string
	fail int
	sent chan struct{}
}

func (r *relay) upload(_ context.Context, s Segment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail > 0 {
		r.fail--
		return errors.New("the link is down")
	}
	b, err := os.ReadFile(s.Path)
	if err != nil || int64(len(b)) != s.Size {
		return fmt.Errorf("read %d of %d bytes: %w", len(b), s.Size, err)
	}
	r.got[s.Recording] = append(r.got[s.Recording], s.Segment)
	if r.sent != nil {
		r.sent <- struct{}{}
	}
	return Store(filepath.Join(r.dir, s.Recording), s.Segment, b)
}

// REQ E2
func TestShipper(t *testing.T) {
	f := newFixture(t)
	f.made(t, "con-ship0001", 3)
	f.made(t, "con-ship0002", 1)
	r := &relay{got: map[string][]int{}, dir: t.TempDir(), fail: 1}
	s := NewShipper(f.dir, r.upload, nil)
	if err := s.Pass(t.Context()); err == nil {
		t.Error("a link that is down is no error")
	}
	if diff := cmp.Diff(map[string][]int{"con-ship0002": {0}}, r.got); diff != "" {
		t.Errorf("one recording holds up the other: %s", diff)
	}
	// A restart goes on where it was.
	s = NewShipper(f.dir, r.upload, nil)
	must(t, s.Pass(t.Context()))
	must(t, s.Pass(t.Context()))
	if diff := cmp.Diff(map[string][]int{"con-ship0001": {0, 1, 2}, "con-ship0002": {0}}, r.got); diff != "" {
		t.Error(diff)
	}
	must(t, os.WriteFile(shippedPath(f.path("con-ship0001")), []byte("rubbish"), 0o600))
	if n := shipped(f.path("con-ship0001")); n != 0 {
		t.Errorf("rubbish counts as %d", n)
	}
	// The copy at the relay verifies as the original does, and can be opened.
	rep, err := Verify(filepath.Join(r.dir, "con-ship0001"), f.check())
	if err != nil || !rep.Content {
		t.Errorf("the copy: %+v, %v", rep, err)
	}
}

// While a recording is made its segments leave one by one, and the shipper
// outlives a link that goes down.
func TestShipperRuns(t *testing.T) {
	f := newFixture(t)
	r := &relay{got: map[string][]int{}, dir: t.TempDir(), fail: 2, sent: make(chan struct{}, 16)}
	s := NewShipper(f.dir, r.upload, nil)
	s.first = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	rec := f.start(t, "con-ship0003", func(o *Options) { o.Ship = func(Segment) { s.Wake() } })
	for i := range 3 {
		must(t, rec.Output(0, []byte("x")))
		rec.expire()
		select {
		case <-r.sent:
		case <-time.After(10 * time.Second):
			t.Fatalf("segment %d does not leave", i)
		}
	}
	_, err := rec.Close("done")
	must(t, err)
	<-r.sent
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3}, r.got["con-ship0003"]); diff != "" {
		t.Error(diff)
	}
}

func TestPrune(t *testing.T) {
	f := newFixture(t)
	f.made(t, "con-old00001", 1)
	f.made(t, "con-old00002", 1)
	live := f.start(t, "con-old00003")
	must(t, setShipped(f.path("con-old00001"), 1))
	var gone []string
	tell := func(i Info) error { gone = append(gone, i.ID); return nil }
	later := time.Now().Add(time.Hour)
	must(t, Prune(f.dir, time.Now().Add(-time.Hour), true, tell))
	must(t, Prune(f.dir, later, false, tell))
	must(t, Prune(f.dir, later, true, tell))
	if diff := cmp.Diff([]string{"con-old00001", "con-old00002"}, gone); diff != "" {
		t.Error(diff)
	}
	_, err := live.Close("done")
	must(t, err)
	if err := Prune(f.dir, later, true, func(Info) error { return errors.New("no log") }); err == nil {
		t.Error("what cannot be told is removed")
	}
	if _, ok := Look(f.path("con-old00003")); !ok {
		t.Error("it is gone")
	}
}

func TestLoadKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity", "recording.key")
	keys := make([]string, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			id, err := LoadKey(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = id.String()
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatal("first use at the same time makes two keys")
		}
	}
	fi, err := os.Stat(path)
	must(t, err)
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
	must(t, os.Chmod(path, 0o644))
	if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others read: %v", err)
	}
	must(t, os.Chmod(path, 0o600))
	must(t, os.WriteFile(path, []byte("rubbish"), 0o600))
	if _, err := LoadKey(path); err == nil {
		t.Error("rubbish is a key")
	}
}

func TestPassport(t *testing.T) {
	f := newFixture(t)
	sum := f.made(t, "con-pass0001", 2)
	dir := t.TempDir()
	p := Passport{Session: "ses-pass0001", System: "sys-x", Opener: "uid:0(root)", Reason: "expired", Connections: []Visit{{Summary: sum}}}
	path, err := SignPassport(dir, p, f.signer)
	must(t, err)
	got, err := ReadPassport(path, f.signer.PublicKey())
	must(t, err)
	if len(got.Heads()) != 1 || got.Heads()[0] != sum.Head {
		t.Errorf("heads %v", got.Heads())
	}
	coded := func(name string, err error) {
		t.Helper()
		var c interface{ ExitCode() int }
		if !errors.As(err, &c) || c.ExitCode() != 4 {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = ReadPassport(path, newSigner(t).PublicKey())
	coded("another key", err)
	other := filepath.Join(dir, "ses-pass0002.json")
	copyFile(t, path, other)
	_, err = ReadPassport(other, f.signer.PublicKey())
	coded("no signature", err)
	copyFile(t, path+".sig", other+".sig")
	_, err = ReadPassport(other, f.signer.PublicKey())
	coded("under another name", err)
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte(strings.Replace(string(b), "expired", "revoked", 1)), 0o600))
	_, err = ReadPassport(path, f.signer.PublicKey())
	coded("changed", err)
	if _, err := SignPassport(dir, Passport{Session: "../x"}, f.signer); err == nil {
		t.Error("a session that is a path")
	}

	// Stock OpenSSH says the same of passports and of headers.
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed: apt-get install openssh-client")
	}
	allowed := filepath.Join(dir, "allowed")
	must(t, os.WriteFile(allowed, []byte("sys "+keyLine(f.signer.PublicKey())+"\n"), 0o600))
	check := func(namespace, sig string, message []byte) error {
		cmd := exec.Command(keygen, "-Y", "verify", "-f", allowed, "-I", "sys", "-n", namespace, "-s", sig)
		cmd.Stdin = strings.NewReader(string(message))
		return cmd.Run()
	}
	if err := check(NamespacePassport, path+".sig", b); err != nil {
		t.Errorf("ssh-keygen on a passport: %v", err)
	}
	if err := check(NamespacePassport, path+".sig", b[1:]); err == nil {
		t.Error("ssh-keygen takes anything")
	}
	s, err := readSegment(f.path("con-pass0001"), 1)
	must(t, err)
	sig := filepath.Join(dir, "header.sig")
	must(t, os.WriteFile(sig, s.signature, 0o600))
	if err := check(Namespace, sig, s.line); err != nil {
		t.Errorf("ssh-keygen on a header: %v", err)
	}
}

// A full disk ends the recording with a clear error; what was recorded until
// then is there, closed and whole.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounts a small tmpfs: needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0700"); err != nil {
		t.Skipf("no tmpfs can be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	f := newFixture(t)
	f.dir = filepath.Join(dir, "recordings")
	failed := make(chan error, 1)
	r := f.start(t, "con-full0001", func(o *Options) { o.Failed = func(err error) { failed <- err } })
	block := []byte(strings.Repeat("x", 32<<10))
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = r.Output(0, block)
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "full") {
		t.Fatalf("after %d blocks: %v", n, err)
	}
	if e := r.Output(0, []byte("y")); !errors.Is(e, syscall.ENOSPC) {
		t.Errorf("the error does not stay: %v", e)
	}
	if e := <-failed; !errors.Is(e, syscall.ENOSPC) {
		t.Errorf("told %v", e)
	}
	sum, err := r.Close("the recording failed")
	if !errors.Is(err, syscall.ENOSPC) || sum.Failed == "" {
		t.Errorf("close: %v, %+v", err, sum)
	}
	rep, err := Verify(f.path("con-full0001"), f.check())
	if err != nil {
		// Not even the reserve was enough: then it waits for space.
		var broken *BrokenError
		if !errors.As(err, &broken) {
			t.Fatal(err)
		}
		t.Logf("not closed yet: %v", err)
		must(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=16m"))
		_, err = Recover(f.dir, f.recovery())
		must(t, err)
		rep, err = Verify(f.path("con-full0001"), f.check())
		must(t, err)
	} else if rep.End == nil || rep.End.Failed == "" {
		t.Errorf("the closing record says nothing of it: %+v", rep.End)
	}
	rd, err := Open(f.path("con-full0001"), f.age)
	must(t, err)
	out, _ := read(t, rd)
	if want := (n - 1) * len(block); len(out[0]) < want-len(block) || len(out[0]) > want {
		t.Errorf("%d bytes are there, about %d were recorded", len(out[0]), want)
	}
}
