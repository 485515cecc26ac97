package control

import (
	"context"
	"time"
)

// Logins is the part of the API by which a local user proves who he is. It is
// open to every local user: the kernel says who that is, and a login holds for
// him alone.
type Logins interface {
	// LoginMethods lists the ways to log in that are set up.
	LoginMethods(ctx context.Context, by Caller) ([]string, error)
	// Login holds a conversation with the user until he has proved who he is.
	Login(ctx context.Context, by Caller, r LoginRequest, talk Conversation) (Ticket, error)
	// Logout ends the caller's login, and reports whether there was one.
	Logout(ctx context.Context, by Caller) (bool, error)
	// WhoAmI is as whom the caller would open a session.
	WhoAmI(ctx context.Context, by Caller) (Ticket, error)
	// WaitingLogins lists the logins to which the caller may agree as a second
	// person, ConfirmLogin agrees or does not.
	WaitingLogins(ctx context.Context, by Caller) ([]WaitingLogin, error)
	ConfirmLogin(ctx context.Context, by Caller, c Confirmation) (WaitingLogin, error)
}

// LoginRequest is how somebody wants to log in.
type LoginRequest struct {
	Method string `json:"method"`
	Fresh  bool   `json:"fresh,omitempty"` // with a new challenge

	// Redirect is the address of the web pages to which single sign-on sends
	// the browser back. It does not come over the socket.
	Redirect string `json:"-"`
}

// Conversation is the user who logs in.
type Conversation interface {
	// Ask returns the answers by the name of the field. They are wiped after
	// use.
	Ask(ctx context.Context, fields []Field) (map[string][]byte, error)
	Show(ctx context.Context, n Notice) error
}

// Field is a question.
type Field struct {
	Name   string `json:"name"`
	Label  string `json:"label"`
	Secret bool   `json:"secret,omitempty"` // do not echo
	Help   string `json:"help,omitempty"`
}

// Notice is something to show.
type Notice struct {
	Label   string    `json:"label"`
	Value   string    `json:"value,omitempty"`
	URL     string    `json:"url,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// Ticket is who somebody has proved to be.
type Ticket struct {
	User       string            `json:"user"`
	Roles      []string          `json:"roles"`
	Method     string            `json:"method"`
	Evidence   map[string]string `json:"evidence,omitempty"`
	Expires    time.Time         `json:"expires,omitzero"`
	MaxSession string            `json:"max_session,omitempty"` // a duration; bounds sessions opened with it
}

// WaitingLogin is a login that waits for a second person.
type WaitingLogin struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	Caller  string `json:"caller"`
	Method  string `json:"method"`
	Seconds int    `json:"seconds_left"`
}

// Confirmation is what a second person says.
type Confirmation struct {
	ID  string `json:"id"`
	Yes bool   `json:"yes"`
}
