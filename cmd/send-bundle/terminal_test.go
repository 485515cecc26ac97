package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/testdata/cmdtest"
	"github.com/latchstring/latchstring/testdata/until"
)

// onTerminal runs send-bundle on a terminal of 80 by 24.
func onTerminal(t *testing.T, args ...string) (*cmdtest.Screen, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "send-bundle", args...)
	cmd.Env = append(os.Environ(), "TERM=xterm")
	return cmdtest.OnTerminal(t, cmd, 24, 80), cmd
}

// typed forgets what was shown and types.
func typed(s *cmdtest.Screen, text string) {
	s.Forget()
	s.Type(text)
}

// cooked tells whether the terminal has its lines back.
func cooked(t *testing.T, s *cmdtest.Screen) {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.TTY.Fd()), unix.TCGETS)
	if err != nil || mode.Lflag&unix.ICANON == 0 || mode.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal is left raw: %+v, %v", mode, err)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// A review at a terminal: raw beside sanitized, a word hidden at the last
// minute, a file taken out; the hash that is shown is that of the file.
func TestReview(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "data/a.conf", "# one\n# two\npassword = Wint3rIsComing!\n")
	put(t, dir, "data/b.log", "Project-Bluebird failed\n")
	put(t, dir, "data/c.txt", "nobody's business\n")
	out := filepath.Join(dir, "b")
	s, cmd := onTerminal(t, "--root", filepath.Join(dir, "r"), "--only", "files", "--include", filepath.Join(dir, "data"), "--output", out, "--no-encrypt", "--preview")
	s.Wait("enter look")
	s.Wait("c.txt")
	typed(s, "\x1b[B\r") // the first file behind the listing, a.conf
	s.Wait("side by side")
	s.Wait("*|*")
	s.Wait("Wint3rIsComing!")
	s.Wait("REDACTED")
	typed(s, "\t")
	s.Wait("line 1 of 3")
	if strings.Contains(s.String(), "Wint3r") {
		t.Error("raw is shown where only sanitized should be")
	}
	typed(s, "q")
	s.Wait("enter look")
	typed(s, "w")
	s.Wait("hide everywhere: _")
	typed(s, "project-bluebird\r")
	s.Wait("files were changed")
	typed(s, "/")
	s.Wait("names with: _")
	typed(s, "c.txt\r")
	s.Wait(`Names with "c.txt"`)
	typed(s, " ")
	s.Wait("1 are out")
	typed(s, "\x1b")
	s.Wait("a.conf")
	typed(s, "s")
	s.Wait("Let exactly this leave? [y/N] ")
	_, rest, _ := strings.Cut(s.String(), "sha256   ")
	shown, _, _ := strings.Cut(rest, "\r")
	cooked(t, s)
	typed(s, "y\n")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, s.String())
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != shown {
		t.Errorf("shown %s, written %x", shown, sum)
	}
	b, err := bundle.Open(out, bundle.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Walk(t.Context(), func(f bundle.File, r io.Reader) error {
		text, err := io.ReadAll(r)
		if strings.HasSuffix(f.Path, "c.txt") || bytes.Contains(bytes.ToLower(text), []byte("bluebird")) || bytes.Contains(text, []byte("Wint3r")) {
			t.Errorf("%s: %s", f.Path, text)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// Whoever gives up has sent nothing, and has his terminal back; so has whoever
// is asked to end.
func TestReviewGivenUp(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "data/a.log", "hello\n")
	for name, leave := range map[string]func(*cmdtest.Screen, *exec.Cmd){
		"q":       func(s *cmdtest.Screen, _ *exec.Cmd) { typed(s, "q") },
		"^C":      func(s *cmdtest.Screen, _ *exec.Cmd) { typed(s, "\x03") },
		"SIGTERM": func(_ *cmdtest.Screen, c *exec.Cmd) { c.Process.Signal(unix.SIGTERM) },
	} {
		out := filepath.Join(dir, "b")
		s, cmd := onTerminal(t, "--root", filepath.Join(dir, "r"), "--only", "files", "--include", filepath.Join(dir, "data"), "--output", out, "--no-encrypt", "--preview")
		s.Wait("enter look")
		leave(s, cmd)
		if err := cmd.Wait(); err == nil {
			t.Errorf("%s: it ended well", name)
		}
		cooked(t, s)
		// What it wrote last may still be on its way here.
		until.True(t, name+": the first screen is back", func() bool { return strings.Contains(s.String(), "\x1b[?1049l") })
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was written", name)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "r/var/spool/run-*")); len(left) > 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}

// The picker: items of a collector, one of them left out, how long it took.
func TestPick(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "data/a.log", "hello\n")
	put(t, dir, "data/b.log", strings.Repeat("some more text\n", 100_000))
	root := filepath.Join(dir, "r")
	out := filepath.Join(dir, "b")
	args := []string{"--root", root, "--only", "system", "--include", filepath.Join(dir, "data"), "--no-encrypt", "--output"}
	first := exec.Command("send-bundle", append(args, filepath.Join(dir, "first"))...)
	if o, err := first.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, o)
	}
	s, cmd := onTerminal(t, append(args, out, "--pick")...)
	s.Wait("What shall be collected?")
	s.Wait(" s ")      // a time
	typed(s, "\x1b[C") // files
	s.Wait("/data")
	typed(s, "\x1b[F\x1b[C") // system
	s.Wait("summary.json")
	typed(s, "\x1b[B ") // its first item
	s.Wait("[-]")
	typed(s, "\x1b[H ") // files
	s.Wait("[ ] ▾ files")
	typed(s, "\r")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, s.String())
	}
	cooked(t, s)
	b, err := bundle.Open(out, bundle.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var names []string
	for _, f := range b.Manifest.Files {
		names = append(names, f.Path)
		if f.Collector != "system" {
			t.Errorf("%s is there", f.Path)
		}
	}
	skipped := 0
	for _, m := range b.Manifest.Missing {
		if m.Collector == "system" && m.State == bundle.Skipped {
			skipped++
		}
	}
	if len(names) < 10 || skipped != 1 {
		t.Errorf("files: %v", names)
	}
}
