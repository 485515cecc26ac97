package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// REQ J2 E5 K6: kill -9 of anything, at a random moment, and the truth afterwards.
// Some rounds; `go run ./tools/chaos` makes as many as one likes.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the programs and takes half a minute")
	}
	bin := t.TempDir()
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, pkg := range map[string]string{"rss": "../../cmd/rss", "support": "../../cmd/support", "remote-support": "../../cmd/remote-support", "latchstring-plugins": "../../plugins"} {
		build := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	const enough = 20 * time.Second
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	more := func(i int, since time.Time) bool { return i == 0 || i < len(victims) && time.Since(since) < enough }
	if err := run(t.Context(), bin, seed, false, more, t.Logf); err != nil {
		t.Fatal(err)
	}
}

// The checks find what is wrong.
func TestNumbers(t *testing.T) {
	if err := gapless("hello\nnumber 1\r\nnumber 2\nnumber 3\nnumb"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"number 1\nnumber 3\n", "number 1\nnumber 1\n", "number 2\n"} {
		if gapless(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	if got := allNumbers([]byte("\x00\x01number 1\r\n\x02number 12\r\n")); len(got) != 2 || got[1] != 12 {
		t.Errorf("%v", got)
	}
	if pinIn("x host:1 SHA256:abc y") != "SHA256:abc" {
		t.Error("no pin")
	}
}
