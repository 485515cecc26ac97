package infinibox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/auth"
	sdkconfig "github.com/latchstring/latchstring/sdk/config"
)

// Probe implements [auth.Prober] (REQ B7): every management address, clocks, and
// the user for events. One address that serves is enough for a login, but each
// is shown.
func (m *Method) Probe(ctx context.Context, report func(auth.Step)) error {
	config, how := m.settings.tls()
	try := func(name string, f func() (string, error)) error {
		start := time.Now()
		detail, err := f()
		report(auth.Step{Name: name, Detail: detail, Took: time.Since(start), Err: err})
		return err
	}
	var failed error
	serving := ""
	var header http.Header
	for _, a := range m.settings.Addresses {
		address, err := withPort(a)
		if err != nil {
			return auth.Errorf(auth.Config, "", "management address: %w", err)
		}
		err = try("array at "+address, func() (string, error) {
			h, err := m.array(address, config).there(ctx, m.settings.Timeout)
			if err != nil {
				return "", m.absent(err)
			}
			if serving == "" {
				serving, header = address, h
			}
			return "it serves, certificate: " + how, nil
		})
		if failed == nil {
			failed = err
		}
	}
	if serving == "" {
		return failed
	}
	clocks := try("clocks", func() (string, error) {
		ahead, ok, err := trust.Clocks(header, time.Now())
		if err != nil {
			return "", auth.Errorf(auth.Config, "set the clock, by NTP if there is a server to ask", "%w", err)
		}
		if !ok {
			return "the " + m.settings.called() + " does not say what time it is", nil
		}
		return fmt.Sprintf("%s apart", max(0, ahead.Abs()-time.Second).Round(time.Second)), nil
	})
	event := try("user for events", func() (string, error) { return m.eventUser(ctx, serving, config) })
	return errors.Join(failed, clocks, event)
}

// absent is the error of an address that does not serve.
func (m *Method) absent(err error) error {
	hint := "check the " + m.settings.called() + " and the way to it; other management addresses are tried as well"
	if trust.IsCertificate(err) {
		hint = "if the " + m.settings.called() + " has a new certificate, set its pin or its authority"
	}
	return auth.Errorf(auth.Unreachable, hint, "%w", err)
}

// eventUser logs in as the user for events, and out again.
func (m *Method) eventUser(ctx context.Context, address string, config *tls.Config) (string, error) {
	if m.settings.EventUser == "" {
		return "none is set (event_user): events of sessions do not reach the array", nil
	}
	answers := auth.Answers{"user": sdkconfig.NewSecret(m.settings.EventUser), "password": m.settings.EventPass}
	body, ok := credentials(answers)
	if !ok {
		clear(body)
		return "", auth.Errorf(auth.BadLogin, "set event_user and event_password anew", "user name or password is no text")
	}
	acc, err := m.array(address, config).login(ctx, body, m.settings.Timeout)
	switch {
	case errors.Is(err, errRefused):
		return "", auth.Errorf(auth.BadLogin, "set event_user and event_password anew; an account that is locked is refused in the same way", "the %s refuses the user for events", m.settings.called())
	case err != nil:
		return "", m.absent(err)
	}
	if want := m.settings.Product; want != auto && acc.Product != "" && want != acc.Product {
		return "", auth.Errorf(auth.Config, "set product to what it is, or addresses to the right one", "product is %s, and what answers there is an %s", want, acc.Product)
	}
	return fmt.Sprintf("%s, with the role %s", m.settings.EventUser, rolesOf(acc.Roles)), nil
}

// there asks an address for what it tells nobody who is not logged in. Any
// answer of an array will do but that it is not serving.
func (a *array) there(ctx context.Context, limit time.Duration) (http.Header, error) {
	defer a.http.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := a.request(ctx, http.MethodGet, "system/name", nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, &unavailable{"it does not answer", plain(err)}
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusOK:
		return resp.Header, nil
	}
	return nil, &unavailable{what: fmt.Sprintf("it answers %s (%d)", http.StatusText(resp.StatusCode), resp.StatusCode)}
}
