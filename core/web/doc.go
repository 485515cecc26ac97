// Package web is the pages by which an administrator lets support in from a
// browser, when the array's own GUI is not there (REQ A7, A13, C2).
//
//	srv, err := web.New(web.Options{API: agent, Log: log, Certificate: certs.Get})
//	err = srv.Serve(ctx, listener)
//
// It talks to the agent through package control alone, as a caller that is a
// browser: what a browser may do is what its login allows, and is asked of the
// agent at every request ([control.Guarded]). Nothing is decided here.
//
// # Logging in
//
// A login is a conversation of the agent's with the user. It goes on on the
// server while the browser comes and goes: the page draws what was shown and
// what is asked, and can be loaded anew at any time. Single sign-on leaves for
// the identity provider and comes back to /login/sso/callback; the answer counts
// in the browser session in which the login began and in no other.
//
// # Sessions
//
// A browser gets a cookie when it begins to log in, and another with each step
// and when it is in, so that a cookie which somebody planted is worth nothing. The name by which
// the agent knows the browser never leaves the server. A session ends after 30
// minutes without a request that a person made, with the ticket after 8 hours at
// the latest, and with the agent. How old a login may be that opens something is
// policy's (session.max_login_age).
//
// # What a page may do
//
// Scripts and styles come from this server alone, none is inline, nothing is
// framed or cached. Everything that changes something is a POST from our own
// pages (http.CrossOriginProtection). All of it works without JavaScript, which
// adds that the state is live.
//
// # Certificate
//
// Package cert makes a self-signed one on first use. An administrator replaces it
// in the window Custom Certificates: by one that he uploads, by one for a request
// that is made here, or by a self-signed one with his own fields. Uploads are
// bounded and never on a disk before they were checked; the private key of a
// request is given out once, to the browser session that made it.
//
// Browsers are told to insist on a trusted certificate (HSTS) for a day, and not
// at all while it is self-signed: otherwise replacing a trusted certificate by a
// self-signed one would lock out those who had seen it.
//
// # Reload Service
//
// It asks first. Then the agent ends an open session and starts anew.
package web
