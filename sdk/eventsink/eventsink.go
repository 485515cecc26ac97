package eventsink

import (
	"context"
	"errors"
	"time"

	"github.com/latchstring/latchstring/sdk/failure"
)

// Event is something that happened.
type Event struct {
	ID          string // the same on every try
	Code        string // REMOTE_SUPPORT_ON
	Description string // for people
	Level       string // info, warning, error, critical
	Time        time.Time
	Data        map[string]string // user, case, from, ...
}

// Sink delivers. Deliver is called for one event at a time, in their order.
type Sink interface {
	// Deliver brings the event to its place and returns nil when it is
	// there. After an error it is called again with the same event, later
	// and later, unless the error is Permanent.
	Deliver(ctx context.Context, event Event) error
}

// Permanent marks an error as one that trying again does not mend. The host
// then gives this event up, and says so.
func Permanent(err error) error { return with(err, false) }

// Temporary marks an error as one that may mend itself. Errors that are not
// marked at all are temporary too: an event lost is worse than one too many.
func Temporary(err error) error { return with(err, true) }

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var f *failure.Error
	return errors.As(err, &f) && !f.Temporary
}

func with(err error, temporary bool) error {
	if err == nil {
		return nil
	}
	f := *failure.From(err)
	f.Temporary = temporary
	return &f
}

// Errorf makes a temporary error with a code and a hint.
func Errorf(code failure.Code, hint, format string, args ...any) error {
	return Temporary(failure.New(code, hint, format, args...))
}
