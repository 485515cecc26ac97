package userrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An Error is one mistake in a file of rules.
type Error struct {
	File         string
	Line, Column int // from 1; 0 if it concerns the whole file
	Message      string
}

// Error gives file:line:column: message.
func (e Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors are all mistakes of one file, in its order.
type Errors []Error

// Error gives one line for each mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, m := range e {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// ExitCode is 2: the user must change something.
func (Errors) ExitCode() int { return 2 }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
