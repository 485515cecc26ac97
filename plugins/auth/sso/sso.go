package sso

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the method's name.
const Name = "sso"

// FactRedirect is the fact in which a host with web pages says to which address
// of its own the provider is to send the browser back. Without it the login is
// one of a command line.
const FactRedirect = "sso.redirect"

// Callback is the field in which the host answers with what the browser brought
// back: the query of the address, or the body of the form.
const Callback = "callback"

// skew is how far the clocks of the provider and of this machine may be apart.
const skew = time.Minute

// webLife is how long a user of the web pages has.
const webLife = 8 * time.Minute

// Method logs users in at an identity provider.
type Method struct {
	settings settings
	now      func() time.Time
}

// New makes the method.
func New() *Method { return &Method{now: time.Now} }

// Help is a line for `describe`.
func (m *Method) Help() string {
	return "single sign-on at the customer's identity provider: OpenID Connect or SAML 2.0"
}

// Config is where the host's settings go.
func (m *Method) Config() any { return &m.settings }

// Needs declares the provider's port and that of the proxy, which only the
// settings know, and what the resolver reads.
func (m *Method) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// login is one conversation.
type login struct {
	*settings
	now      func() time.Time
	talk     auth.Conversation
	client   *http.Client
	machine  string
	redirect string // of the web pages
	evidence map[string]string
}

// Authenticate implements [auth.Method].
func (m *Method) Authenticate(ctx context.Context, req auth.Request, talk auth.Conversation) (auth.Identity, error) {
	client, how, err := m.settings.client()
	if err != nil {
		return auth.Identity{}, auth.Errorf(auth.Config, "", "proxy: %w", err)
	}
	defer client.CloseIdleConnections()
	l := &login{
		settings: &m.settings, now: m.now, talk: talk, client: client, machine: req.Host, redirect: req.Facts[FactRedirect],
		evidence: map[string]string{"certificate": how, "protocol": m.settings.Protocol},
	}
	if l.redirect != "" {
		if l.Redirect != "" {
			l.redirect = l.Redirect
		}
		if !secureURL(l.redirect) {
			return auth.Identity{}, auth.Errorf(auth.Config, "open the pages by https and the name of the machine", "the address to which the browser would come back is not https")
		}
	}
	var who proof
	switch {
	case l.Protocol == samlProtocol && l.redirect == "":
		return auth.Identity{}, auth.Errorf(failure.Unsupported, "log in on the web page, or use another way", "SAML works in a browser only, not on a command line")
	case l.Protocol == samlProtocol:
		who, err = l.saml(ctx)
	default:
		who, err = l.oidc(ctx)
	}
	if err != nil {
		return auth.Identity{}, err
	}
	return l.decide(who)
}

// proof is what a provider has proved about a user.
type proof struct {
	claims
	name    string // of the user, when no claim is configured
	subject string
	issuer  string
	acr     string
	amr     []string
	at      time.Time // when he logged in there; zero if it does not say
	ends    time.Time // when that ends; zero if it does not say
}

// decide holds what is proved to what is wanted. Nobody gets in by default.
func (l *login) decide(p proof) (auth.Identity, error) {
	fail := func(hint, format string, args ...any) (auth.Identity, error) {
		return auth.Identity{}, auth.Errorf(auth.Denied, hint, format, args...)
	}
	name := p.name
	if l.User != "" {
		name = p.text(l.User)
	}
	if !printable(name) || !printable(p.subject) {
		return auth.Identity{}, auth.Errorf(auth.Config, "set user to a claim or attribute with one plain name", "the identity provider does not say who the user is")
	}
	if p.at.After(l.now().Add(skew)) {
		return fail("set the clock of this machine, or that of the identity provider", "the user logged in at the identity provider in the future")
	}
	if l.MaxAge > 0 {
		if p.at.IsZero() {
			return fail("have the identity provider send auth_time (OpenID Connect) or AuthnInstant (SAML)", "the identity provider does not say when the user logged in there")
		}
		if age := l.now().Sub(p.at); age > l.MaxAge+skew {
			return fail("log in at the identity provider anew", "the user logged in at the identity provider %s ago; %s is allowed", age.Round(time.Second), l.MaxAge)
		}
	}
	mfa := anyOf(p.amr, l.AMR) || p.acr != "" && anyOf([]string{p.acr}, l.ACR)
	if l.RequireMFA && !mfa {
		return fail("log in at the identity provider with a second factor", "the identity provider does not vouch for a second factor (acr %s, amr %s)", some([]string{p.acr}), some(p.amr))
	}
	if has := p.texts(l.Roles); !anyOf(has, l.Admins) {
		return fail("log in as an administrator, or have one give this user the role", "the identity provider knows %s, but not as an administrator (%s is %s)", name, l.Roles, some(has))
	}
	for key, text := range map[string]string{
		"issuer": p.issuer, "subject": p.subject, "acr": p.acr, "amr": strings.Join(p.amr, " "),
	} {
		if printable(text) {
			l.evidence[key] = text
		}
	}
	if mfa {
		l.evidence["mfa"] = "true" // read by policy
	}
	if !p.at.IsZero() {
		l.evidence["auth_time"] = p.at.UTC().Format(time.RFC3339)
	}
	return auth.Identity{User: name, Roles: []string{"admin"}, Method: Name, Evidence: l.evidence, Expires: p.ends}, nil
}

// callback shows where to log in and waits until the browser is back.
func (l *login) callback(ctx context.Context, address string) (map[string]string, error) {
	if err := l.talk.Show(ctx, auth.Notice{Label: "Log in at the identity provider", URL: address, Expires: l.now().Add(webLife)}); err != nil {
		return nil, err
	}
	answers, err := l.talk.Ask(ctx, auth.Field{Name: Callback, Label: "Answer of the identity provider", Secret: true,
		Help: "the query of the address to which the browser came back, or the form that it posted"})
	if err != nil {
		return nil, err
	}
	defer answers.Zero()
	back, err := parseCallback(answers.Text(Callback))
	if err != nil {
		return nil, auth.Errorf(auth.BadLogin, hintAgain, "what the browser brought back is no answer of an identity provider: %w", err)
	}
	return back, nil
}

const hintAgain = "start again from the login page, in one browser"
