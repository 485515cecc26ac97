package peers

import (
	"testing"

	"github.com/latchstring/latchstring/sdk/transport"
	"github.com/latchstring/latchstring/testdata/peers"
)

func TestSquidOpen(t *testing.T) {
	tr := configured(t, "https", with(peers.Squid(t, ""), nil))
	through(t, tr, target(t))
	refused(t, tr, peers.FreeAddr(t), transport.Refused)
	refused(t, tr, "no-such-name.invalid:443", transport.DNS, transport.Timeout, transport.Unreachable)
}

func TestSquidBasic(t *testing.T)  { logins(t, peers.SquidBasic(t)) }
func TestSquidDigest(t *testing.T) { logins(t, peers.SquidDigest(t)) }

// logins checks the right and the wrong password, none, and a forbidden port.
func logins(t *testing.T, p *peers.Proxy) {
	t.Helper()
	settings := with(p, nil)
	good := configured(t, "https", as(settings, p.User, password))
	through(t, good, target(t))
	refused(t, configured(t, "https", as(settings, p.User, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "", "")), target(t), transport.ProxyAuth)
	refused(t, good, "127.0.0.1:"+peers.ForbiddenPort, transport.ProxyRefused)
}

func TestSquidNTLM(t *testing.T) {
	p := peers.SquidNTLM(t)
	settings := with(p, map[string]any{"auth": []string{"ntlm"}})
	through(t, configured(t, "https", as(settings, p.User, password)), target(t))
	through(t, configured(t, "https", as(settings, peers.NTLMDomain+`\`+p.User, password)), target(t))
	refused(t, configured(t, "https", as(settings, p.User, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "nobody-here", password)), target(t), transport.ProxyAuth)
}

func TestSquidKerberos(t *testing.T) {
	p, k := peers.SquidAndKerberos(t)
	settings := func(kerberos map[string]any) map[string]any {
		kerberos["config"] = k.Conf
		return with(p, map[string]any{"kerberos": kerberos})
	}
	through(t, configured(t, "https", as(settings(map[string]any{"realm": peers.Realm}), p.User, password)), target(t))
	refused(t, configured(t, "https", as(settings(map[string]any{"realm": peers.Realm}), p.User, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings(map[string]any{}), p.User, password)), target(t), transport.ProxyAuth)
	through(t, configured(t, "https", as(settings(map[string]any{"ccache": k.Tickets()}), "", "")), target(t))
	through(t, configured(t, "https", as(settings(map[string]any{"keytab": k.Keytab(), "realm": peers.Realm}), p.User, "")), target(t))
	// Without any krb5.conf.
	here := map[string]any{"realm": peers.Realm, "kdc": k.KDC}
	through(t, configured(t, "https", as(with(p, map[string]any{"kerberos": here}), p.User, password)), target(t))
}
