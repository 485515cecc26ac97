package connect

import (
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/relay/api"
)

// RefusedError is the no of a customer, of his policy, or of the relay. Its
// words are theirs.
type RefusedError struct {
	By  string // the system's name, or "the relay"
	Why string
	err error
}

func (e *RefusedError) Error() string { return e.By + " refused: " + e.Why }

// ExitCode is that of a refusal by policy.
func (e *RefusedError) ExitCode() int { return 3 }

func (e *RefusedError) Unwrap() error { return e.err }

// NoEnrolmentError says that a connection needs the secret and that it cannot
// be asked for here.
type NoEnrolmentError struct {
	Name string
	Why  string // "" when there was none at all
}

func (e *NoEnrolmentError) Error() string {
	if e.Why != "" {
		return fmt.Sprintf("%s needs the secret of its session again: %s", e.Name, e.Why)
	}
	return e.Name + " needs the secret of its session, and it cannot be asked for here"
}

// Hint says what to do.
func (e *NoEnrolmentError) Hint() string {
	return "give it once, and the connections after it need none: support ssh-config " + e.Name
}

// explain gives an error the words of whoever said no.
func explain(name string, err error) error {
	var a *api.Error
	if errors.As(err, &a) {
		switch a.Code {
		case api.CodeNotOpen:
			return &NotOpenError{name}
		case api.CodeForbidden, api.CodeSealed:
			return &RefusedError{By: "the relay", Why: a.Message, err: err}
		}
	}
	var h *handshake.Error
	if errors.As(err, &h) && h.Sealed && h.Code == handshake.CodeEnrolment {
		return &NoEnrolmentError{Name: name, Why: h.Text}
	}
	if errors.As(err, &h) && h.Sealed {
		return &RefusedError{By: name, Why: h.Text, err: err}
	}
	return err
}

// stale reports whether an enrolment is of no more use.
func stale(err error) bool {
	var h *handshake.Error
	if !errors.As(err, &h) {
		return false
	}
	switch h.Code {
	case handshake.CodeEnrolment, handshake.CodeEnded, handshake.CodeSystem, handshake.CodeHostKey:
		return !h.Sealed
	}
	return false
}
