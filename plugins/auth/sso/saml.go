package sso

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"

	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/latchstring/latchstring/sdk/auth"
)

// saml logs in by SAML 2.0: the request by the redirect binding, the response
// by the POST binding. An answer that was not asked for is none.
func (l *login) saml(ctx context.Context) (proof, error) {
	idp, err := l.provider(ctx)
	if err != nil {
		return proof{}, err
	}
	sp, err := l.serviceProvider(idp)
	if err != nil {
		return proof{}, err
	}
	to := sp.GetSSOBindingLocation(saml.HTTPRedirectBinding)
	if !secureURL(to) {
		return proof{}, auth.Errorf(auth.Config, "have it offer the redirect binding, by https", "the identity provider's metadata has no page to log in that could be opened")
	}
	request, err := sp.MakeAuthenticationRequest(to, saml.HTTPRedirectBinding, saml.HTTPPostBinding)
	if err != nil {
		return proof{}, auth.Errorf(auth.Config, "", "make a request for the identity provider: %w", err)
	}
	state := rand.Text()
	address, err := request.Redirect(state, sp)
	if err != nil {
		return proof{}, auth.Errorf(auth.Config, "use an RSA or an ECDSA key", "sign a request for the identity provider: %w", err)
	}
	l.evidence["flow"] = "post"
	back, err := l.callback(ctx, address.String())
	if err != nil {
		return proof{}, err
	}
	if subtle.ConstantTimeCompare([]byte(back["RelayState"]), []byte(state)) != 1 {
		return proof{}, auth.Errorf(auth.BadLogin, hintAgain, "what the browser brought back belongs to another login")
	}
	return l.response(sp, request.ID, back["SAMLResponse"])
}

// serviceProvider is what this machine is to the provider.
func (l *login) serviceProvider(idp *saml.EntityDescriptor) (*saml.ServiceProvider, error) {
	acs, err := url.Parse(l.redirect)
	if err != nil {
		return nil, auth.Errorf(auth.Config, "", "the address to which the browser comes back: %w", err)
	}
	sp := &saml.ServiceProvider{
		EntityID: l.EntityID, AcsURL: *acs, IDPMetadata: idp, AuthnNameIDFormat: saml.UnspecifiedNameIDFormat,
		SignatureVerifier: strict{}, ValidateAudienceRestriction: l.forUs,
	}
	if l.MaxAge > 0 {
		fresh := true
		sp.ForceAuthn = &fresh
	}
	if len(l.ACR) == 1 { // the library can ask for one
		sp.RequestedAuthnContext = &saml.RequestedAuthnContext{Comparison: "exact", AuthnContextClassRef: l.ACR[0]}
	}
	if err := l.keys(sp); err != nil {
		return nil, auth.Errorf(auth.Config, "use an RSA or an ECDSA key", "key of this system: %w", err)
	}
	for _, d := range idp.IDPSSODescriptors {
		if d.WantAuthnRequestsSigned != nil && *d.WantAuthnRequestsSigned && sp.Key == nil {
			return nil, auth.Errorf(auth.Config, "set certificate and key, and register the certificate at the identity provider", "the identity provider wants signed requests")
		}
	}
	return sp, nil
}

func (l *login) keys(sp *saml.ServiceProvider) (err error) {
	if l.Certificate == "" {
		return nil
	}
	var pair tls.Certificate
	l.Key.Use(func(key []byte) { pair, err = tls.X509KeyPair([]byte(l.Certificate), key) })
	if err != nil {
		return errors.New("certificate and key are no pair")
	}
	if sp.Certificate, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return err
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return errors.New("it cannot sign")
	}
	switch signer.(type) {
	case *rsa.PrivateKey:
		sp.SignatureMethod = dsig.RSASHA256SignatureMethod
	case *ecdsa.PrivateKey:
		sp.SignatureMethod = dsig.ECDSASHA256SignatureMethod
	default:
		return fmt.Errorf("a key of type %T", signer)
	}
	sp.Key = signer
	return nil
}

