package agent

import (
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
)

// outsider refuses engineers. Who is let in must not decide for the customer how
// long, who else, and with which secret: not from his own shell, nor by a login
// that the vendor could answer for him.
//
// An engineer is known by the user as whom engineers act, and by the marks of
// the processes of connections. Where engineers act as root they can leave those;
// root can do anything anyway.
func (a *Agent) outsider(by control.Caller, what string) error {
	connection, inside := "", false
	// A browser on this machine is known by its process. That it is our own is
	// a forward of an engineer.
	mine := int(by.PID) == os.Getpid()
	if by.PID > 0 && !mine {
		connection, inside = family.Of(int(by.PID))
	} else if by.Browser != "" && mine {
		inside = true
	}
	remote := by.Browser != "" && by.PID == 0
	if name := a.runAs(); !inside && name != "" && !remote && !by.Trusted() && by.UID != 0 && by.UID != uint32(os.Geteuid()) {
		u, err := account.Lookup(name)
		inside = err != nil || u.UID == by.UID
	}
	if !inside {
		return nil
	}
	why := "engineers who are connected to this system cannot " + what + "; somebody of the customer can"
	if _, err := a.Append(audit.Event{Type: audit.AccessRefused, Actor: by.Actor(), Subject: connection, Detail: map[string]string{"what": what, "why": why}}); err != nil {
		return fmt.Errorf("%s (and it could not be recorded: %w)", why, err)
	}
	return &policyError{why}
}
