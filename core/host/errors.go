package host

import (
	"errors"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/core/host/catalog"
)

// ErrClosed is returned by calls on a host or a plugin that was closed.
var ErrClosed = errors.New("plugin host is closed")

// NotFoundError says that no installed plugin has a role.
type NotFoundError struct {
	ID    string // ROLE/NAME
	Known []string
}

func (e *NotFoundError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no plugin %s: no plugins are installed; %s belongs beside this program", e.ID, catalog.BuiltinProgram)
	}
	return fmt.Sprintf("no plugin %s: installed are %v", e.ID, e.Known)
}

// ExitCode is that of wrong usage.
func (e *NotFoundError) ExitCode() int { return 2 }

// StateError says that a plugin is not in a state in which it may run.
type StateError struct{ Plugin catalog.Plugin }

func (e *StateError) Error() string {
	s := fmt.Sprintf("plugin %s is %s", e.Plugin.Name, e.Plugin.State)
	if e.Plugin.Reason != "" {
		s += ": " + e.Plugin.Reason
	}
	if e.Plugin.Fix != "" {
		s += "; " + e.Plugin.Fix
	}
	return s
}

// ExitCode is 4 for a plugin that was changed, 3 for one that is not allowed.
func (e *StateError) ExitCode() int {
	if e.Plugin.State == catalog.Modified {
		return 4
	}
	return 3
}

// MisbehaviorError says that a plugin did what none may do. It was killed.
type MisbehaviorError struct{ ID, What string }

func (e *MisbehaviorError) Error() string {
	return fmt.Sprintf("plugin %s was ended: %s", e.ID, e.What)
}

// ExitCode is that of a check that did not hold.
func (e *MisbehaviorError) ExitCode() int { return 4 }

// CrashedError says that a plugin ended in the middle of a call, or before it
// was ready.
type CrashedError struct {
	ID    string
	End   string // "signal: killed", "exit status 2"
	Last  string // the last line of its log
	Cause error
}

func (e *CrashedError) Error() string {
	s := fmt.Sprintf("plugin %s ended unexpectedly (%s)", e.ID, e.End)
	if e.Last != "" {
		s += fmt.Sprintf(", its last words: %q", e.Last)
	}
	return s
}

// Unwrap returns the error of the call that was under way.
func (e *CrashedError) Unwrap() error { return e.Cause }

// StuckError says that a plugin did not answer.
type StuckError struct {
	ID    string
	What  string // "dial", "the handshake"
	After time.Duration
	Ended bool // it was killed for it
}

func (e *StuckError) Error() string {
	ended := ""
	if e.Ended {
		ended = " was ended"
	}
	return fmt.Sprintf("plugin %s%s: no answer to %s within %s", e.ID, ended, e.What, e.After.Round(time.Millisecond))
}

// CircuitError says that a plugin crashed too often to be started again yet.
type CircuitError struct {
	ID    string
	Count int
	Until time.Time
	Last  error
}

func (e *CircuitError) Error() string {
	return fmt.Sprintf("plugin %s crashed %d times within an hour and is not started again before %s; the last time: %v",
		e.ID, e.Count, e.Until.Format(time.TimeOnly), e.Last)
}

// Unwrap returns the error of the last crash.
func (e *CircuitError) Unwrap() error { return e.Last }
