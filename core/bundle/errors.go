package bundle

import (
	"fmt"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize"
)

// CheckError says that a bundle is not what its manifest says, or that its
// signature does not hold.
type CheckError struct {
	Bundle   string // file name
	Problems []string
}

func (e *CheckError) Error() string {
	const most = 5
	p := e.Problems
	more := ""
	if len(p) > most {
		more = fmt.Sprintf(" and %d more", len(p)-most)
		p = p[:most]
	}
	return fmt.Sprintf("%s does not hold: %s%s", e.Bundle, strings.Join(p, "; "), more)
}

// ExitCode is 4: a check did not hold.
func (e *CheckError) ExitCode() int { return 4 }

// LeakError says that the final gate found something that should have been
// hidden. Nothing leaves the machine.
type LeakError struct{ Hits []sanitize.Hit }

func (e *LeakError) Error() string {
	var s []string
	for i, h := range e.Hits {
		if i == 5 {
			s = append(s, fmt.Sprintf("and %d more", len(e.Hits)-i))
			break
		}
		s = append(s, fmt.Sprintf("%s (rule %s)", h.File, h.Rule))
	}
	return "the final check found something that must not leave: " + strings.Join(s, ", ") + "; no bundle was made"
}

// Hint says what to do.
func (e *LeakError) Hint() string {
	return "leave the file out with --skip or a policy rule, or add a redaction for it, and report the rule to the vendor"
}

// ExitCode is 4: a check did not hold.
func (e *LeakError) ExitCode() int { return 4 }

// LimitError says that a bundle of unknown origin asks for more than the
// reader is willing to give.
type LimitError struct{ Bundle, Limit string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s is refused: %s", e.Bundle, e.Limit)
}

// ExitCode is 4: a check did not hold.
func (e *LimitError) ExitCode() int { return 4 }
