package playback

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/record"
)

// made is a recording of pieces, one channel each, a second apart.
func made(t *testing.T, pieces ...string) (dir string, key *age.X25519Identity) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	dir = t.TempDir()
	r, err := record.Start(record.Options{Dir: dir, ID: "con-play0001", Signer: signer, Recipients: []age.Recipient{key.Recipient()},
		Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pieces {
		if err := r.Output(uint32(i), []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Note(record.Note{Kind: record.Command, Command: "id\n\x1b]52;c;x\a\xff"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Close("done"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "con-play0001"), key
}

func open(t *testing.T, dir string, key age.Identity) *record.Reader {
	t.Helper()
	r, err := record.Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlay(t *testing.T) {
	dir, key := made(t, "one\r\n", "\x1b[31mtwo\r\n", "three")
	for _, tt := range []struct {
		channel int
		want    string
	}{{-1, "one\r\n\x1b[31mtwo\r\nthree"}, {1, "\x1b[31mtwo\r\n"}, {9, ""}} {
		var out, notes bytes.Buffer
		err := Play(t.Context(), open(t, dir, key), Options{Out: &out, Notes: &notes, Channel: tt.channel, Speed: 100, IdleLimit: 100 * time.Millisecond})
		if err != nil || out.String() != tt.want {
			t.Errorf("channel %d: %q, %v", tt.channel, out.String(), err)
		}
		if tt.channel < 0 && !strings.Contains(notes.String(), `ran id\u000a\u001b]52;c;x\u0007\xff`) {
			t.Errorf("notes %q", notes.String())
		}
	}
}

// The pauses are those of the recording, shortened as asked; who stops
// watching is not kept.
func TestPauses(t *testing.T) {
	dir, key := made(t, "one", "two", "three")
	begin := time.Now()
	if err := Play(t.Context(), open(t, dir, key), Options{Out: io.Discard, Channel: -1, Speed: 20}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("four seconds at 20 times the speed took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin = time.Now()
	if err := Play(ctx, open(t, dir, key), Options{Out: io.Discard, Channel: -1}); err != nil || time.Since(begin) > 500*time.Millisecond {
		t.Errorf("stopped: %v after %v", err, time.Since(begin))
	}
}

// On a terminal its state comes back, and what it answered to a query in the
// recording does not reach the shell as if it were typed.
func TestTerminal(t *testing.T) {
	if dir := os.Getenv("PLAYBACK_TEST_DIR"); dir != "" {
		key, err := age.ParseX25519Identity(os.Getenv("PLAYBACK_TEST_KEY"))
		if err != nil {
			t.Fatal(err)
		}
		before := termios(t, os.Stdin)
		if err := Play(t.Context(), open(t, dir, key), Options{Out: os.Stdout, Channel: -1, Speed: 5}); err != nil {
			t.Fatal(err)
		}
		n, _ := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCINQ)
		fmt.Printf("left %d same %v\r\n", n, *before == *termios(t, os.Stdin))
		return
	}
	dir, key := made(t, "\x1b[?1049h\x1b[?25l\x1b[6n", "more", "more")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTerminal$")
	cmd.Env = append(os.Environ(), "PLAYBACK_TEST_DIR="+dir, "PLAYBACK_TEST_KEY="+key.String())
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Skipf("no pseudo terminal here: %v", err)
	}
	defer tty.Close()
	var all bytes.Buffer
	buf := make([]byte, 4096)
	answered := false
	for {
		n, err := tty.Read(buf)
		all.Write(buf[:n])
		if !answered && bytes.Contains(all.Bytes(), []byte("\x1b[6n")) {
			answered = true
			if _, err := tty.Write([]byte("\x1b[1;1Rrm -rf x\r")); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%q", err, all.String())
	}
	shown := all.String()
	if !strings.Contains(shown, "left 0 same true") || !strings.Contains(shown, reset[:20]) || strings.Contains(shown, "rm -rf") {
		t.Errorf("the terminal got %q", shown)
	}
}

func termios(t *testing.T, f *os.File) *unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
