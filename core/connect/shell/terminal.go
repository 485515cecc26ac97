package shell

import (
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// Terminal is the engineer's own.
type Terminal struct {
	Type    string // TERM
	Size    func() (cols, rows int)
	Raw     func() (restore func(), err error)
	Resized <-chan struct{}
}

// Local is the terminal of this process, or nil when its input is none.
func Local() *Terminal {
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	if !term.IsTerminal(in) {
		return nil
	}
	sized := out
	if !term.IsTerminal(sized) {
		sized = in
	}
	t := &Terminal{Type: os.Getenv("TERM"), Resized: resizes()}
	if t.Type == "" {
		t.Type = "dumb"
	}
	t.Size = func() (int, int) {
		cols, rows, err := term.GetSize(sized)
		if err != nil || cols <= 0 || rows <= 0 {
			return 80, 24
		}
		return cols, rows
	}
	t.Raw = func() (func(), error) {
		state, err := term.MakeRaw(in)
		if err != nil {
			return nil, fmt.Errorf("set up the terminal: %w", err)
		}
		return func() { term.Restore(in, state) }, nil
	}
	return t
}

// modes are those of a terminal on which the far end does the editing.
var modes = ssh.TerminalModes{ssh.ECHO: 1, ssh.TTY_OP_ISPEED: 38400, ssh.TTY_OP_OSPEED: 38400, ssh.VERASE: 127, ssh.IUTF8: 1}
