package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// raceOn is set where the race detector is part of the program.
var raceOn bool

// A large log costs little memory, however large: a peer takes 489 MB for one
// of 97 MB.
func TestMemoryOfALargeLog(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 40 MB")
	}
	if raceOn {
		t.Skip("the race detector keeps a shadow of all memory")
	}
	const size, most = 40 << 20, 100 << 20
	dir := t.TempDir()
	path := filepath.Join(dir, "big.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for n, i := 0, 0; n < size; i++ {
		k, err := fmt.Fprintf(w, "Nov 22 10:%02d:%02d app[%d]: request %d from 10.1.%d.%d took %d ms, user=u%d path=/v1/things/%d\n", i/60%60, i%60, i%9973, i, i%251, i%241, i%977, i%97, i%4001)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("send-bundle", "--root", filepath.Join(dir, "r"), "--only", "files", "--include", path, "--output", filepath.Join(dir, "b"), "--no-encrypt")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	t.Logf("peak memory %d MB for a log of %d MB", rss>>20, size>>20)
	if rss > most {
		t.Errorf("peak memory %d MB, more than %d", rss>>20, most>>20)
	}
}
