package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/clock"
	"github.com/latchstring/latchstring/core/host"
)

// Challenge is the method whose challenges this package keeps.
const Challenge = "challenge"

// Authenticator is a running plugin. [*host.Auth] is the one that counts.
type Authenticator interface {
	Authenticate(ctx context.Context, login host.Login, talk host.Conversation) (host.Identity, error)
	Close() error
}

// Options are what a [Service] is made of.
type Options struct {
	Dir    string // of the state; made if it is not there
	Config string // directory of the methods' settings, see [Service.Login]
	System string // the id that challenges are bound to
	Host   string // name of the machine, for the plugin
	Audit  audit.Recorder
	Clock  clock.Clock   // nil: that of the machine
	Relay  func() string // the configured relay, to be told to users; nil: not told

	// Open starts a plugin with its settings.
	Open func(method string, settings json.RawMessage) (Authenticator, error)
}

// Service logs users in. It is safe for concurrent use, also by several
// processes.
type Service struct {
	opts  Options
	store store
}

// New makes the service.
func New(o Options) (*Service, error) {
	if o.Dir == "" || o.Config == "" || o.System == "" || o.Audit == nil || o.Open == nil {
		return nil, errors.New("login: directories, system, audit log and plugins are required")
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
	return &Service{o, store{o.Dir, o.Clock}}, nil
}

// How is how somebody wants to log in.
type How struct {
	Method string
	Fresh  bool // with a new challenge, though the old one is still good
	// Redirect is the address of the web pages to which single sign-on sends
	// the browser back; empty on a command line.
	Redirect string

	typed bool // SSO was typed as a password
}

var methodName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Login finds out who the caller is, by a method's plugin, and remembers it.
// The settings of a method are in the file METHOD.json of the configuration;
// the vendor's keys for challenges are in challenge.keys.
//
// A login is recorded in the audit log before it holds. Errors have a hint
// where there is something to do.
func (s *Service) Login(ctx context.Context, by Caller, how How, talk host.Conversation) (Ticket, error) {
	if !methodName.MatchString(how.Method) {
		return Ticket{}, &UsageError{fmt.Sprintf("%q is no method to log in", how.Method)}
	}
	settings, ask, err := s.settings(how.Method)
	if err != nil {
		return Ticket{}, err
	}
	a := &attempt{s: s, by: by, how: how, talk: talk, ask: ask}
	if how.Redirect != "" {
		a.facts = map[string]string{factRedirect: how.Redirect}
	}
	if err := a.begin(); err != nil {
		return Ticket{}, a.fail(err)
	}
	plugin, err := s.opts.Open(how.Method, settings)
	if err != nil {
		return Ticket{}, err
	}
	defer plugin.Close()
	if err := a.noteSSO(ctx); err != nil {
		return Ticket{}, a.fail(err)
	}
	id, err := plugin.Authenticate(ctx, host.Login{Client: by.Client, Host: s.opts.Host, Facts: a.facts}, a)
	if a.sso {
		plugin.Close()
		return s.Login(ctx, by, How{Method: SSO, Redirect: how.Redirect, typed: true}, talk)
	}
	if err == nil {
		err = a.check(id)
	}
	if err != nil {
		return Ticket{}, a.fail(err)
	}
	a.right = true // whatever a second person says
	second, err := a.consent(ctx, id)
	if err != nil {
		return Ticket{}, a.fail(err)
	}
	a.right = false
	return a.grant(id, second)
}

// attempt is one login under way. It stands between the plugin and the user.
type attempt struct {
	s     *Service
	by    Caller
	how   How
	talk  host.Conversation
	facts map[string]string
	nonce string   // of the challenge
	ask   []string // who must agree

	charged bool // an answer is with the plugin
	sso     bool // the user typed SSO as his password
	right   bool // the answer was right, and somebody else is asked
}

// begin turns away who has to wait, before he types a password for nothing, and
// opens the challenge.
func (a *attempt) begin() error {
	return a.s.store.update(func(st *state, now moment) error {
		if w := st.wait(a.by.source(), a.how.Method, now); w > 0 {
			return &WaitError{Wait: w}
		}
		if a.how.Method != Challenge {
			return nil
		}
		c, err := st.open(a.by.key(), a.how.Fresh, a.by.root(), now, a.s.opts.Clock.Now())
		if err != nil {
			return err
		}
		a.facts, a.nonce = c.facts(a.s.opts.System, now), c.Nonce
		return nil
	})
}

var errGone = errors.New("the challenge is used up or has expired; start again and give support the new one")

// Ask asks the user, and counts the answer before the plugin sees it. That the
// plugin asks again means that the last answer was no guess: it was mistyped.
func (a *attempt) Ask(ctx context.Context, fields []host.Field) (map[string][]byte, error) {
	if err := a.refund(); err != nil {
		return nil, err
	}
	answers, err := a.talk.Ask(ctx, fields)
	if err != nil {
		return answers, err
	}
	if a.wantsSSO(answers) {
		for _, v := range answers {
			clear(v)
		}
		a.sso = true
		return nil, errSSO
	}
	err = a.s.store.update(func(st *state, now moment) error {
		var c *challenge
		if a.nonce != "" {
			if c = st.find(a.nonce); c == nil {
				return errGone
			}
		}
		if err := st.charge(a.by.source(), a.how.Method, now); err != nil {
			return err
		}
		if c != nil {
			c.Wrong++
		}
		return nil
	})
	if err != nil {
		for _, v := range answers {
			clear(v)
		}
		return nil, err
	}
	a.charged = true
	return answers, nil
}

// Show shows what the plugin has to say.
func (a *attempt) Show(ctx context.Context, n host.Notice) error { return a.talk.Show(ctx, n) }

func (a *attempt) refund() error {
	if !a.charged {
		return nil
	}
	a.charged = false
	return a.s.store.update(func(st *state, _ moment) error {
		st.refund(a.by.source(), a.how.Method)
		for _, c := range st.Challenges {
			if c.Nonce == a.nonce {
				c.Wrong--
			}
		}
		return nil
	})
}

// check holds an identity to what its plugin may say: a plugin does not make
// root of anybody, nor speak for another method.
func (a *attempt) check(id host.Identity) error {
	if id.Method != a.how.Method {
		return fmt.Errorf("the plugin of %s says that the user logged in by %q", a.how.Method, id.Method)
	}
	if slices.Contains(id.Roles, "root") {
		return fmt.Errorf("the plugin of %s gives the role root, which only the machine itself can", a.how.Method)
	}
	return nil
}

// grant makes the ticket. The challenge is taken off the disk first, then the
// login is recorded, then it holds.
func (a *attempt) grant(id host.Identity, second string) (Ticket, error) {
	err := a.s.store.update(func(st *state, _ moment) error {
		if a.nonce != "" && !st.take(a.nonce) {
			return errGone
		}
		if a.charged {
			st.refund(a.by.source(), a.how.Method)
			delete(st.Attempts, a.by.source())
		}
		return nil
	})
	if err != nil {
		return Ticket{}, a.fail(err)
	}
	t := Ticket{User: id.User, Roles: id.Roles, Method: id.Method, Evidence: maps.Clone(id.Evidence), For: a.by.key(), Life: a.by.life()}
	if t.Evidence == nil {
		t.Evidence = map[string]string{}
	}
	if t.Method == SSO {
		t.Evidence[relayEvidence] = "configured"
	}
	delete(t.Evidence, "consent") // a plugin has none to give
	if second != "" {
		t.Evidence["consent"] = second
	}
	wall := a.s.opts.Clock.Now()
	if !id.Expires.IsZero() {
		t.Life = min(t.Life, id.Expires.Sub(wall))
	}
	if t.Life <= 0 {
		return Ticket{}, a.fail(errors.New("the login has expired already; is the clock of this machine right?"))
	}
	t.Expires = wall.Add(t.Life).UTC().Truncate(time.Second)
	if text, bounded := id.Evidence["max_session"]; bounded {
		if t.MaxSession, err = time.ParseDuration(text); err != nil || t.MaxSession <= 0 {
			return Ticket{}, a.fail(errors.New("the plugin bounds the session by something that is no duration"))
		}
	}
	detail := maps.Clone(t.Evidence)
	detail["method"], detail["client"], detail["expires"] = id.Method, a.by.Client, t.Expires.Format(time.RFC3339)
	if _, err := a.s.opts.Audit.Append(audit.Event{Type: audit.LoginOK, Actor: a.by.actor(), Subject: id.User, Detail: detail}); err != nil {
		return Ticket{}, fmt.Errorf("the login is not recorded and does not hold: %w", err)
	}
	err = a.s.store.update(func(st *state, now moment) error {
		t.At = now
		st.Tickets = filter(st.Tickets, func(old *Ticket) bool { return old.For != t.For })
		if len(st.Tickets) >= maxTickets {
			return errors.New("too many users are logged in")
		}
		st.Tickets = append(st.Tickets, &t)
		return nil
	})
	return t, err
}

// fail settles an attempt that did not work, and records it. Only a wrong
// answer stays counted.
func (a *attempt) fail(cause error) error {
	wrong := a.charged && !a.right && isWrong(cause)
	errs := []error{cause}
	if !wrong {
		errs = append(errs, a.refund())
	}
	e := audit.Event{Type: audit.LoginFailed, Actor: a.by.actor(), Subject: a.how.Method, Detail: map[string]string{
		"method": a.how.Method, "client": a.by.Client, "reason": cause.Error(), "counted": strconv.FormatBool(wrong),
	}}
	var wait time.Duration
	errs = append(errs, a.s.store.update(func(st *state, now moment) error {
		wait = st.wait(a.by.source(), a.how.Method, now)
		st.Challenges = filter(st.Challenges, func(c *challenge) bool { return c.Nonce != a.nonce || !c.spent() })
		return nil
	}))
	var refused *WaitError
	if errors.As(cause, &refused) && refused.Locked() || wait >= lockedFrom {
		e.Type = audit.LoginLocked
		e.Detail["wait"] = wait.Round(time.Second).String()
	}
	_, err := a.s.opts.Audit.Append(e)
	return join(append(errs, err))
}

// join keeps a single error as it is.
func join(errs []error) error {
	errs = filter(errs, func(err error) bool { return err != nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// isWrong reports whether an error may mean that somebody guessed. Whatever is
// not known to be something else does: a plugin that crashed, a connection that
// broke.
func isWrong(err error) bool {
	var f *host.Failure
	if errors.As(err, &f) {
		switch f.Err.Code {
		case "cancelled", "unreachable", "timeout", "denied", "config":
			return false
		}
	}
	return !errors.As(err, new(*WaitError)) && !errors.As(err, new(*ConsentError)) && !errors.Is(err, errGone)
}
