package disable

import (
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// Options say on what it is done. Root is required.
type Options struct {
	Root   paths.Root
	System *identity.System // nil where it cannot be opened: then nothing is proved
	Audit  audit.Recorder   // nil where it cannot be opened: then nothing is recorded
	Actor  string           // for the audit log

	// Cut ends the session that is on, and returns when it is over. Nil when
	// there is nobody who could have one.
	Cut func() error

	// Before is called before each change, with its name; an error fails that
	// step alone. For progress, and for tests. May be nil.
	Before func(step string) error
}

// Done is what was done.
type Done struct {
	Record    seal.Record `json:"record"`
	Proof     *seal.Proof `json:"proof,omitempty"`
	Destroyed []string    `json:"destroyed"`
}

// Error is something that went wrong after the system was sealed. It is
// disabled all the same.
type Error struct{ Err error }

func (e *Error) Error() string {
	return fmt.Sprintf("remote access IS disabled for good, but not all went well: %v", e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *Error) Hint() string {
	return "what was left undone is tried again by: remote-support disable --permanently"
}

// Run seals the system and does everything that follows. An error that is no
// [*Error] means that the system is not sealed, and that nothing was done.
func Run(o Options, r seal.Record) (Done, error) {
	if r.System == "" && o.System != nil {
		r.System = o.System.ID()
	}
	err := seal.Seal(o.Root, r, o.steps())
	state := seal.Check(o.Root)
	if !state.Sealed {
		return Done{}, err
	}
	errs := []error{err, o.event(audit.SystemSealed, map[string]string{"cause": state.Record.Cause, "policy": state.Record.Policy})}
	if o.Cut != nil {
		errs = append(errs, o.before("cut"), o.Cut())
	}
	done, err := Finish(o)
	if err := errors.Join(append(errs, err)...); err != nil {
		return done, &Error{err}
	}
	return done, nil
}

// Finish destroys what is left on a sealed system, and proves that it is
// sealed. Where nothing is left it does nothing.
func Finish(o Options) (Done, error) {
	if !seal.Check(o.Root).Sealed {
		return Done{}, errors.New("the system is not disabled for good, so nothing is destroyed")
	}
	errs := []error{seal.Mend(o.Root, o.steps())}
	done := Done{Record: seal.Check(o.Root).Record}
	var err error
	done.Destroyed, err = o.destroy(true)
	errs = append(errs, err)
	proof, err := o.prove()
	if err == nil && proof.Statement != "" {
		done.Proof = &proof
	}
	return done, errors.Join(append(errs, err)...)
}

func (o Options) steps() seal.Option { return seal.Before(o.before) }

func (o Options) before(step string) error {
	if o.Before == nil {
		return nil
	}
	return o.Before(step)
}

func (o Options) event(t audit.Type, detail map[string]string) error {
	if o.Audit == nil {
		return nil
	}
	if err := o.before("record " + string(t)); err != nil {
		return err
	}
	subject := ""
	if o.System != nil {
		subject = o.System.ID()
	}
	if _, err := o.Audit.Append(audit.Event{Type: t, Actor: o.Actor, Subject: subject, Detail: detail}); err != nil {
		return fmt.Errorf("record %s: %w", t, err)
	}
	return nil
}
