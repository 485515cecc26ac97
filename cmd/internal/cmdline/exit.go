package cmdline

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes of every command.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2 // wrong flags or arguments
	ExitRefused     = 3 // refused by policy
	ExitCheckFailed = 4 // a verification did not hold, a leak was found
	ExitQueued      = 5 // not delivered yet
)

// Code returns the exit code for an error: that of the first error in its
// chain with an ExitCode method, else 1; 130 when the user interrupted.
func Code(err error) int {
	var coder interface{ ExitCode() int }
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &coder):
		return coder.ExitCode()
	case errors.Is(err, context.Canceled):
		return 130
	}
	return ExitFailed
}

type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }
func (e *usageError) ExitCode() int { return ExitUsage }

// Usagef makes an error for wrong flags or arguments (exit code 2).
func Usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

type silent struct{ code int }

func (e *silent) Error() string { return "" }
func (e *silent) ExitCode() int { return e.code }

// Silent is an error for a command that has already said everything.
func Silent(code int) error { return &silent{code} }
