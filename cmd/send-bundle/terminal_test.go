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
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/bundle"
)

// screen is what a program on a terminal has shown since it was last forgotten.
type screen struct {
	t   *testing.T
	tty *os.File
	mu  sync.Mutex
	all bytes.Buffer
}

// onTerminal runs send-bundle on a terminal of 80 by 24.
func onTerminal(t *testing.T, args ...string) (*screen, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "send-bundle", args...)
	cmd.Env = append(os.Environ(), "TERM=xterm")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, tty: tty}
	go s.read()
	t.Cleanup(func() { tty.Close() })
	return s, cmd
}

func (s *screen) read() {
	buf := make([]byte, 4096)
	for {
		n, err := s.tty.Read(buf)
		s.mu.Lock()
		s.all.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *screen) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.all.String() }

func (s *screen) wait(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown; the screen:\n%s", text, strings.ReplaceAll(s.String(), "\x1b", "^"))
		}
	}
}

// typed forgets what was shown and types.
func (s *screen) typed(text string) {
	s.t.Helper()
	s.mu.Lock()
	s.all.Reset()
	s.mu.Unlock()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// lines tells whether the terminal has its lines back.
func (s *screen) cooked() {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil || mode.Lflag&unix.ICANON == 0 || mode.Lflag&unix.ECHO == 0 {
		s.t.Errorf("the terminal is left raw: %+v, %v", mode, err)
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
	s.wait("enter look")
	s.wait("c.txt")
	s.typed("\x1b[B\r") // the first file behind the listing, a.conf
	s.wait("side by side")
	s.wait("*|*")
	s.wait("Wint3rIsComing!")
	s.wait("REDACTED")
	s.typed("\t")
	s.wait("line 1 of 3")
	if strings.Contains(s.String(), "Wint3r") {
		t.Error("raw is shown where only sanitized should be")
	}
	s.typed("q")
	s.wait("enter look")
	s.typed("w")
	s.wait("hide everywhere: _")
	s.typed("project-bluebird\r")
	s.wait("files were changed")
	s.typed("/")
	s.wait("names with: _")
	s.typed("c.txt\r")
	s.wait(`Names with "c.txt"`)
	s.typed(" ")
	s.wait("1 are out")
	s.typed("\x1b")
	s.wait("a.conf")
	s.typed("s")
	s.wait("Let exactly this leave? [y/N] ")
	_, rest, _ := strings.Cut(s.String(), "sha256   ")
	shown, _, _ := strings.Cut(rest, "\r")
	s.cooked()
	s.typed("y\n")
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
	for name, leave := range map[string]func(*screen, *exec.Cmd){
		"q":       func(s *screen, _ *exec.Cmd) { s.typed("q") },
		"^C":      func(s *screen, _ *exec.Cmd) { s.typed("\x03") },
		"SIGTERM": func(_ *screen, c *exec.Cmd) { c.Process.Signal(unix.SIGTERM) },
	} {
		out := filepath.Join(dir, "b")
		s, cmd := onTerminal(t, "--root", filepath.Join(dir, "r"), "--only", "files", "--include", filepath.Join(dir, "data"), "--output", out, "--no-encrypt", "--preview")
		s.wait("enter look")
		leave(s, cmd)
		if err := cmd.Wait(); err == nil {
			t.Errorf("%s: it ended well", name)
		}
		s.cooked()
		if !strings.Contains(s.String(), "\x1b[?1049l") {
			t.Errorf("%s: the first screen is not back", name)
		}
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
	s.wait("What shall be collected?")
	s.wait(" s ")     // a time
	s.typed("\x1b[C") // files
	s.wait("/data")
	s.typed("\x1b[F\x1b[C") // system
	s.wait("summary.json")
	s.typed("\x1b[B ") // its first item
	s.wait("[-]")
	s.typed("\x1b[H ") // files
	s.wait("[ ] ▾ files")
	s.typed("\r")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, s.String())
	}
	s.cooked()
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
