package sso

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
)

// algorithms are those with which a token may be signed. HMAC is not among
// them, nor is none.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// provider is what discovery says (OpenID Connect Discovery 1.0, RFC 8414).
type provider struct {
	*oidc.Provider
	Device    string   `json:"device_authorization_endpoint"`
	UserInfo  string   `json:"userinfo_endpoint"`
	AuthWays  []string `json:"token_endpoint_auth_methods_supported"`
	Challenge []string `json:"code_challenge_methods_supported"`
	SaysWho   bool     `json:"authorization_response_iss_parameter_supported"`
}

// discover asks the issuer where its endpoints are. It is asked at each login,
// so that nothing of it grows old here.
func (l *login) discover(ctx context.Context) (*provider, error) {
	p, err := oidc.NewProvider(ctx, l.Issuer)
	if err != nil {
		var other *oidc.IssuerMismatchError
		if errors.As(err, &other) {
			return nil, auth.Errorf(auth.Config, "set issuer to exactly what the provider calls itself", "the identity provider is another one: %s", clean(err.Error()))
		}
		return nil, unavailable(ctx, err)
	}
	out := &provider{Provider: p}
	if err := p.Claims(out); err != nil {
		return nil, unavailable(ctx, errors.New("its discovery document has another form"))
	}
	for what, address := range map[string]string{
		"authorization_endpoint": p.Endpoint().AuthURL, "token_endpoint": p.Endpoint().TokenURL,
		"device_authorization_endpoint": out.Device, "userinfo_endpoint": out.UserInfo,
	} {
		if address != "" && !secureURL(address) {
			return nil, auth.Errorf(auth.Config, "set up the identity provider with https throughout", "the identity provider's %s is not https", what)
		}
	}
	return out, nil
}

// oauth makes the client of the provider's endpoints.
func (l *login) oauth(p *provider) *oauth2.Config {
	end := p.Endpoint()
	end.DeviceAuthURL = p.Device
	// Trying both would use up a code.
	end.AuthStyle = oauth2.AuthStyleInHeader
	if l.Secret.IsZero() || len(p.AuthWays) > 0 && !slices.Contains(p.AuthWays, "client_secret_basic") {
		end.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: l.ClientID, ClientSecret: l.Secret.Reveal(), Endpoint: end, Scopes: l.Scopes, RedirectURL: l.redirect}
}

// oidc logs in by OpenID Connect.
func (l *login) oidc(ctx context.Context) (proof, error) {
	ctx = oidc.ClientContext(ctx, l.client)
	p, err := l.discover(ctx)
	if err != nil {
		return proof{}, err
	}
	if l.redirect == "" {
		return l.device(ctx, p)
	}
	return l.code(ctx, p)
}

// device is the grant for what has no browser (RFC 8628).
func (l *login) device(ctx context.Context, p *provider) (proof, error) {
	if p.Device == "" {
		return proof{}, auth.Errorf(failure.Unsupported, "have it enable the device authorization grant (RFC 8628) for this client, or log in on the web page", "the identity provider offers no login for command lines")
	}
	c := l.oauth(p)
	d, err := c.DeviceAuth(ctx)
	if err != nil {
		return proof{}, refusal(ctx, err)
	}
	if !printable(d.UserCode) || !secureURL(d.VerificationURI) || d.DeviceCode == "" || d.VerificationURIComplete != "" && !secureURL(d.VerificationURIComplete) {
		return proof{}, auth.Errorf(auth.Unreachable, hintUnreachable, "the identity provider does not work: it gave no usable code and page")
	}
	l.evidence["flow"] = "device"
	label := "To log in, open this page and type the code"
	if printable(l.machine) {
		label = "To log in on " + l.machine + ", open this page and type the code; confirm nothing that you did not start"
	}
	notice := auth.Notice{Label: label, Value: d.UserCode, URL: d.VerificationURI, Expires: d.Expiry}
	if err := l.talk.Show(ctx, notice); err != nil {
		return proof{}, err
	}
	t, err := c.DeviceAccessToken(ctx, d)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return proof{}, denial("expired_token", "")
		}
		return proof{}, refusal(ctx, err)
	}
	return l.token(ctx, p, t, "")
}