// forUs reports an assertion that is not for this system. One for everybody is
// not either.
func (l *login) forUs(a *saml.Assertion) error {
	if a.Conditions != nil && len(a.Conditions.AudienceRestrictions) > 0 {
		for _, r := range a.Conditions.AudienceRestrictions { // all of them must hold
			if r.Audience.Value != l.EntityID {
				return fmt.Errorf("it is for %s, not for %s", clean(r.Audience.Value), l.EntityID)
			}
		}
		return nil
	}
	return errors.New("it does not say for whom it is")
}

// response checks a response and reads its assertion.
func (l *login) response(sp *saml.ServiceProvider, request, encoded string) (proof, error) {
	bad := func(err error) (proof, error) {
		return proof{}, auth.Errorf(auth.BadLogin, hintAgain+"; if that does not help, compare metadata, entity_id, redirect and the clocks", "the identity provider's answer does not hold: %s", clean(err.Error()))
	}
	document, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(document) == 0 {
		return bad(errors.New("it is no SAML response"))
	}
	if err := inspect(document); err != nil {
		return bad(err)
	}
	a, err := parse(sp, document, request)
	if err != nil {
		var status saml.ErrBadStatus
		if errors.As(err, &status) {
			return proof{}, auth.Errorf(auth.Denied, "log in at the identity provider as a user who may", "the identity provider says no (%s)", clean(status.Status))
		}
		return bad(err)
	}
	if err := bearer(a, request); err != nil {
		return bad(err)
	}
	return proofOf(a)
}

// parse has the library read a response. What panics in it is no response.
func parse(sp *saml.ServiceProvider, document []byte, request string) (a *saml.Assertion, err error) {
	defer func() {
		if recover() != nil {
			a, err = nil, errors.New("something is missing in it")
		}
	}()
	a, err = sp.ParseXMLResponse(document, []string{request}, sp.AcsURL)
	var private *saml.InvalidResponseError
	if errors.As(err, &private) {
		err = private.PrivateErr
	}
	if err == nil && (a == nil || a.Subject == nil || a.Conditions == nil) {
		err = errors.New("something is missing in it")
	}
	return a, err
}

// bearer reports an assertion that anybody could have brought: the library
// checks each confirmation, but not that there is one (SAML profiles 4.1.4.3).
func bearer(a *saml.Assertion, request string) error {
	for _, c := range a.Subject.SubjectConfirmations {
		d := c.SubjectConfirmationData
		if c.Method == "urn:oasis:names:tc:SAML:2.0:cm:bearer" && d != nil && d.InResponseTo == request && !d.NotOnOrAfter.IsZero() {
			return nil
		}
	}
	return errors.New("it does not confirm that it answers this login")
}

func proofOf(a *saml.Assertion) (proof, error) {
	if len(a.AuthnStatements) != 1 {
		return proof{}, auth.Errorf(auth.Denied, "have the identity provider send one AuthnStatement", "the identity provider does not say that the user logged in")
	}
	out := proof{claims: claims{}, issuer: a.Issuer.Value}
	if a.Subject.NameID != nil {
		out.subject = a.Subject.NameID.Value
		out.name = out.subject
	}
	s := a.AuthnStatements[0]
	out.at = s.AuthnInstant
	if s.SessionNotOnOrAfter != nil {
		out.ends = *s.SessionNotOnOrAfter
	}
	if s.AuthnContext.AuthnContextClassRef != nil {
		out.acr = s.AuthnContext.AuthnContextClassRef.Value
	}
	for _, statement := range a.AttributeStatements {
		for _, attribute := range statement.Attributes {
			var values []string
			for _, v := range attribute.Values {
				values = append(values, v.Value)
			}
			out.claims.add(attribute.Name, values)
			if attribute.FriendlyName != attribute.Name {
				out.claims.add(attribute.FriendlyName, values)
			}
		}
	}
	return out, nil
}
