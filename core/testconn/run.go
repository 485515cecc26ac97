package testconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Step is one thing that was tried.
type Step struct {
	Name   string
	Detail string // what was seen
	Took   time.Duration
	Err    error  // nil when it went well
	Hint   string // what to do about Err
}

// Way is the transport that is tested; a *host.Transport is one.
type Way interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Probe(ctx context.Context, network, address string, report func(host.Step)) error
}

// Options say what is tested.
type Options struct {
	Client   *client.Client // of the relay, with this system's login
	RelayKey ssh.PublicKey  // the receipt key of the vendor's record
	Way      Way
	Route    route.Route
	Policy   policy.Decider
	Now      func() time.Time
	// Patience is how long the relay's certificate may take. 0 means 15 s.
	Patience time.Duration
	// Inspectors is where certificates of inspecting proxies are let in.
	Inspectors string
}

// maxSkew is how far the clocks may be apart before it is a failure: what is
// signed carries times.
const maxSkew = client.MaxSkew

// Run tests, and reports each step as it ends. It returns the error of the
// step that failed.
func Run(ctx context.Context, o Options, report func(Step)) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = 15 * time.Second
	}
	t := &test{Options: o, report: report, address: o.Client.Address()}
	for _, step := range []func(context.Context) error{t.name, t.allowed, t.way, t.secure, t.hello, t.known, t.sessions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

type test struct {
	Options
	report  func(Step)
	address string
	health  api.Health
}

// try times one step and reports it.
func (t *test) try(name string, f func() (detail string, err error)) error {
	start := time.Now()
	detail, err := f()
	t.report(Step{Name: name, Detail: detail, Took: time.Since(start), Err: err, Hint: hintOf(err)})
	return err
}

// hintOf finds what to do about an error.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	if f := failure.From(err); err != nil && f != nil {
		return f.Hint
	}
	return ""
}

func (t *test) name(context.Context) error {
	return t.try("address", func() (string, error) { return t.address, route.CheckRelay(t.address) })
}

func (t *test) allowed(context.Context) error {
	return t.try("policy", func() (string, error) {
		use := t.Route.Use("session")
		d := t.Policy.Decide(policy.TransportDial, policy.Facts{
			policy.Transport: t.Route.Transport, policy.Address: t.address, policy.Proxy: use.Proxy, policy.Purpose: use.Purpose,
		})
		return t.Route.String(), d.Err()
	})
}

// way lets the transport show its own steps, or times its dial as a whole.
func (t *test) way(ctx context.Context) error {
	var failed error
	err := t.Way.Probe(ctx, "tcp", t.address, func(s host.Step) {
		if s.Err != nil && failed == nil {
			failed = s.Err
		}
		t.report(Step{Name: s.Name, Detail: s.Detail, Took: s.Took, Err: s.Err, Hint: hintOf(s.Err)})
	})
	if failed != nil {
		return failed
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, failure.Unsupported) {
		t.report(Step{Name: "connect", Err: err, Hint: hintOf(err)})
		return err
	}
	return t.try("connect", func() (string, error) {
		conn, err := t.Way.DialContext(ctx, "tcp", t.address)
		if err != nil {
			return "", err
		}
		return t.Route.String(), conn.Close()
	})
}

// mtuError says that small packets get through and large ones do not.
type mtuError struct{ err error }

func (e *mtuError) Error() string {
	return fmt.Sprintf("the connection is made, but the relay's certificate does not arrive: %v", e.err)
}
func (e *mtuError) Unwrap() error { return e.err }
func (e *mtuError) Hint() string {
	return "large packets may be lost on the way (MTU): try `ping -M do -s 1400` to the relay or the proxy, and lower the interface's MTU; or a firewall holds back TLS"
}

func (t *test) secure(ctx context.Context) error {
	return t.try("TLS", func() (string, error) {
		ctx, cancel := context.WithTimeout(ctx, t.Patience)
		defer cancel()
		conn, err := t.Way.DialContext(ctx, "tcp", t.address)
		if err != nil {
			return "", err
		}
		state, err := t.Client.Handshake(ctx, conn)
		var late net.Error
		if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout() {
			return "", &mtuError{err}
		}
		if errors.As(err, new(x509.UnknownAuthorityError)) && t.Inspectors != "" {
			return "", &inspectedError{err, t.Inspectors}
		}
		if err != nil {
			return "", err
		}
		leaf := state.PeerCertificates[0]
		detail := fmt.Sprintf("%s, certificate of %s until %s, issued by %s", tls.VersionName(state.Version), leaf.Subject.CommonName, leaf.NotAfter.Format(time.DateOnly), leaf.Issuer.CommonName)
		if t.Client.Customer(state) {
			detail += ", which inspects TLS and was let in; sessions and bundles stay encrypted to their ends"
		}
		return detail, nil
	})
}

// inspectedError says that somebody else's certificate came.
type inspectedError struct {
	err error
	dir string
}

func (e *inspectedError) Error() string { return e.err.Error() }
func (e *inspectedError) Unwrap() error { return e.err }
func (e *inspectedError) Hint() string {
	return "something on the way inspects TLS, or the address is another server's. If it is a proxy of your own: except the relay from inspection, or let the proxy in by putting its authority's certificate (PEM) into " + e.dir + "; sessions and bundles stay encrypted to their ends"
}

// versionError says that the relay speaks another version of the protocol.
type versionError struct{ theirs int }

func (e *versionError) Error() string {
	return fmt.Sprintf("the relay speaks version %d of the protocol, this program version %d", e.theirs, api.Version)
}
func (e *versionError) Hint() string { return "update the older of the two" }

// skewError says that the clocks are apart.
type skewError struct{ ahead time.Duration }

func (e *skewError) Error() string {
	direction := "behind"
	d := e.ahead
	if d < 0 {
		direction, d = "ahead of", -d
	}
	return fmt.Sprintf("this machine's clock is %s %s the relay's", d.Round(time.Second), direction)
}
func (e *skewError) Hint() string { return "set the clock, by NTP if there is a server to ask" }

func (t *test) hello(ctx context.Context) error {
	err := t.try("relay", func() (string, error) {
		var err error
		if t.health, err = t.Client.Health(ctx); err != nil {
			return "", err
		}
		if t.health.Version != api.Version {
			return "", &versionError{t.health.Version}
		}
		return fmt.Sprintf("%s, version %d, %s", t.health.Name, t.health.Version, t.health.Status), nil
	})
	if err != nil {
		return err
	}
	return t.try("clocks", func() (string, error) {
		ahead := t.health.Time.Sub(t.Now())
		if ahead > maxSkew || ahead < -maxSkew {
			return "", &skewError{ahead}
		}
		return fmt.Sprintf("%s apart", ahead.Abs().Round(10*time.Millisecond)), nil
	})
}

// unknownError says that the relay does not let this system in.
type unknownError struct{ err error }

func (e *unknownError) Error() string { return e.err.Error() }
func (e *unknownError) Unwrap() error { return e.err }
func (e *unknownError) Hint() string {
	if h := hintOf(e.err); h != "" {
		return h
	}
	return "ask the vendor for a new token, and enrol again: remote-support enroll --token-file FILE"
}

func (t *test) known(ctx context.Context) error {
	return t.try("enrolment", func() (string, error) {
		as, err := t.Client.Login(ctx)
		if err != nil {
			return "", &unknownError{err}
		}
		return "the relay knows this system as " + as, nil
	})
}
