// Package sso logs users in at the customer's identity provider, by OpenID
// Connect or SAML 2.0 (REQ B4, C7).
//
// # The conversation
//
// On a command line the device grant (RFC 8628) is used: the method shows a
// page and a code, the user opens the page wherever he has a browser, and the
// method polls until the provider has decided. It asks nothing.
//
// On a web page the host says in the fact [FactRedirect] to which address the
// provider is to send the browser back. The method shows a URL, to which the
// host sends the browser, and asks for the field [Callback]: the query of the
// address to which the browser came back, or the body of the form that it
// posted there. OpenID Connect uses the authorization code with PKCE S256, state
// and nonce; SAML the redirect binding and, back, the POST binding. The host
// keeps the conversation with the browser's session; what belongs to another
// conversation is refused here by state, nonce, code verifier or InResponseTo.
//
// SAML has no way for command lines; it fails there with Unsupported.
//
// # Who gets in
//
// A user of whom the provider says, in one claim or attribute, one of the values
// that are configured. Nobody else: there is no default. A second factor is
// proved by amr (RFC 8176) or acr, in SAML by the context class; a fresh login by
// auth_time or AuthnInstant. Both can be required, and are in the evidence,
// where policy finds the second factor (session.mfa).
//
// # What is believed
//
// Nothing that did not come over TLS 1.2 or later from the configured issuer, or
// is signed by a key that did. No redirects, no plain http, no answers of more
// than 1 MiB. Tokens are read once and kept nowhere. Of OpenID Connect:
// signature (RS, PS, ES or Ed25519, never none or HMAC), issuer, audience,
// authorized party, expiry, time of issue, nonce, hash of the access token,
// the issuer of the answer (RFC 9207). Of SAML: exactly one assertion, signed
// itself or within a signed response, by a key of the provider's metadata, not with SHA-1; issuer,
// audience, recipient, destination, InResponseTo, times.
//
// # How it fails
//
//	BadLogin     what the browser brought back is not an answer to this login
//	Denied       the provider says no, or the user lacks the role, the second
//	             factor or a fresh login; or the provider's token does not hold
//	Timeout      nobody logged in before the code expired
//	Unreachable  the provider cannot be reached or does not work
//	Config       the provider does not know us, or is not what is configured
package sso
