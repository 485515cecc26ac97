package peers

import (
	"testing"

	"github.com/latchstring/latchstring/sdk/transport"
	"github.com/latchstring/latchstring/testdata/peers"
)

func TestTinyproxy(t *testing.T) {
	to := target(t)
	p := peers.TinyproxyFor(t, peers.Port(to))
	settings := with(p, nil)
	through(t, configured(t, "https", as(settings, p.User, password)), to)
	refused(t, configured(t, "https", as(settings, p.User, "wrong-"+password)), to, transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, "", "")), to, transport.ProxyAuth)
	refused(t, configured(t, "https", as(settings, p.User, password)), "127.0.0.1:9", transport.ProxyRefused)
}

// A proxy that is itself reached over TLS.
func TestProxyOverTLS(t *testing.T) {
	p := peers.OverTLS(t)
	through(t, configured(t, "https", with(p, map[string]any{"tls": true})), target(t))
	refused(t, configured(t, "https", map[string]any{"proxy": p.Address, "tls": true, "timeout": "10s"}), target(t), transport.TLS)
	clear := peers.Squid(t, "")
	refused(t, configured(t, "https", with(p, map[string]any{"proxy": clear.Address, "tls": true})), target(t), transport.ProxyBroken)
}

func TestMicrosocks(t *testing.T) {
	p := peers.Microsocks(t)
	settings := with(p, map[string]any{"version": "5"})
	through(t, configured(t, "socks", as(settings, p.User, password)), target(t))
	through(t, configured(t, "socks", as(settings, p.User, password)), "localhost:"+peers.Port(target(t)))
	refused(t, configured(t, "socks", as(settings, p.User, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, "", "")), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, p.User, password)), peers.FreeAddr(t), transport.Refused)
	refused(t, configured(t, "socks", map[string]any{"proxy": p.Address, "version": "4", "user": p.User, "timeout": "5s"}), target(t), transport.ProxyBroken, transport.Reset)
}

// REQ A6: SOCKS4 carries a user id, SOCKS5 none here.
func TestDante(t *testing.T) {
	p := peers.Dante(t, "socks5")
	for _, settings := range []map[string]any{{"version": "4", "user": peers.Account}, {"version": "5"}} {
		tr := configured(t, "socks", with(p, settings))
		through(t, tr, target(t))
		refused(t, tr, "127.0.0.1:"+peers.ForbiddenPort, transport.ProxyRefused)
	}
	through(t, configured(t, "socks", with(p, nil)), "localhost:"+peers.Port(target(t)))
	// Dante does not know 4a: it takes the impossible address for a real one.
	named := "localhost:" + peers.Port(target(t))
	refused(t, configured(t, "socks", with(p, map[string]any{"version": "4"})), named, transport.ProxyRefused)
	through(t, configured(t, "socks", with(p, map[string]any{"version": "4", "local_resolve": true})), named)
}

func TestDantePassword(t *testing.T) {
	p := peers.DantePassword(t)
	settings := with(p, map[string]any{"version": "5"})
	through(t, configured(t, "socks", as(settings, p.User, password)), target(t))
	refused(t, configured(t, "socks", as(settings, p.User, "wrong-"+password)), target(t), transport.ProxyAuth)
	refused(t, configured(t, "socks", as(settings, "", "")), target(t), transport.ProxyAuth)
}

// ssh -D speaks SOCKS4, 4a and 5.
func TestOpenSSH(t *testing.T) {
	p := peers.OpenSSH(t, "socks5")
	for _, version := range []string{"4", "4a", "5"} {
		tr := configured(t, "socks", with(p, map[string]any{"version": version}))
		through(t, tr, target(t))
		through(t, tr, "localhost:"+peers.Port(target(t)))
	}
}
