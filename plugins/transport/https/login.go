package https

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/latchstring/latchstring/sdk/transport"
)

// errDenied says that the proxy did not like the credentials.
var errDenied = errors.New("denied")

// login is one way to log in to a proxy.
type login interface {
	name() string
	// next gives the value of Proxy-Authorization for the next request, or
	// errDenied when what the proxy offers now means no.
	next(offers []offer) (string, error)
	// bound says that all legs must stay on one connection.
	bound() bool
}

// choose picks the strongest way that the proxy offers, the settings allow and
// the credentials suffice for.
func (d *dialogue) choose(offers []offer) (login, error) {
	var unusable []string
	for _, way := range ways {
		o, found := find(offers, way)
		if !found || !d.allows(way) {
			continue
		}
		switch way {
		case "negotiate":
			if d.haveKerberos() {
				return &negotiateLogin{settings: d.settings}, nil
			}
		case "ntlm":
			if d.User != "" {
				return &ntlmLogin{user: d.User, password: d.Password}, nil
			}
		case "digest":
			if d.User != "" && canDigest(o) {
				return &digestLogin{user: d.User, password: d.Password, target: d.target}, nil
			}
		case "basic":
			if d.User != "" {
				return &basicLogin{user: d.User, password: d.Password}, nil
			}
		}
		unusable = append(unusable, way)
	}
	var offered []string
	for _, o := range offers {
		offered = append(offered, o.scheme)
	}
	list := strings.Join(offered, ", ")
	switch {
	case len(offers) == 0:
		return nil, transport.Errorf(transport.ProxyBroken, "", "the proxy %s asks for credentials and offers no way to give them", d.Proxy)
	case len(unusable) > 0 && d.User == "":
		return nil, transport.Errorf(transport.ProxyAuth, "give the proxy's user name and password", "the proxy %s wants a login (%s)", d.Proxy, list)
	case len(unusable) > 0:
		return nil, transport.Errorf(transport.ProxyAuth, "Kerberos needs a realm, a keytab or a ticket cache in the settings of the transport; Digest an algorithm that is known here", "the proxy %s offers only %s, for which the settings do not suffice", d.Proxy, list)
	}
	return nil, transport.Errorf(transport.ProxyAuth, "the ways that may be used are "+strings.Join(d.Auth, ", "), "the proxy %s offers only %s", d.Proxy, list)
}

// offer is one challenge of a proxy.
type offer struct {
	scheme string // lower case
	rest   string // token or parameters
	whole  string
}

// parseOffers takes Proxy-Authenticate apart. Proxies send one line a scheme,
// or several in one line; a part that begins with a known scheme begins an
// offer.
func parseOffers(lines []string) []offer {
	var offers []offer
	for _, line := range lines {
		for _, part := range splitUnquoted(line) {
			if part == "" {
				continue
			}
			word, rest, _ := strings.Cut(part, " ")
			scheme := strings.ToLower(word)
			if isScheme(scheme, rest) {
				offers = append(offers, offer{scheme: scheme, rest: strings.TrimSpace(rest), whole: part})
			} else if n := len(offers); n > 0 {
				offers[n-1].rest += ", " + part
				offers[n-1].whole += ", " + part
			}
		}
	}
	return offers
}

// isScheme tells a scheme from a parameter: a parameter has "=" in its first
// word.
func isScheme(word, rest string) bool {
	return word != "" && !strings.Contains(word, "=") && !strings.HasPrefix(strings.TrimSpace(rest), "=")
}

// splitUnquoted splits at commas outside of quotes.
func splitUnquoted(s string) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				parts = append(parts, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[min(from, len(s)):]))
}

func find(offers []offer, scheme string) (offer, bool) {
	for _, o := range offers {
		if o.scheme == scheme {
			return o, true
		}
	}
	return offer{}, false
}

// token decodes the base64 token of NTLM and Negotiate.
func (o offer) token() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(o.rest)
	if err != nil {
		return nil, transport.Errorf(transport.ProxyBroken, "", "the proxy's %s challenge is not base64", o.scheme)
	}
	return b, nil
}
