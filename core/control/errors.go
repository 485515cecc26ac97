package control

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error that crossed the socket.
type Error struct {
	Message string `json:"error"`
	Help    string `json:"hint,omitempty"`
	Code    int    `json:"exit_code"`
	Status  int    `json:"-"` // HTTP status
}

func (e *Error) Error() string { return e.Message }

// Hint is what to do about it.
func (e *Error) Hint() string { return e.Help }

// ExitCode is the exit code of a command that ends with this error.
func (e *Error) ExitCode() int { return e.Code }

// ErrorOf is err with its hint and its exit code, as it would cross the socket.
func ErrorOf(err error) *Error { return asError(err) }

// asError turns any error of the API into one that can cross the socket.
func asError(err error) *Error {
	e := &Error{Message: err.Error(), Code: 1, Status: http.StatusInternalServerError}
	var same *Error
	if errors.As(err, &same) && same.Status != 0 {
		e.Status = same.Status
	}
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		e.Code = coder.ExitCode()
		if e.Code == 3 {
			e.Status = http.StatusForbidden
		}
	}
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		e.Help = hinter.Hint()
	}
	return e
}

func forbidden(c Caller) *Error {
	return &Error{
		Message: fmt.Sprintf("user %s (uid %d) may not use the agent's local API", c.User, c.UID),
		Help:    "run the command as root, or as the user that the agent runs as",
		Code:    3,
		Status:  http.StatusForbidden,
	}
}

func badRequest(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Code: 2, Status: http.StatusBadRequest}
}

// NotFound is an error for something that was asked for by a wrong name.
func NotFound(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), Code: 2, Status: http.StatusNotFound}
}
