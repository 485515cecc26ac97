// Package socks is the transport through a SOCKS proxy: version 5 with no
// authentication or user name and password (RFC 1928, RFC 1929), version 4
// with a user id, and 4a, its extension for names.
//
// The name of the target goes to the proxy and is never looked up here. Plain
// SOCKS4 cannot carry a name: a target given by name is then asked for in the
// manner of 4a, and a proxy that does not know 4a is reported as such, unless
// the settings allow a local look-up.
//
// SOCKS4 carries only a user id, no password.
//
// The dialogue itself is a proxy.Dialer of golang.org/x/net/proxy, which has
// version 5; versions 4 and 4a are registered with it by this package
// (schemes socks4 and socks4a).
package socks
