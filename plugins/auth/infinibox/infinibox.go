package infinibox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the method's name.
const Name = "infinibox"

// The longest user name and password that are passed on.
const (
	maxUser     = 256
	maxPassword = 1024
)

// sso, typed as the password, asks for single sign-on (REQ B4). It never goes
// to the array as a password.
const sso = "SSO"

// Method asks for user name and password and has the array check them.
type Method struct{ settings settings }

// New makes the method.
func New() *Method { return &Method{} }

// Help is a line for `describe`.
func (m *Method) Help() string { return "user name and password of the array, with its Admin role" }

// Config is where the host's settings go.
func (m *Method) Config() any { return &m.settings }

// Needs declares the array's port, which only the settings know, and what the
// resolver reads.
func (m *Method) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// Authenticate implements [auth.Method].
func (m *Method) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	config, trust := m.settings.tls()
	if trust == notVerified {
		slog.Warn("the certificate of the array is not verified (insecure_skip_verify); passwords can be read by whoever sits in between")
		warning := auth.Notice{Label: "WARNING", Value: "the certificate of the " + m.settings.called() + " is NOT verified: whoever sits in between reads the password"}
		if err := talk.Show(ctx, warning); err != nil {
			return auth.Identity{}, err
		}
	}
	answers, err := talk.Ask(ctx,
		auth.Field{Name: "user", Label: "User name", Help: "a user of the " + m.settings.called() + " with the Admin role"},
		auth.Field{Name: "password", Label: "Password", Secret: true})
	if err != nil {
		return auth.Identity{}, err
	}
	defer answers.Zero()
	if err := check(answers); err != nil {
		return auth.Identity{}, err
	}
	acc, address, err := m.ask(ctx, config, answers)
	if err != nil {
		return auth.Identity{}, err
	}
	if !admin(acc.Roles) {
		return auth.Identity{}, auth.Errorf(auth.Denied, "log in as a user with the Admin role, or have an administrator of the "+m.settings.called()+" give it to this one",
			"the %s knows this user, but without the Admin role (it has %s)", m.settings.called(), rolesOf(acc.Roles))
	}
	name := acc.Name
	if name == "" {
		name = answers.Text("user")
	}
	evidence := map[string]string{"address": address, "certificate": trust}
	if acc.Serial != "" {
		evidence["serial"] = acc.Serial
	}
	if acc.Product != "" {
		evidence["product"] = acc.Product
	}
	if printable(acc.Array) {
		evidence["array"] = acc.Array
	}
	return auth.Identity{User: name, Roles: []string{"admin"}, Method: Name, Evidence: evidence}, nil
}

// check refuses what no array would take, without asking one.
func check(answers auth.Answers) error {
	user, password := answers.Text("user"), answers.Secret("password")
	length := 0
	exactly := false
	password.Use(func(b []byte) { length, exactly = len(b), string(b) == sso })
	switch {
	case user == "" || length == 0:
		return auth.Errorf(auth.BadLogin, "give both", "user name or password is empty")
	case exactly:
		return auth.Errorf(auth.Denied, "single sign-on is another method of logging in; this one wants the array's user name and password",
			"SSO is no password and was not sent to the array")
	case len(user) > maxUser || length > maxPassword || !printable(user):
		return auth.Errorf(auth.BadLogin, badHint, "wrong user name or password")
	}
	return nil
}

const badHint = "check user name and password; an account that is locked or disabled is refused in the same way"

// ask tries one management address after the other until one has an answer.
func (m *Method) ask(ctx context.Context, config *tls.Config, answers auth.Answers) (account, string, error) {
	var failed []string
	certificate := false
	for _, a := range m.settings.Addresses {
		address, err := withPort(a)
		if err != nil {
			return account{}, "", auth.Errorf(auth.Config, "", "management address: %w", err)
		}
		body, ok := credentials(answers)
		if !ok {
			clear(body)
			return account{}, "", auth.Errorf(auth.BadLogin, badHint, "wrong user name or password")
		}
		one := m.array(address, config)
		acc, err := one.login(ctx, body, m.settings.Timeout)
		var gone *unavailable
		switch {
		case err == nil:
			return acc, address, nil
		case errors.Is(err, errRefused):
			return account{}, "", auth.Errorf(auth.BadLogin, badHint, "wrong user name or password")
		case errors.As(err, &gone):
			failed = append(failed, address+": "+gone.Error())
			certificate = certificate || trust.IsCertificate(err)
			slog.Info("management address passed over", "address", address, "error", gone.Error())
		default:
			return account{}, "", err
		}
	}
	hint := "check the " + m.settings.called() + " and the way to it; until it answers, log in by challenge and response"
	if certificate {
		hint = "if the " + m.settings.called() + " has a new certificate, set its pin or its authority; until then, log in by challenge and response"
	}
	return account{}, "", auth.Errorf(auth.Unreachable, hint, "the %s is not available (%s)", m.settings.called(), strings.Join(failed, "; "))
}

// array is one management address.
func (m *Method) array(address string, config *tls.Config) *array {
	return &array{base: "https://" + address + "/api/rest/", http: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: config.Clone(), TLSHandshakeTimeout: m.settings.Timeout, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a password goes where it is told to
	}}
}

// admin reports whether the Admin role is among roles. Arrays of different
// versions and their tools write ADMIN, admin, Admin.
func admin(roles []string) bool {
	for _, r := range roles {
		if normal(r) == "ADMIN" {
			return true
		}
	}
	return false
}

// normal makes POOL_ADMIN of PoolAdmin, pool-admin and Pool Admin alike, so
// that no spelling of one role passes for another.
func normal(role string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		if r >= 'a' && r <= 'z' { // not by Unicode, which makes an I of a dotless i
			return r - 'a' + 'A'
		}
		return r
	}, role)
}

func rolesOf(roles []string) string {
	var plain []string
	for _, r := range roles {
		if printable(r) && len(plain) < 5 {
			plain = append(plain, r)
		}
	}
	if len(plain) == 0 {
		return "none"
	}
	return strings.Join(plain, ", ")
}

// printable reports whether text can be shown and audited as it is.
func printable(s string) bool {
	return s != "" && len(s) <= maxUser && fmt.Sprintf("%q", s) == `"`+s+`"`
}
