package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/plugins/transport/https"
	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
)

// maxAnswer bounds what is read of an answer of the provider. Metadata of a
// federation may have some hundred kB.
const maxAnswer = 1 << 20

// way is how connections are made: straight, or through the proxy.
func (s *settings) way() (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	if s.Proxy.Address == "" {
		return func(ctx context.Context, _, address string) (net.Conn, error) {
			return tcp.Dial(ctx, address, "", s.Timeout)
		}, nil
	}
	set := map[string]any{"proxy": s.Proxy.Address, "tls": s.Proxy.TLS, "timeout": s.Timeout.String()}
	for name, text := range map[string]string{"ca": s.Proxy.CA, "user": s.Proxy.User, "password": s.Proxy.Password.Reveal()} {
		if text != "" {
			set[name] = text
		}
	}
	data, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	t := https.New()
	if err := config.Decode(t.Config(), data); err != nil {
		return nil, err
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return t.Dial(ctx, transport.Target{Network: "tcp", Address: address})
	}, nil
}

// client makes the HTTP client for one login, and the word for the audit log on
// how the provider proves itself.
func (s *settings) client() (*http.Client, string, error) {
	dial, err := s.way()
	if err != nil {
		return nil, "", err
	}
	conf, how := trust.Config(s.Pin, s.CA)
	return &http.Client{
		Timeout: s.Timeout,
		Transport: bounded{&http.Transport{
			DialContext: dial, TLSClientConfig: conf, TLSHandshakeTimeout: s.Timeout,
			MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2,
		}},
		// A redirect would carry a code or a secret to where nobody said.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, how, nil
}

// bounded lets only https out, and only so much in.
type bounded struct{ *http.Transport }

var errPlain = errors.New("its address is not https")

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errPlain
	}
	resp, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

// get fetches a document.
func get(ctx context.Context, c *http.Client, address string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("it answers %s (%d)", http.StatusText(resp.StatusCode), resp.StatusCode)
	}
	b, err := io.ReadAll(resp.Body)
	return b, resp.Header, err
}

const (
	hintUnreachable = "check the identity provider and the way to it, proxy included; until it answers, log in by challenge and response"
	hintCertificate = "if the identity provider has a new certificate, set its pin or its authority (ca); until then, log in by challenge and response"
)

// unavailable is the error of a provider that gives no usable answer.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	hint := hintUnreachable
	if trust.IsCertificate(err) {
		hint = hintCertificate
	}
	return auth.Errorf(auth.Unreachable, hint, "the identity provider is not available: %s", clean(plain(err).Error()))
}

// plain takes the URL out of an error of package http: it may hold a code.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refusal is the error for what the provider's OAuth endpoints answer.
func refusal(ctx context.Context, err error) error {
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) {
		return unavailable(ctx, err)
	}
	if r.ErrorCode == "" {
		status := 0
		if r.Response != nil {
			status = r.Response.StatusCode
		}
		return auth.Errorf(auth.Unreachable, hintUnreachable, "the identity provider does not work: it answers %s (%d)", http.StatusText(status), status)
	}
	return denial(r.ErrorCode, r.ErrorDescription)
}

// denial is the error for a code of RFC 6749, RFC 8628 or OpenID Connect.
func denial(code, description string) error {
	said := clean(code)
	if description != "" {
		said += ": " + clean(description)
	}
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required", "unmet_authentication_requirements":
		return auth.Errorf(auth.Denied, "log in at the identity provider as a user who may, and confirm", "the identity provider says no (%s)", said)
	case "expired_token":
		return auth.Errorf(auth.Timeout, "start again", "nobody logged in at the identity provider in time")
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "unsupported_response_type", "invalid_scope", "invalid_request":
		return auth.Errorf(auth.Config, "compare client_id, client_secret and scopes with what is registered at the identity provider; it must allow this kind of login", "the identity provider does not serve this client (%s)", said)
	case "invalid_grant":
		return auth.Errorf(auth.BadLogin, "start again", "the identity provider does not know this login any more (%s)", said)
	case "server_error", "temporarily_unavailable":
		return auth.Errorf(auth.Unreachable, hintUnreachable, "the identity provider does not work (%s)", said)
	}
	return auth.Errorf(auth.Denied, "ask who runs the identity provider what it means", "the identity provider refuses (%s)", said)
}
