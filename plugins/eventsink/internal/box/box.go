// Package box speaks to the REST interface of an array as the user that is kept
// for events. Each request carries the credentials (HTTP Basic): no session is
// left open at the array, whatever happens here.
package box

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
)

const maxAnswer = 1 << 20

// Settings are those of a login by the array, as far as events need them.
type Settings struct {
	Addresses []string      `config:"addresses" help:"management addresses of the array as host or host:port"`
	Pin       string        `config:"pin" help:"SHA-256 of the array's certificate, as SHA256:base64 or in hex"`
	CA        string        `config:"ca" help:"PEM certificates that the array's certificate must chain to, instead of the system's"`
	Insecure  bool          `config:"insecure_skip_verify" help:"accept any certificate; whoever sits in between then reads the password"`
	User      string        `config:"event_user" help:"user of the array that events are written as"`
	Password  config.Secret `config:"event_password" help:"its password"`
	Timeout   time.Duration `config:"timeout" default:"15s" help:"how long one management address may take"`
}

// Check adds what is wrong to p; prefix stands before each name.
func (s *Settings) Check(p *config.Problems, prefix string) {
	bad := func(name, format string, args ...any) { p.Add(prefix+name, format, args...) }
	if len(s.Addresses) == 0 || len(s.Addresses) > 8 {
		bad("addresses", "want 1 to 8 management addresses of the array")
	}
	for _, a := range s.Addresses {
		if _, err := withPort(a); err != nil {
			bad("addresses", "write each as host or host:port, without https://")
			break
		}
	}
	if s.Pin != "" {
		if _, err := trust.ParsePin(s.Pin); err != nil {
			bad("pin", "%v", err)
		}
	}
	if s.CA != "" {
		if err := trust.CheckCA(s.CA); err != nil {
			bad("ca", "%v", err)
		}
	}
	if s.Insecure && (s.Pin != "" || s.CA != "") {
		bad("insecure_skip_verify", "it contradicts pin and ca; leave it out")
	}
	if s.User == "" || strings.Contains(s.User, ":") {
		bad("event_user", "want the name of a user of the array, kept for events")
	} else if s.Password.IsZero() {
		bad("event_password", "event_user needs one")
	}
	if s.Timeout <= 0 {
		bad("timeout", "it must be more than nothing")
	}
}

func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "443"
	}
	if _, bad := strconv.ParseUint(port, 10, 16); bad != nil || port == "0" {
		return "", fmt.Errorf("port %q", port)
	}
	if _, bad := netip.ParseAddr(host); bad != nil && (host == "" || strings.ContainsAny(host, "/@:?#% \t")) {
		return "", fmt.Errorf("host %q", host)
	}
	return net.JoinHostPort(host, port), nil
}

// StatusError is an array's refusal.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the array answers %s (%d)", http.StatusText(e.Status), e.Status)
}

// Refused reports whether the request as it is will never be taken: any 4xx but
// those about who asks and how often.
func (e *StatusError) Refused() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return e.Status >= 400 && e.Status < 500
}

// Do sends a request to the first management address that serves and decodes the
// result into out, if that is not nil. A status of the array is a *[StatusError].
func (s *Settings) Do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return eventsink.Permanent(fmt.Errorf("write the request: %w", err))
		}
	}
	c, _ := trust.Config(s.Pin, s.CA)
	c.InsecureSkipVerify = c.InsecureSkipVerify || s.Insecure
	var failed []string
	certificate := false
	for _, a := range s.Addresses {
		address, err := withPort(a)
		if err != nil {
			return err
		}
		err = s.one(ctx, c, address, method, path, body, out)
		var status *StatusError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &status) && status.Status < 500:
			return err
		}
		certificate = certificate || trust.IsCertificate(err)
		failed = append(failed, address+": "+err.Error())
	}
	hint := "check the array and the way to it; events wait until it answers"
	code := failure.Unreachable
	if certificate {
		code, hint = failure.TLS, "if the array has a new certificate, set its pin or its authority"
	}
	return eventsink.Errorf(code, hint, "the array is not available (%s)", strings.Join(failed, "; "))
}

func (s *Settings) one(ctx context.Context, c *tls.Config, address, method, path string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: c.Clone(), DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a password goes where it is told to
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+address+"/api/rest/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.SetBasicAuth(s.User, s.Password.Reveal())
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		return &StatusError{resp.StatusCode}
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&envelope); err != nil || len(envelope.Result) == 0 || string(envelope.Result) == "null" {
		return errors.New("its answer is not that of an InfiniBox")
	}
	if out != nil && json.Unmarshal(envelope.Result, out) != nil {
		return errors.New("its answer is not that of an InfiniBox: the result has another form")
	}
	return nil
}

// Explain gives a refusal of the array its code and hint.
func Explain(err error) error {
	var status *StatusError
	if !errors.As(err, &status) {
		return err
	}
	switch {
	case status.Status == http.StatusUnauthorized:
		return eventsink.Errorf(failure.BadLogin, "set event_user and event_password anew; an account that is locked or disabled is refused in the same way", "the array refuses the user for events (%d)", status.Status)
	case status.Status == http.StatusForbidden:
		return eventsink.Errorf(failure.Denied, "give the user for events a role that may do this", "the array does not let the user for events do this (%d)", status.Status)
	case status.Refused():
		return eventsink.Permanent(failure.New(failure.Failed, "", "%w", err))
	}
	return eventsink.Errorf(failure.Unreachable, "events wait until the array takes them", "%w", err)
}
