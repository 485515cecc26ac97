// Package wire is what a plugin and its host agree on before the first call:
// the handshake, the protocol versions, which services a role has, the limits,
// and the description that a plugin gives of itself.
//
// The messages are in package pluginv1, generated from plugin.proto. Bytes of
// connections and files never travel in them but go as descriptors, see
// package handoff.
//
// # The start of a plugin
//
// The host starts `BINARY serve ROLE/NAME` with the cookie of [Handshake] and
// go-plugin's own variables as environment, and its end of a handoff channel
// as descriptor [HandoffFD]. The plugin takes the highest protocol version
// that both know and prints one line of handshake to stdout; nothing else is
// read from there. The host then dispenses "role" (a
// pluginv1.RoleClient) and the client of the role that it started, by the
// names of [Roles], with [ClientPlugins].
//
// # Versions
//
// There is one, [Version1]. A field may be added to a message at any time; a
// change of meaning is a new version beside the old one.
package wire
