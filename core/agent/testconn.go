package agent

import (
	"context"
	"errors"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/login"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/core/route/inspectors"
	"github.com/latchstring/latchstring/core/route/sealed"
	"github.com/latchstring/latchstring/core/testconn"
)

// TestConnection goes the way to the relay step by step, then to where users
// prove who they are, and opens nothing. address is that of another relay than
// the enrolled one, or empty.
func (a *Agent) TestConnection(ctx context.Context, _ control.Caller, address string, way route.Route, report func(testconn.Step)) error {
	told := false
	err := a.testRelay(ctx, address, way, func(s testconn.Step) {
		told = told || s.Err != nil
		report(s)
	})
	logins := a.testLogins(ctx, report)
	if logins != nil && err != nil && !told { // not to be lost beside what the others say
		report(testconn.Step{Name: "relay", Err: err})
	}
	return errors.Join(err, logins)
}

var _ control.Tester = (*Agent)(nil)

// Test implements [control.Tester]: the test with what somebody is about to turn
// remote access on with. The secret is not looked at.
func (a *Agent) Test(ctx context.Context, by control.Caller, req control.OnRequest, fn func(control.Step)) error {
	if err := a.outsider(by, "test the connection"); err != nil {
		return err
	}
	who, err := a.who(by)
	if err != nil {
		return err
	}
	local := a.local()
	address, proxy := req.RSS, req.Proxy
	if who.Method == login.SSO || address == "" { // REQ B4
		address = local[localcfg.RSS]
	}
	if address != "" { // whether it is retired is a step of the test
		address = api.WithPort(address)
		if err := api.CheckAddress(address); err != nil {
			return usage("the relay: %v", err)
		}
	}
	if proxy == "" {
		proxy = local[localcfg.Proxy]
	}
	if proxy == "none" {
		proxy = ""
	}
	way, err := route.Parse(route.Options{Proxy: proxy, Password: req.ProxyPassword, Bind: req.Bind})
	if err != nil {
		return err
	}
	return a.TestConnection(ctx, by, address, way, func(s testconn.Step) {
		out := control.Step{Name: s.Name, Detail: s.Detail, Took: s.Took, Hint: s.Hint}
		if s.Err != nil {
			out.Error = s.Err.Error()
		}
		fn(out)
	})
}

func (a *Agent) testRelay(ctx context.Context, address string, way route.Route, report func(testconn.Step)) error {
	vendor, err := a.system.Vendor()
	if err != nil {
		return err
	}
	if address != "" {
		vendor.RSS = address
	}
	if way, err = way.To(vendor.RSS, sealed.Open(a.root)); err != nil {
		return err
	}
	t, err := a.host.Transport(way.Transport, way.Use(""))
	if err != nil {
		return err
	}
	defer t.Close()
	c, err := a.relay(vendor, t.DialContext)
	if err != nil {
		return err
	}
	defer c.Close()
	key, err := vendor.ReceiptPublicKey()
	if err != nil {
		return err
	}
	return testconn.Run(ctx, testconn.Options{Client: c, RelayKey: key, Way: t, Route: way, Policy: a, Inspectors: inspectors.Dir(a.root)}, report)
}

// testLogins shows whether somebody could log in, by each way that is set up and
// can show it: the array and the identity provider are reached from here too.
func (a *Agent) testLogins(ctx context.Context, report func(testconn.Step)) error {
	s, err := a.Logins()
	if err != nil {
		return err
	}
	methods, err := s.Methods()
	if err != nil {
		return err
	}
	for _, m := range methods {
		told := false
		one := s.Check(ctx, m, func(step host.Step) {
			told = told || step.Err != nil
			report(loginStep(m, step))
		})
		if one == nil || errors.Is(one, login.ErrNoSteps) {
			continue
		}
		if !told {
			report(loginStep(m, host.Step{Name: "check", Err: one}))
		}
		err = errors.Join(err, one)
	}
	return err
}

func loginStep(method string, s host.Step) testconn.Step {
	out := testconn.Step{Name: "login " + method + ": " + s.Name, Detail: s.Detail, Took: s.Took, Err: s.Err}
	var h interface{ Hint() string }
	if errors.As(s.Err, &h) {
		out.Hint = h.Hint()
	}
	return out
}
