// Package plugintest is the conformance suite of plugins: what a host relies
// on, as tests. An author runs it in his own tests,
//
//	func TestConformance(t *testing.T) {
//		plugintest.Transport(t, newTunnel, plugintest.Options{
//			Config: map[string]any{"proxy": plugintest.ProxyAddress},
//			Proxy:  plugintest.CONNECT,
//		})
//	}
//
// and the program plugincheck runs the same cases against a binary. In process
// the implementation sits behind the real SDK and a real handoff channel; only
// the process boundary is missing.
//
// # Proxies
//
// A transport that goes through a proxy is tested against one that the suite
// plays itself, on loopback, well and badly behaved: silent, slow, hanging up,
// talking nonsense. [Options].Proxy says how it speaks; the suite knows [CONNECT],
// [SOCKS5] and [WebSocket], and an author may bring his own [Proxy]. The text
// [ProxyAddress] in a setting becomes its address. Without a Proxy the
// transport is expected to dial the target itself.
//
// # Canaries
//
// Each setting that is a secret gets a value of its own, if the author gives
// none, and that value must not show up anywhere: not in an error, a note, the
// log, the description, the arguments or the environment of the process.
//
// # Cases grow
//
// New releases add cases. A plugin that keeps the documented contract passes
// them; [Options].Skip names those that an author cannot satisfy yet.
package plugintest
