package e2e

import (
	"maps"
	"testing"

	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/testdata/peers"
)

// A session and a bundle go through every proxy.
// REQ A6 A17 H8
func TestProxies(t *testing.T) {
	var tested table
	t.Run("all", func(t *testing.T) { throughAll(t, &tested) })
	if *update && !t.Failed() {
		tested.write(t)
	}
}

func throughAll(t *testing.T, tested *table) {
	for n, peer := range peers.All {
		t.Run(peer.Name, func(t *testing.T) {
			t.Parallel()
			p := peer.Start(t)
			w := newWorld(t)
			way := w.parse(route.Options{Proxy: p.URL(), Password: []byte(p.Password)})
			w.settings(way.Transport, p.Settings)
			w.session(control.OnRequest{For: "1h", Proxy: p.URL(), ProxyPassword: []byte(p.Password)})
			w.bundle(bundler.Delivery{Route: way}, 1<<20)
			if p.Password != "" {
				w.nowhere(p.Password)
			}
			if !t.Failed() {
				tested.add(n, p)
			}
		})
	}
	t.Run("haproxy-sni", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(r *relaytest.Relay) { r.Names = []string{"localhost"} })
		p := peers.Passthrough(t, "localhost", w.Address)
		address := "localhost:" + peers.Port(p.Address)
		w.session(control.OnRequest{For: "1h", RSS: address})
		w.bundle(bundler.Delivery{RSS: address}, 1<<20)
		if !t.Failed() {
			tested.add(len(peers.All), p)
		}
	})
}

// What is in the file is for every dial; what is said for one dial wins.
func TestSettingsDoNotReplaceTheProxy(t *testing.T) {
	p := peers.Squid(t, "")
	w := newWorld(t)
	settings := maps.Clone(p.Settings)
	if settings == nil {
		settings = map[string]any{}
	}
	settings["proxy"] = "127.0.0.1:9"
	w.settings("https", settings)
	w.session(control.OnRequest{For: "1h", Proxy: p.URL()})
}
