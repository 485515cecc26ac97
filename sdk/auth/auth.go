package auth

import (
	"context"
	"time"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Request says who asks and from where.
type Request struct {
	Client string            // who or what the login is for: "cli", "web 10.0.0.7"
	Host   string            // the machine
	Facts  map[string]string // whatever else the host knows
}

// Method authenticates. Authenticate may be called concurrently, once a login.
type Method interface {
	// Authenticate finds out who the user is. Every error refuses: there
	// is no identity beside one. A wrong answer is BadLogin; the host
	// decides how often a user may try.
	Authenticate(ctx context.Context, req Request, talk Conversation) (Identity, error)
}

// Prober is a method that can show step by step whether somebody could log in,
// for "Test Connection".
type Prober interface {
	// Probe tries what a login needs and reports each step as it ends, the
	// failing one included: the source of identities is reached, proves
	// itself, has the settings that are configured. It asks nobody and logs
	// nobody in. The error is that of a step that failed.
	Probe(ctx context.Context, report func(Step)) error
}

// Step is one step of a probe.
type Step struct {
	Name   string        // "identity provider"
	Detail string        // what was seen
	Took   time.Duration // how long the step took
	Err    error         // nil when it went well
}

// Conversation talks to the user. It is implemented by the SDK; methods may be
// added.
type Conversation interface {
	// Ask asks for all fields at once and waits for the answers. When the
	// user gives up, errors.Is(err, failure.Cancelled) holds.
	Ask(ctx context.Context, fields ...Field) (Answers, error)

	// Show shows something and does not wait: a code to type elsewhere, a
	// page to open.
	Show(ctx context.Context, notice Notice) error
}

// Field is a question.
type Field struct {
	Name   string // of the answer
	Label  string // "Password"
	Secret bool   // do not echo
	Help   string
}

// Notice is something to show.
type Notice struct {
	Label   string    // "Open this page and type the code"
	Value   string    // "WDJB-MJHT"
	URL     string    // if there is a page
	Expires time.Time // if it is of no use after a time
}

// Answers are the answers of a user. All are kept as secrets, since people
// type passwords into the wrong field.
type Answers map[string]config.Secret

// Text returns the answer to a field that is no secret.
func (a Answers) Text(name string) string { return a[name].Reveal() }

// Secret returns the answer to a field.
func (a Answers) Secret(name string) config.Secret { return a[name] }

// Zero wipes all answers.
func (a Answers) Zero() {
	for _, s := range a {
		s.Zero()
	}
}

// Identity is who the user is. It holds nothing secret.
type Identity struct {
	User     string
	Roles    []string          // as the source of identities names them
	Method   string            // how: "infinibox", "challenge"; by default the method's own name
	Evidence map[string]string // what an auditor wants to see: issuer, subject, session
	Expires  time.Time         // zero: the host's limit
}

// The codes that a method fails with.
const (
	BadLogin    = failure.BadLogin    // wrong user, password or answer
	LockedOut   = failure.LockedOut   // the account is locked
	Denied      = failure.Denied      // known, but not allowed to log in
	Unreachable = failure.Unreachable // the source of identities is not there
	Timeout     = failure.Timeout     // the user or the source was too slow
	Config      = failure.Config      // the settings do not work
)

// Errorf makes the error of a login: a code, what the user can do, and a
// message that may wrap another error with %w. Do not tell an unknown user
// from a wrong password, and never repeat an answer.
func Errorf(code failure.Code, hint, format string, args ...any) error {
	return failure.New(code, hint, format, args...)
}
