package sso

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/crewjam/saml"
	"golang.org/x/oauth2"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/auth"
)

// Probe implements [auth.Prober]: the provider answers, is the one that is
// configured, knows this system, and its clock is right.
func (m *Method) Probe(ctx context.Context, report func(auth.Step)) error {
	client, how, err := m.settings.client()
	if err != nil {
		return auth.Errorf(auth.Config, "", "proxy: %w", err)
	}
	defer client.CloseIdleConnections()
	l := &login{settings: &m.settings, now: m.now, client: client, evidence: map[string]string{}}
	t := &probe{l, report, how}
	if l.Protocol == samlProtocol {
		return t.saml(ctx)
	}
	return t.oidc(oidc.ClientContext(ctx, client))
}

type probe struct {
	*login
	report func(auth.Step)
	how    string
}

// try times one step.
func (t *probe) try(name string, f func() (detail string, err error)) error {
	start := time.Now()
	detail, err := f()
	t.report(auth.Step{Name: name, Detail: detail, Took: time.Since(start), Err: err})
	return err
}

func (t *probe) oidc(ctx context.Context) error {
	var p *provider
	err := t.try("identity provider", func() (_ string, err error) {
		p, err = t.discover(ctx)
		return t.Issuer + ", certificate: " + t.how, err
	})
	if err != nil {
		return err
	}
	if err := t.clocks(ctx, strings.TrimSuffix(t.Issuer, "/")+"/.well-known/openid-configuration"); err != nil {
		return err
	}
	if err := t.try("keys of the identity provider", func() (string, error) { return t.keysOf(ctx, p) }); err != nil {
		return err
	}
	if err := t.try("this system at the identity provider", func() (string, error) { return t.known(ctx, p) }); err != nil {
		return err
	}
	return t.try("login on command lines", func() (string, error) {
		if p.Device == "" {
			return "not offered: only the web page can be used (no device authorization grant, RFC 8628)", nil
		}
		return "offered", nil
	})
}

func (t *probe) keysOf(ctx context.Context, p *provider) (string, error) {
	var doc struct {
		Keys string `json:"jwks_uri"`
	}
	if err := p.Claims(&doc); err != nil {
		return "", unavailable(ctx, errors.New("its discovery document has another form"))
	}
	b, _, err := get(ctx, t.client, doc.Keys)
	if err != nil {
		return "", unavailable(ctx, err)
	}
	n := strings.Count(string(b), `"kty"`)
	if n == 0 {
		return "", unavailable(ctx, errors.New("it has no keys"))
	}
	return fmt.Sprintf("%d", n), nil
}

// known asks for a token with a code that nobody gave out. A provider that
// complains about the code has accepted name and secret.
func (t *probe) known(ctx context.Context, p *provider) (string, error) {
	c := t.oauth(p)
	_, err := c.Exchange(ctx, rand.Text(), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	var r *oauth2.RetrieveError
	switch {
	case err == nil:
		return "", auth.Errorf(auth.Config, "do not use it", "the identity provider gives tokens for codes that it never made")
	case !errors.As(err, &r):
		return "", refusal(ctx, err)
	case r.ErrorCode == "invalid_grant" || r.ErrorCode == "invalid_request":
		return "known as " + t.ClientID, nil
	}
	return "", refusal(ctx, err)
}

// clocks compares the clock with the provider's.
func (t *probe) clocks(ctx context.Context, address string) error {
	return t.try("clocks", func() (string, error) {
		_, h, err := get(ctx, t.client, address)
		if err != nil {
			return "", unavailable(ctx, err)
		}
		return compare(h, t.now())
	})
}

func compare(h http.Header, now time.Time) (string, error) {
	ahead, ok, err := trust.Clocks(h, now)
	if err != nil {
		return "", auth.Errorf(auth.Config, "set the clock, by NTP if there is a server to ask; what is signed carries times", "%w", err)
	}
	if !ok {
		return "the identity provider does not say what time it is", nil
	}
	return fmt.Sprintf("%s apart", max(0, ahead.Abs()-time.Second).Round(time.Second)), nil
}

func (t *probe) saml(ctx context.Context) error {
	var idp *saml.EntityDescriptor
	err := t.try("identity provider", func() (_ string, err error) {
		if idp, err = t.provider(ctx); err != nil {
			return "", err
		}
		if t.MetadataURL == "" {
			return idp.EntityID + ", from metadata on this machine", nil
		}
		return idp.EntityID + ", certificate: " + t.how, nil
	})
	if err != nil {
		return err
	}
	if t.MetadataURL != "" {
		if err := t.clocks(ctx, t.MetadataURL); err != nil {
			return err
		}
	}
	return t.try("certificates for signatures", func() (string, error) { return signers(idp, t.now()) })
}

// signers says until when the provider's signatures can be checked.
func signers(idp *saml.EntityDescriptor, now time.Time) (string, error) {
	certs, err := certificates(idp)
	if err != nil {
		return "", auth.Errorf(auth.Config, "fetch the identity provider's metadata anew", "the identity provider's certificate does not work: %w", err)
	}
	var until time.Time
	for _, c := range certs {
		if now.After(c.NotBefore) && c.NotAfter.After(until) {
			until = c.NotAfter
		}
	}
	if !until.After(now) {
		return "", auth.Errorf(auth.Config, "fetch the identity provider's metadata anew", "the identity provider's certificate has expired")
	}
	return fmt.Sprintf("%d, good until %s", len(certs), until.UTC().Format(time.DateOnly)), nil
}
