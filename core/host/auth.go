package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Login says who wants to log in and from where.
type Login struct {
	Client string            // "cli", "web 10.0.0.7"
	Host   string            // the machine
	Facts  map[string]string // whatever else is known
}

// Identity is who a user is, as a plugin found out.
type Identity struct {
	User     string
	Roles    []string
	Method   string
	Evidence map[string]string // for the audit log
	Expires  time.Time         // zero: the host's limit
}

// Field is a question to the user.
type Field struct {
	Name   string
	Label  string
	Secret bool // do not echo
	Help   string
}

// Notice is something to show to the user.
type Notice struct {
	Label   string
	Value   string
	URL     string
	Expires time.Time
}

// Conversation draws a plugin's questions. Ask returns answers by the name of
// the field; its error cancels the login. The answers are wiped after use.
type Conversation interface {
	Ask(ctx context.Context, fields []Field) (map[string][]byte, error)
	Show(ctx context.Context, notice Notice) error
}

// Auth logs users in through an authentication plugin.
type Auth struct{ *unit }

// Auth returns the authentication method of that name. The plugin starts with
// the first login.
func (h *Host) Auth(name string, use Use) (*Auth, error) {
	u, err := h.newUnit(wire.RoleAuth, name, use)
	if err != nil {
		return nil, err
	}
	return &Auth{u}, nil
}

// Info says which plugin it is; it starts it if need be.
func (a *Auth) Info(ctx context.Context) (Info, error) { return a.info(ctx) }

// Close ends the plugin.
func (a *Auth) Close() error { a.unit.close(); return nil }

// Bounds of a conversation.
const (
	maxTurns  = 100
	maxFields = 20
	maxURL    = 16 << 10
)

// Authenticate finds out who the user is. Any error refuses.
func (a *Auth) Authenticate(ctx context.Context, login Login, talk Conversation) (Identity, error) {
	inst, err := a.get(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("log in by %s: %w", a.id, err)
	}
	limit := a.host.opt.Timeouts.Login
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	id, err := a.converse(limited, inst, login, talk)
	if err == nil {
		return id, nil
	}
	var broken *streamError
	if errors.As(err, &broken) {
		err = inst.explain(ctx, limited, "a login", limit, broken.err)
	}
	a.blame(inst, err)
	return Identity{}, during("log in by "+a.id, err)
}

// Probe lets the method try step by step whether somebody could log in; report
// gets each step, also after one that failed. A method that cannot do that fails with
// failure.Unsupported (package sdk/failure).
func (a *Auth) Probe(ctx context.Context, report func(Step)) error {
	inst, err := a.get(ctx)
	if err == nil {
		if err = a.probe(ctx, inst, report); err != nil {
			a.blame(inst, err)
		}
	}
	if err != nil {
		return fmt.Errorf("probe %s: %w", a.id, err)
	}
	return nil
}

func (a *Auth) probe(ctx context.Context, inst *instance, report func(Step)) error {
	limit := a.host.opt.Timeouts.Dial
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := inst.role.(pluginv1.AuthClient).Probe(limited, &pluginv1.AuthProbeRequest{})
	if err != nil {
		return inst.explain(ctx, limited, "probe", limit, err)
	}
	var failed error
	for range maxSteps {
		s, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return failed
		}
		if status.Code(err) == codes.Unimplemented { // made with an older SDK
			return &Failure{a.id, failure.New(failure.Unsupported, "", "this method does not show its steps")}
		}
		if err != nil {
			return inst.explain(ctx, limited, "probe", limit, err)
		}
		step := Step{clip(s.GetName()), clip(s.GetDetail()), time.Duration(s.GetDurationUs()) * time.Microsecond, failureOf(a.id, s.GetFailure())}
		if f, own := step.Err.(*Failure); own && f.Unsupported() {
			return f
		}
		report(step)
		if failed == nil {
			failed = step.Err
		}
	}
	return inst.misbehaved("its probe has more than %d steps", maxSteps)
}

// streamError is a failure of the connection to the plugin.
type streamError struct{ err error }

func (s *streamError) Error() string { return s.err.Error() }

