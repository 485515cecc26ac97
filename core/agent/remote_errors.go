package agent

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/latchstring/latchstring/core/control"
)

// stateError is something that cannot be done as things are.
type stateError struct{ msg, hint string }

func (e *stateError) Error() string { return e.msg }
func (e *stateError) Hint() string  { return e.hint }

// policyError is a refusal that no file made, with the exit code of one.
type policyError struct{ msg string }

func (e *policyError) Error() string { return e.msg }
func (e *policyError) ExitCode() int { return 3 }

type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }
func (e *usageError) ExitCode() int { return 2 }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// stepError says at which step the relay could not be reached.
type stepError struct {
	step string
	err  error
	hint string
}

func (e *stepError) Error() string {
	if e.step == "" {
		return fmt.Sprintf("the relay could not be reached, so nothing is open: %v", e.err)
	}
	return fmt.Sprintf("the relay could not be reached, so nothing is open; it failed at %q: %v", e.step, e.err)
}
func (e *stepError) Unwrap() error { return e.err }

// Hint is that of the step, or where to look further.
func (e *stepError) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	return "go through it step by step with: remote-support test (and the same flags)"
}

const maxText = 200

// printable refuses text that would not be one line on a terminal or in a log.
func printable(what, s string) error {
	if !utf8.ValidString(s) || len(s) > maxText {
		return usage("%s is longer than %d bytes or no text", what, maxText)
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return usage("%s holds a character that cannot be printed", what)
		}
	}
	return nil
}

// notRunning is what the state says that is opened without the daemon.
func notRunning() error {
	return &stateError{control.ErrNotRunning.Error() + ", and remote access lives in it", "start it with: remote-support serve"}
}
