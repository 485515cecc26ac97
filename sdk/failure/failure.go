package failure

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Code says what kind of failure it is. The list is closed and codes are never
// renamed: hosts, policies and documentation refer to them.
type Code string

// The codes of every role.
const (
	Failed       Code = "failed"        // nothing more is known
	Cancelled    Code = "cancelled"     // the host no longer wanted it
	Timeout      Code = "timeout"       // the peer did not answer in time
	Config       Code = "config"        // the configuration does not work
	Denied       Code = "denied"        // policy or permissions forbid it
	Panicked     Code = "panicked"      // a bug in the plugin; the stack is in its log
	Busy         Code = "busy"          // too many calls at once
	Unsupported  Code = "unsupported"   // the plugin does not do this
	DNS          Code = "dns"           // the name is not found
	Unreachable  Code = "unreachable"   // no route, network down
	Refused      Code = "refused"       // nothing listens there
	Reset        Code = "reset"         // the peer hung up in the middle
	TLS          Code = "tls"           // the peer's certificate is not the right one
	ProxyAuth    Code = "proxy-auth"    // the proxy wants other credentials
	ProxyRefused Code = "proxy-refused" // the proxy does not let us go there
	ProxyBroken  Code = "proxy-broken"  // what answers is no such proxy
	BadLogin     Code = "bad-login"     // wrong user, password or answer
	LockedOut    Code = "locked-out"    // the account is locked
)

// Error is a failure. Message, hint and code reach the host; the wrapped error
// stays in the plugin, for errors.Is and errors.As there.
type Error struct {
	Code      Code
	Message   string // lower case, what happened and where
	Hint      string // what the reader can do about it
	Temporary bool   // trying again later may help, unchanged
	Err       error  // what it was made from
}

// New makes a failure of a code with a hint and a formatted message, which
// may wrap an error with %w.
func New(code Code, hint, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{
		Code: code, Message: err.Error(), Hint: hint,
		Temporary: code.temporary(), Err: errors.Unwrap(err),
	}
}

// temporary is the answer for codes where it is nearly always the same.
func (c Code) temporary() bool {
	switch c {
	case Timeout, Busy, Unreachable, Reset, Refused, DNS:
		return true
	}
	return false
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Code)
	}
	return e.Message
}

// Unwrap returns the error that the failure was made from.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, failure.Code("x")) work through the code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Error lets a Code be the target of errors.Is.
func (c Code) Error() string { return string(c) }

// From turns any error into a failure. It keeps one that is there already in
// the chain, with the outer message, and knows the errors of contexts and
// deadlines.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		if f == err {
			return f
		}
		out := *f
		out.Message, out.Err = err.Error(), err
		return &out
	}
	out := &Error{Code: Failed, Message: err.Error(), Err: err}
	switch {
	case errors.Is(err, context.Canceled):
		out.Code = Cancelled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		out.Code = Timeout
	case errors.Is(err, errors.ErrUnsupported):
		out.Code = Unsupported
	case errors.Is(err, os.ErrPermission):
		out.Code = Denied
	}
	out.Temporary = out.Code.temporary()
	return out
}
