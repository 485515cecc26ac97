package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/crypto/ssh"
)

// endTime is how long a command has to end after an interrupt.
const endTime = 3 * time.Second

// Options say what to run and where its streams are.
type Options struct {
	Command        string    // empty: the login shell
	Terminal       *Terminal // nil: no terminal is asked for
	Escapes        bool      // ~. and the like, with a terminal
	Stdin          io.Reader // nil: none
	Stdout, Stderr io.Writer
}

// ExitError is how a command ended that did not end with status 0.
type ExitError struct {
	Status int
	Signal string // that ended it, without SIG
	Said   string // by the far end, about the signal
}

func (e *ExitError) Error() string {
	if e.Signal != "" {
		return "the command was ended by SIG" + e.Signal
	}
	return fmt.Sprintf("the command ended with status %d", e.Status)
}

// ExitCode is what a command that ran it ends with, as shells have it.
func (e *ExitError) ExitCode() int {
	if e.Signal != "" {
		return 128 + signalNumbers[ssh.Signal(e.Signal)]
	}
	return e.Status
}

var signalNumbers = map[ssh.Signal]int{
	ssh.SIGHUP: 1, ssh.SIGINT: 2, ssh.SIGQUIT: 3, ssh.SIGILL: 4, ssh.SIGABRT: 6, ssh.SIGFPE: 8, ssh.SIGKILL: 9, ssh.SIGUSR1: 10, ssh.SIGSEGV: 11, ssh.SIGUSR2: 12, ssh.SIGPIPE: 13, ssh.SIGALRM: 14, ssh.SIGTERM: 15,
}

// ErrEnded is returned when the engineer typed ~.
var ErrEnded = errors.New("the connection was ended by the escape ~. of the engineer")

// Run runs the command and waits for its end. When ctx ends, the command gets
// an interrupt and a little time.
func Run(ctx context.Context, client *ssh.Client, o Options) error {
	s, err := client.NewSession()
	if err != nil {
		return refused("a session", err)
	}
	defer s.Close()
	stdin, err := s.StdinPipe()
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	s.Stdout, s.Stderr = o.Stdout, o.Stderr
	ended := make(chan struct{})
	in := o.Stdin
	if o.Terminal != nil {
		cols, rows := o.Terminal.Size()
		if err := requestPTY(s, o.Terminal.Type, rows, cols, modes); err != nil {
			return refused("a terminal", err)
		}
		restore, err := o.Terminal.Raw()
		if err != nil {
			return err
		}
		defer restore()
		if o.Escapes && in != nil {
			in = newEscapes(in, func() { close(ended) }, func(text string) { io.WriteString(o.Stderr, text) })
		}
	}
	if o.Command == "" {
		err = s.Shell()
	} else {
		err = s.Start(o.Command)
	}
	if err != nil {
		return refused("this", err)
	}
	if in != nil {
		go func() {
			io.Copy(stdin, in)
			stdin.Close()
		}()
	} else {
		stdin.Close()
	}
	done := make(chan error, 1)
	go func() { done <- s.Wait() }()
	return wait(ctx, s, o.Terminal, ended, done)
}

func wait(ctx context.Context, s *ssh.Session, t *Terminal, ended <-chan struct{}, done <-chan error) error {
	sig := make(chan os.Signal, 4)
	for local := range passed {
		signal.Notify(sig, local)
	}
	defer signal.Stop(sig)
	var resized <-chan struct{}
	if t != nil {
		resized = t.Resized
	}
	for {
		select {
		case err := <-done:
			return exit(err)
		case <-ended:
			return ErrEnded
		case <-resized:
			cols, rows := t.Size()
			s.WindowChange(rows, cols)
		case got := <-sig:
			s.Signal(passed[got])
		case <-ctx.Done():
			s.Signal(ssh.SIGINT)
			select {
			case err := <-done:
				return exit(err)
			case <-time.After(endTime):
				return ctx.Err()
			}
		}
	}
}

func exit(err error) error {
	var e *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return &ExitError{Status: e.ExitStatus(), Signal: e.Signal(), Said: e.Msg()}
	case errors.As(err, &missing):
		return &LostError{err}
	}
	return &LostError{err}
}

// LostError is a connection that ended before the command did.
type LostError struct{ Err error }

func (e *LostError) Error() string { return "the connection ended before the command did" }

func (e *LostError) Unwrap() error { return e.Err }

// RefusedError is the system's no to what was asked of it.
type RefusedError struct{ What, Why string }

func (e *RefusedError) Error() string {
	if e.Why == "" {
		return fmt.Sprintf("the system's policy does not allow %s", e.What)
	}
	return fmt.Sprintf("the system does not allow %s: %s", e.What, e.Why)
}

// ExitCode is that of a refusal by policy.
func (e *RefusedError) ExitCode() int { return 3 }

func refused(what string, err error) error {
	var open *ssh.OpenChannelError
	switch {
	case errors.As(err, &open):
		return &RefusedError{what, open.Message}
	case errors.Is(err, io.EOF):
		return &LostError{err}
	}
	// A request that the far end answered with no has no words of its own.
	return &RefusedError{What: what}
}
