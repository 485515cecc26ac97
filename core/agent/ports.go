package agent

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/relay/api"
)

// Port is a row of the firewall table (REQ A14).
type Port struct {
	Source    string `json:"source"`
	Target    string `json:"target"`
	Direction string `json:"direction"` // "outbound" or "inbound", seen from this machine
	Protocol  string `json:"protocol"`
	Port      string `json:"port"`
	Purpose   string `json:"purpose"`
}

// Ports lists what a firewall must let through for the configuration in force.
// proxy and rss are those of a command line, and may be empty. Nothing is looked
// up and nothing is contacted.
func (a *Agent) Ports(rss, proxy string) ([]Port, error) {
	local := a.local()
	if rss == "" {
		rss = local[localcfg.RSS]
	}
	if vendor, err := a.system.Vendor(); err == nil && rss == "" {
		rss = vendor.RSS
	}
	if rss == "" {
		return nil, &stateError{"no relay is known yet, so there is nothing to list", "enrol first, or name one with --rss"}
	}
	if proxy == "" {
		proxy = local[localcfg.Proxy]
	}
	here := "this machine"
	if name, err := os.Hostname(); err == nil {
		here = name
	}
	host, port, err := net.SplitHostPort(api.WithPort(rss))
	if err != nil {
		return nil, usage("the relay %q: %v", rss, err)
	}
	const what = "sessions and bundles, TLS 1.3 (1.2 is accepted)"
	if _, rest, found := strings.Cut(proxy, "://"); found {
		_, rest, _ = cutUser(rest)
		proxyHost, proxyPort, err := net.SplitHostPort(rest)
		if err != nil {
			return nil, usage("the proxy %q: %v", rest, err)
		}
		rows := []Port{
			{here, proxyHost, "outbound", "TCP", proxyPort, "the proxy; through it, " + what},
			{proxyHost, host, "outbound", "TCP", port, what},
		}
		return a.withEvents(append(named(here, proxyHost), rows...))
	}
	return a.withEvents(append(named(here, host), Port{here, host, "outbound", "TCP", port, what}))
}

// named is the row for looking up a name, where there is one to look up.
func named(here, host string) []Port {
	if net.ParseIP(host) != nil {
		return nil
	}
	return []Port{{here, "your name server", "outbound", "UDP, TCP", "53", fmt.Sprintf("the address of %s", host)}}
}

// cutUser takes user@ off the front.
func cutUser(s string) (user, rest string, found bool) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}