// code is the authorization code with PKCE (RFC 6749, RFC 7636, RFC 9700).
func (l *login) code(ctx context.Context, p *provider) (proof, error) {
	if len(p.Challenge) > 0 && !slices.Contains(p.Challenge, "S256") {
		return proof{}, auth.Errorf(auth.Config, "have it enable PKCE with S256", "the identity provider has no PKCE with S256")
	}
	c := l.oauth(p)
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	opts := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if l.MaxAge > 0 {
		opts = append(opts, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(l.MaxAge/time.Second))))
	}
	if len(l.ACR) > 0 {
		opts = append(opts, oauth2.SetAuthURLParam("acr_values", strings.Join(l.ACR, " ")))
	}
	l.evidence["flow"] = "code"
	back, err := l.callback(ctx, c.AuthCodeURL(state, opts...))
	if err != nil {
		return proof{}, err
	}
	if subtle.ConstantTimeCompare([]byte(back["state"]), []byte(state)) != 1 {
		return proof{}, auth.Errorf(auth.BadLogin, hintAgain, "what the browser brought back belongs to another login")
	}
	// Of several providers one could pass off another's answer (RFC 9207).
	if iss, said := back["iss"]; said && iss != l.Issuer || !said && p.SaysWho {
		return proof{}, auth.Errorf(auth.BadLogin, hintAgain, "what the browser brought back comes from another identity provider")
	}
	if e := back["error"]; e != "" {
		return proof{}, denial(e, back["error_description"])
	}
	if back["code"] == "" {
		return proof{}, auth.Errorf(auth.BadLogin, hintAgain, "what the browser brought back has no code in it")
	}
	t, err := c.Exchange(ctx, back["code"], oauth2.VerifierOption(verifier))
	if err != nil {
		return proof{}, refusal(ctx, err)
	}
	return l.token(ctx, p, t, nonce)
}

// token checks an id token and reads it (OpenID Connect Core 1.0, 3.1.3.7). The
// device grant has no nonce.
func (l *login) token(ctx context.Context, p *provider, t *oauth2.Token, nonce string) (proof, error) {
	bad := func(format string, args ...any) (proof, error) {
		return proof{}, auth.Errorf(auth.Denied, "ask who runs the identity provider; compare issuer, client_id and the clocks", "the identity provider's token does not hold: "+format, args...)
	}
	raw, _ := t.Extra("id_token").(string)
	if raw == "" {
		return bad("there is no id token")
	}
	id, err := p.Verifier(&oidc.Config{ClientID: l.ClientID, Now: l.now, SupportedSigningAlgs: algorithms}).Verify(ctx, raw)
	if err != nil {
		var late *oidc.TokenExpiredError
		if errors.As(err, &late) {
			return bad("it has expired, at %s", late.Expiry.UTC().Format(time.RFC3339))
		}
		if strings.Contains(err.Error(), "fetching keys") {
			return proof{}, unavailable(ctx, errors.New("its keys cannot be fetched"))
		}
		return bad("%s", clean(strings.TrimPrefix(err.Error(), "oidc: ")))
	}
	if id.IssuedAt.After(l.now().Add(skew)) {
		return bad("it is issued in the future; is the clock of this machine right?")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return bad("it belongs to another login (nonce)")
	}
	var said claims
	if err := decode(id, &said); err != nil {
		return bad("%v", err)
	}
	if azp, there := said["azp"]; there && azp != any(l.ClientID) || !there && len(id.Audience) > 1 {
		return bad("it was issued to another client (azp)")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(t.AccessToken); err != nil {
			return bad("it belongs to another access token")
		}
	}
	out := proof{claims: said, issuer: id.Issuer, subject: id.Subject, name: said.text("preferred_username"), acr: said.text("acr"), amr: said.texts("amr")}
	if n, ok := said["auth_time"].(json.Number); ok {
		seconds, err := n.Float64()
		if err != nil || seconds < 0 || seconds > 1<<40 {
			return bad("its auth_time is no time")
		}
		out.at = time.Unix(int64(seconds), 0)
	}
	if l.UserInfo {
		if err := l.more(ctx, p, t, &out); err != nil {
			return proof{}, err
		}
	}
	if out.name == "" {
		out.name = id.Subject
	}
	return out, nil
}

// more adds what the userinfo endpoint says of the same user. What the token
// says, which is signed, is not changed by it.
func (l *login) more(ctx context.Context, p *provider, t *oauth2.Token, out *proof) error {
	info, err := p.Provider.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil {
		return unavailable(ctx, fmt.Errorf("userinfo: %w", err))
	}
	if info.Subject != out.subject {
		return auth.Errorf(auth.Denied, "ask who runs the identity provider", "the identity provider's userinfo is about another user")
	}
	var said claims
	if err := decode(info, &said); err != nil {
		return unavailable(ctx, fmt.Errorf("userinfo: %w", err))
	}
	for name, v := range said {
		if _, there := out.claims[name]; !there {
			out.claims[name] = v
		}
	}
	if out.name == "" {
		out.name = said.text("preferred_username")
	}
	return nil
}

// decode reads claims without rounding numbers.
func decode(from interface{ Claims(any) error }, into *claims) error {
	var raw json.RawMessage
	if err := from.Claims(&raw); err != nil {
		return errors.New("its claims have another form")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil || *into == nil {
		return errors.New("its claims have another form")
	}
	return nil
}
