package bundler

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/bundle"
)

// A pipe that a plugin holds open must let go of its reader when it is closed,
// even when it came as a blocking descriptor.
func TestPipeCanBeInterrupted(t *testing.T) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil { // blocking
		t.Fatal(err)
	}
	blocking, w := os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "w")
	defer blocking.Close()
	defer w.Close()
	r, err := interruptible(blocking)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	var one [1]byte
	if _, err := io.ReadFull(r, one[:]); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.Read(one[:])
		done <- err
	}()
	time.AfterFunc(20*time.Millisecond, func() { r.Close() })
	select {
	case err := <-done:
		if err == nil || err == io.EOF {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the reader hangs")
	}
}

func TestRegularFileStaysAsItIs(t *testing.T) {
	f, err := os.Open(write(t, filepath.Join(t.TempDir(), "f"), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if r, err := interruptible(f); err != nil || r != io.ReadCloser(f) {
		t.Errorf("%v, %v", r, err)
	}
}

// A preview lets the user take things out, and exactly the rest leaves.
func TestWithheld(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "keep.log"), "hello\n")
	write(t, filepath.Join(dir, "drop.log"), "mine\n")
	out := filepath.Join(t.TempDir(), "b")
	req := onlyFiles(dir)
	req.Output, req.NoEncrypt = out, true
	r, err := b.Collect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := r.Files()
	r.Withhold(func(f bundle.File) bool { return filepath.Base(f.Path) == "drop.log" })
	if _, err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	opened, files := contents(t, out)
	if len(files) != len(before)-1 {
		t.Errorf("%d files before, %d in the bundle", len(before), len(files))
	}
	told := false
	for _, m := range opened.Manifest.Missing {
		told = told || m.State == bundle.Withheld && filepath.Base(m.Name) == "drop.log"
	}
	if !told {
		t.Errorf("missing: %+v", opened.Manifest.Missing)
	}
	// The hashes that were shown are those that left.
	left := map[string]string{}
	for _, f := range opened.Manifest.Files {
		left[f.Path] = f.SHA256
	}
	for _, f := range before {
		if sum, ok := left[f.Path]; ok && sum != f.SHA256 {
			t.Errorf("%s changed between preview and seal", f.Path)
		}
	}
}