func (a *Auth) converse(ctx context.Context, inst *instance, login Login, talk Conversation) (Identity, error) {
	stream, err := inst.role.(pluginv1.AuthClient).Authenticate(ctx)
	if err != nil {
		return Identity{}, &streamError{err}
	}
	send := func(m *pluginv1.AuthFromHost) error {
		// io.EOF means that the plugin has ended the conversation: what it said
		// last, or why, is still to be received.
		if err := stream.Send(m); err != nil && err != io.EOF {
			return &streamError{err}
		}
		return nil
	}
	begin := &pluginv1.AuthBegin{Client: login.Client, Host: login.Host, Facts: login.Facts}
	if err := send(&pluginv1.AuthFromHost{Message: &pluginv1.AuthFromHost_Begin{Begin: begin}}); err != nil {
		return Identity{}, err
	}
	for range maxTurns {
		m, err := stream.Recv()
		if err == io.EOF {
			return Identity{}, inst.misbehaved("it ended a login without a result")
		}
		if err != nil {
			return Identity{}, &streamError{err}
		}
		switch m := m.GetMessage().(type) {
		case *pluginv1.AuthFromPlugin_Show:
			err = talk.Show(ctx, noticeOf(m.Show))
		case *pluginv1.AuthFromPlugin_Ask:
			err = ask(ctx, inst, m.Ask, talk, send)
		case *pluginv1.AuthFromPlugin_Result:
			return a.result(inst, m.Result)
		default:
			err = inst.misbehaved("it sent an empty message in a login")
		}
		if err != nil {
			return Identity{}, err
		}
	}
	return Identity{}, inst.misbehaved("a login of more than %d turns", maxTurns)
}

// ask puts one question to the user and sends the answers on.
func ask(ctx context.Context, inst *instance, q *pluginv1.AuthAsk, talk Conversation, send func(*pluginv1.AuthFromHost) error) error {
	if len(q.GetFields()) > maxFields {
		return inst.misbehaved("a question with %d fields", len(q.GetFields()))
	}
	fields := make([]Field, 0, len(q.GetFields()))
	for _, f := range q.GetFields() {
		fields = append(fields, Field{clip(f.GetName()), clip(f.GetLabel()), f.GetSecret(), clip(f.GetHelp())})
	}
	answers, err := talk.Ask(ctx, fields)
	defer func() {
		for _, v := range answers {
			clear(v)
		}
	}()
	reply := &pluginv1.AuthAnswer{Values: answers, Cancelled: err != nil}
	if serr := send(&pluginv1.AuthFromHost{Message: &pluginv1.AuthFromHost_Answer{Answer: reply}}); serr != nil && err == nil {
		return serr
	}
	return err
}

func noticeOf(s *pluginv1.AuthShow) Notice {
	n := Notice{Label: clip(s.GetLabel()), Value: clip(s.GetValue())}
	// Cut, an address would lead somewhere else: one with a signed request is
	// long.
	if u := s.GetUrl(); len(u) <= maxURL && strings.HasPrefix(u, "https://") && launch.Clean(u) == u {
		n.URL = u
	}
	if s.GetExpiresUnix() > 0 {
		n.Expires = time.Unix(s.GetExpiresUnix(), 0)
	}
	return n
}

// result reads the end of a login. A name that would not survive cleaning is
// refused rather than changed: it decides who somebody is.
func (a *Auth) result(inst *instance, r *pluginv1.AuthResult) (Identity, error) {
	if err := failureOf(a.id, r.GetFailure()); err != nil {
		return Identity{}, err
	}
	id := Identity{User: r.GetUser(), Roles: r.GetRoles(), Method: r.GetMethod(), Evidence: map[string]string{}}
	for _, text := range append([]string{id.User, id.Method}, id.Roles...) {
		if text == "" || clip(text) != text {
			return Identity{}, inst.misbehaved("it found a user with a name, method or role that is no plain text")
		}
	}
	for k, v := range r.GetEvidence() {
		id.Evidence[clip(k)] = clip(v)
	}
	if r.GetExpiresUnix() > 0 {
		id.Expires = time.Unix(r.GetExpiresUnix(), 0)
	}
	return id, nil
}
