package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/web"
	"github.com/latchstring/latchstring/core/web/cert"
)

// Web says where the agent serves its pages; the zero value serves none.
type Web struct {
	Address  string // host:port for HTTPS, no host for all addresses
	Redirect string // host:port for HTTP, from where everything is sent to the pages; empty for none
}

// webEvery is how often policy is asked whether the pages may be served.
const webEvery = 500 * time.Millisecond

// webAddress is an address as policy knows it. A port of the system's choice is
// asked about as port 1, which nobody allows by number.
func webAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", usage("the address of the web pages, %q, is not written host:port", address)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	if port == "0" {
		port = "1"
	}
	return net.JoinHostPort(host, port), nil
}

// mayServeWeb asks policy about every address that is to be listened on.
func (a *Agent) mayServeWeb() error {
	for _, address := range []string{a.opts.Web.Address, a.opts.Web.Redirect} {
		if address == "" {
			continue
		}
		full, err := webAddress(address)
		if err != nil {
			return err
		}
		if err := a.Decide(policy.WebServe, policy.Facts{policy.Address: full}).Err(); err != nil {
			return err
		}
	}
	return nil
}

// keepWeb serves the pages while policy lets it, until ctx ends. That they
// cannot be served when the agent starts is an error; what policy refuses is not.
func (a *Agent) keepWeb(ctx context.Context, ready chan<- error) {
	if a.opts.Web.Address == "" {
		ready <- nil
		return
	}
	if s, err := a.Logins(); err == nil {
		if err := s.ForgetBrowsers(); err != nil {
			ready <- err
			return
		}
	}
	tick := time.NewTicker(webEvery)
	defer tick.Stop()
	said := ""
	for {
		err := a.mayServeWeb()
		if err == nil {
			said = ""
			if err = a.serveWeb(ctx, ready); err == nil {
				return
			}
			a.opts.Log.Error("the web pages cannot be served", "error", err)
		} else if why := firstLine(err.Error()); why != said {
			said = why
			a.opts.Log.Warn("the web pages are not served", "why", why)
		}
		ready = answerOnce(ready, nil)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// answerOnce tells whoever waits for the start, if anybody still does.
func answerOnce(ready chan<- error, err error) chan<- error {
	if ready != nil {
		ready <- err
	}
	return nil
}

// serveWeb serves the pages until ctx ends (nil) or policy forbids them.
func (a *Agent) serveWeb(ctx context.Context, ready chan<- error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l, err := net.Listen("tcp", a.opts.Web.Address)
	if err != nil {
		err = fmt.Errorf("serve the web pages: %w", err)
		answerOnce(ready, err)
		return err
	}
	defer l.Close()
	certs := cert.Open(a.root.Var("web"), machineNames(l.Addr()))
	print, err := certs.Fingerprint()
	if err != nil {
		answerOnce(ready, err)
		return err
	}
	srv, err := web.New(web.Options{API: a, Log: a.opts.Log, Name: hostname(), Product: a.product(), Certificate: certs.Get})
	if err != nil {
		answerOnce(ready, err)
		return err
	}
	running := make(chan error, 2)
	n := 1
	if a.opts.Web.Redirect != "" {
		plain, err := net.Listen("tcp", a.opts.Web.Redirect)
		if err != nil {
			err = fmt.Errorf("redirect to the web pages: %w", err)
			answerOnce(ready, err)
			return err
		}
		defer plain.Close()
		n++
		_, port, _ := net.SplitHostPort(l.Addr().String())
		go func() { running <- web.Redirect(ctx, plain, port, a.opts.Log) }()
	}
	go func() { running <- srv.Serve(ctx, l) }()
	a.webAt.Store(new(l.Addr().String()))
	defer a.webAt.Store(nil)
	if _, err := a.Append(audit.Event{Type: audit.WebStarted, Actor: "agent", Subject: l.Addr().String(), Detail: details("redirect", a.opts.Web.Redirect, "certificate", print)}); err != nil {
		cancel(err)
	}
	a.opts.Log.Info("agent serves the web pages", "address", l.Addr().String(), "certificate", print)
	answerOnce(ready, nil)
	tick := time.NewTicker(webEvery)
	defer tick.Stop()
	for ctx.Err() == nil && n > 0 {
		select {
		case <-tick.C:
			if err := a.mayServeWeb(); err != nil {
				cancel(err)
			}
			print = a.noticeCertificate(certs, print)
		case err := <-running:
			n--
			cancel(err)
		case <-ctx.Done():
		}
	}
	for ; n > 0; n-- {
		<-running
	}
	why := context.Cause(ctx)
	if errors.Is(why, context.Canceled) {
		why = nil
	}
	reason := "the agent ends"
	if why != nil {
		reason = firstLine(why.Error())
	}
	a.Append(audit.Event{Type: audit.WebEnded, Actor: "agent", Subject: l.Addr().String(), Detail: details("reason", reason)}) //nolint:errcheck // it has ended all the same
	return why
}

// machineNames are the names under which the pages are likely to be reached.
func machineNames(at net.Addr) []string {
	names := []string{}
	if name := hostname(); name != "" {
		names = append(names, name)
	}
	names = append(names, "localhost")
	if t, ok := at.(*net.TCPAddr); ok && !t.IP.IsUnspecified() {
		return append(names, t.IP.String())
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// product is what the array is called on the pages.
func (a *Agent) product() string { return "" }

// webStatus is where the pages are; empty when they are not served.
func (a *Agent) webStatus() string {
	at := a.webAt.Load()
	if at == nil {
		return ""
	}
	host, port, err := net.SplitHostPort(*at)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return "https://" + net.JoinHostPort(host, port) + "/"
}
