// Package transport is for authors of transports: what gets the host's outbound
// connection through the customer's network, by whatever is the way there: a
// proxy, a bastion, a reverse proxy, a modem.
//
// # The one method
//
// A transport implements [Transport]: Dial, as everybody knows it. What Dial
// returns is a net.Conn over which bytes reach the target. The SDK hands its
// descriptor to the host and the transport is out of the data path: no byte of
// the tunnel goes through the plugin, and a connection outlives it. When the
// connection is not a plain socket, for instance TLS to the proxy, the SDK
// passes one end of a socket pair and copies between the other end and the
// connection: nothing to be done by the author.
//
// TLS to the target itself runs in the host, with the host's keys. A transport
// sees ciphertext only.
//
// # What a good Dial does
//
//   - It ends within 100 ms after its context, at every step. Dial TCP with
//     net.Dialer.DialContext and run whatever is spoken on the connection
//     inside [Converse], and that is so.
//   - It loses no bytes. Whoever reads the proxy's answer through a
//     bufio.Reader may have read the target's first bytes with it: return
//     [Buffered](conn, reader).
//   - It fails in words: [Errorf] with a code, a message and a hint. Errors of
//     the net package are understood as they are.
//   - It leaves names to the proxy, if the proxy resolves them, and says so with
//     [RemoteNames].
//   - It closes what it opened when it fails.
//
// Package plugintest tests all of that.
//
// # Optional methods
//
//   - Config() any: settings, see package config.
//   - Needs() needs.List: the ports that the transport dials.
//   - [RemoteNames], [Prober].
package transport
