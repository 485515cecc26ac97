package cmdtest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Screen is a terminal and what a program has shown on it.
type Screen struct {
	t   testing.TB
	TTY *os.File
	mu  sync.Mutex
	all bytes.Buffer
}

// OnTerminal starts a command on a terminal of its own.
func OnTerminal(t testing.TB, cmd *exec.Cmd, rows, cols uint16) *Screen {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: cols})
	if err != nil {
		t.Fatal(err)
	}
	s := &Screen{t: t, TTY: tty}
	go s.read()
	t.Cleanup(func() { tty.Close() })
	return s
}

func (s *Screen) read() {
	buf := make([]byte, 4096)
	for {
		n, err := s.TTY.Read(buf)
		s.mu.Lock()
		s.all.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// String is what was shown since the last [Screen.Forget].
func (s *Screen) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.all.String() }

// Wait waits until a text is shown.
func (s *Screen) Wait(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown; the screen:\n%s", text, strings.ReplaceAll(s.String(), "\x1b", "^"))
		}
	}
}

// Forget forgets what was shown.
func (s *Screen) Forget() { s.mu.Lock(); defer s.mu.Unlock(); s.all.Reset() }

// Type types.
func (s *Screen) Type(text string) {
	s.t.Helper()
	if _, err := s.TTY.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}
