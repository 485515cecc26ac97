package agent

import (
	"context"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/login"
	"github.com/latchstring/latchstring/core/policy"
)

var (
	_ control.Logins   = (*Agent)(nil)
	_ control.Admitter = (*Agent)(nil)
)

func caller(by control.Caller) login.Caller {
	if by.Browser != "" {
		return login.Caller{UID: by.UID, User: by.User, Session: by.Browser, Client: "web " + by.From}
	}
	return login.Caller{UID: by.UID, User: by.User, Client: "cli"}
}

// LoginMethods implements [control.Logins].
func (a *Agent) LoginMethods(context.Context, control.Caller) ([]string, error) {
	s, err := a.Logins()
	if err != nil {
		return nil, err
	}
	return s.Methods()
}

// Login implements [control.Logins].
func (a *Agent) Login(ctx context.Context, by control.Caller, r control.LoginRequest, talk control.Conversation) (control.Ticket, error) {
	if err := a.outsider(by, "log in"); err != nil {
		return control.Ticket{}, err
	}
	s, err := a.Logins()
	if err != nil {
		return control.Ticket{}, err
	}
	t, err := s.Login(ctx, caller(by), login.How{Method: r.Method, Fresh: r.Fresh, Redirect: r.Redirect}, conversation{talk})
	if err != nil {
		return control.Ticket{}, err
	}
	return ticket(t), nil
}

// conversation is the API's as the host's.
type conversation struct{ control.Conversation }

func (c conversation) Ask(ctx context.Context, fields []host.Field) (map[string][]byte, error) {
	out := make([]control.Field, 0, len(fields))
	for _, f := range fields {
		out = append(out, control.Field{Name: f.Name, Label: f.Label, Secret: f.Secret, Help: f.Help})
	}
	return c.Conversation.Ask(ctx, out)
}

func (c conversation) Show(ctx context.Context, n host.Notice) error {
	return c.Conversation.Show(ctx, control.Notice{Label: n.Label, Value: n.Value, URL: n.URL, Expires: n.Expires})
}

func ticket(t login.Ticket) control.Ticket {
	out := control.Ticket{User: t.User, Roles: t.Roles, Method: t.Method, Evidence: t.Evidence, Expires: t.Expires}
	if t.MaxSession > 0 {
		out.MaxSession = t.MaxSession.String()
	}
	return out
}

// Logout implements [control.Logins].
func (a *Agent) Logout(_ context.Context, by control.Caller) (bool, error) {
	s, err := a.Logins()
	if err != nil {
		return false, err
	}
	return s.Logout(caller(by))
}

// WhoAmI implements [control.Logins].
func (a *Agent) WhoAmI(_ context.Context, by control.Caller) (control.Ticket, error) {
	s, err := a.Logins()
	if err != nil {
		return control.Ticket{}, err
	}
	t, err := s.Who(caller(by))
	return ticket(t), err
}

// WaitingLogins implements [control.Logins].
func (a *Agent) WaitingLogins(_ context.Context, by control.Caller) ([]control.WaitingLogin, error) {
	s, err := a.Logins()
	if err != nil {
		return nil, err
	}
	list, err := s.Waiting(caller(by))
	out := make([]control.WaitingLogin, 0, len(list))
	for _, w := range list {
		out = append(out, waiting(w))
	}
	return out, err
}

func waiting(w login.Waiting) control.WaitingLogin {
	return control.WaitingLogin{ID: w.ID, User: w.User, Caller: w.Caller, Method: w.Method, Seconds: int(w.Left / time.Second)}
}

// ConfirmLogin implements [control.Logins].
func (a *Agent) ConfirmLogin(_ context.Context, by control.Caller, c control.Confirmation) (control.WaitingLogin, error) {
	if err := a.outsider(by, "agree to a login"); err != nil {
		return control.WaitingLogin{}, err
	}
	s, err := a.Logins()
	if err != nil {
		return control.WaitingLogin{}, err
	}
	w, err := s.Confirm(caller(by), c.ID, c.Yes)
	return waiting(w), err
}

// forOthers reports whether a path of the API is for others than root: what there is
// to do about a session, and for browsers about the pages.
func forOthers(path string) bool {
	switch path {
	case "/v1/events", "/v1/session", "/v1/connections", "/v1/certificate", "/v1/recordings", "/v1/restart":
		return true
	}
	for _, below := range []string{"/v1/session/", "/v1/connections/", "/v1/certificate/", "/v1/recordings/"} {
		if strings.HasPrefix(path, below) {
			return true
		}
	}
	return false
}

// Admit implements [control.Admitter]: everybody sees the state; whoever has a
// login, and whom policy would let open sessions with it, may do what there is to
// do about one. Everything else is root's.
func (a *Agent) Admit(by control.Caller, what string) error {
	if what == "GET /v1/status" {
		return nil
	}
	_, path, _ := strings.Cut(what, " ")
	if !forOthers(path) {
		return control.Forbidden(by)
	}
	if err := a.outsider(by, "control the session"); err != nil {
		return err
	}
	who, err := a.who(by)
	if err != nil {
		return err
	}
	facts := whoFacts(opener(by, who))
	facts[policy.Duration] = time.Duration(0).String()
	return a.Decide(policy.SessionExtend, facts).Err()
}
