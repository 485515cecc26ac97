// Package https is the transport through an HTTP proxy: the CONNECT method
// (RFC 9110, section 9.3.6), to the proxy in clear or over TLS.
//
// The way to log in is chosen from what the proxy offers, strongest first:
// Negotiate with Kerberos (RFC 4559), NTLM (version 2), Digest (RFC 7616) and
// Basic (RFC 7617); the settings may narrow the list. The first request
// carries no credentials, so they only go to a proxy that asks for them, and
// Basic, which sends the password as it is, only when nothing better is
// offered.
//
// The three legs of NTLM, and the two of the others, stay on one connection;
// where the proxy closes it in between, a new one is made, which NTLM does not
// survive and says so.
//
// The name of the target goes to the proxy and is never looked up here. One
// proxy is spoken to; a chain of several is not supported.
package https
