// Package route turns what a user says about the way out of his network, a
// proxy and a local address or interface, into the transport plugin that goes
// that way and its configuration.
//
//	r, err := route.Parse(route.Options{Proxy: "https://ada@proxy.example:3128", Password: password})
//	t, err := host.Transport(r.Transport, r.Use("bundle"))
//
// The forms of a proxy are those of the form that customers fill in (REQ B1):
//
//	https://user@host:port    HTTP proxy, CONNECT; the connection to the proxy is in clear
//	https+tls://…             the same, and the proxy itself is reached over TLS
//	socks4://userid@host:port
//	socks5://user@host:port
//
// A password is never part of it: it comes from a file or a prompt. The name
// https stands for what is carried, as in the proxy settings of browsers;
// http means the same.
package route
