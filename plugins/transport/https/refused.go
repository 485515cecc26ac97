package https

import (
	"net/http"
	"strings"

	"github.com/latchstring/latchstring/sdk/transport"
)

// refused explains an answer that is neither yes nor a question for
// credentials. Squid says in a header of its own what went wrong.
func (d *dialogue) refused(a *answer) error {
	squid := a.header.Get("X-Squid-Error")
	said := a.line
	if squid != "" {
		said += ", " + printable(squid)
	}
	fail := func(code transport.Code, hint string) error {
		return transport.Errorf(code, hint, "the proxy %s refused the connection to %s (%s)", d.Proxy, d.target, said)
	}
	switch {
	case strings.HasPrefix(squid, "ERR_DNS_FAIL"):
		return fail(transport.DNS, "the proxy does not find the name; is it right?")
	case strings.HasPrefix(squid, "ERR_CONNECT_FAIL"):
		return fail(transport.Refused, "the proxy cannot connect to the target; is the address right, and does the proxy's firewall let it out?")
	case strings.HasPrefix(squid, "ERR_CANNOT_FORWARD"):
		return fail(transport.Unreachable, "the proxy finds no way to the target; is the name right, and does the proxy's firewall let it out?")
	case a.status == http.StatusUnauthorized: // tinyproxy's word for a wrong password
		return fail(transport.ProxyAuth, "check user name and password of the proxy")
	case strings.HasPrefix(squid, "ERR_ACCESS_DENIED"), a.status == http.StatusForbidden:
		return fail(transport.ProxyRefused, "ask for the target and its port to be allowed on the proxy (CONNECT)")
	case a.status == http.StatusMethodNotAllowed, a.status == http.StatusNotImplemented:
		return fail(transport.ProxyBroken, "it is a web server or a proxy that knows no CONNECT")
	case a.status == http.StatusGatewayTimeout:
		return fail(transport.Timeout, "the target does not answer the proxy")
	case a.status == http.StatusBadGateway, a.status == http.StatusServiceUnavailable:
		return fail(transport.Unreachable, "the proxy cannot reach the target; is the name right, and does the proxy's firewall let it out?")
	case a.status/100 == 3:
		return fail(transport.ProxyBroken, "the proxy sends to another page, as login portals do; log this network in, or ask for an exception")
	}
	return fail(transport.ProxyRefused, "look into the proxy's log")
}
