// Package host runs plugins.
//
// # Use
//
//	h, err := host.New(host.Options{Root: root, Policy: policy, Audit: log})
//	defer h.Close() // ends every plugin
//
//	t, err := h.Transport("direct", host.Use{Purpose: "bundle"})
//	defer t.Close()
//	conn, err := t.DialContext(ctx, "tcp", "rss.vendor.example:443")
//
//	c, err := h.Collector("logs", host.Use{})
//	err = c.Collect(ctx, host.Request{}, func(item *host.Item) error { ... })
//
// Methods for logging in and event sinks work the same way: [Host.Auth] and
// [Host.EventSink]. [Host.Catalog] lists what is installed. A program that uses
// this package calls launch.Main first thing in main (package
// core/host/launch).
//
// Getting a plugin starts nothing: the process starts with the first call,
// stays warm until Close, and is started again after a crash, with a pause that
// grows. After three crashes in an hour it stays down for the rest of that
// hour.
//
// A [Standby] keeps one transport started before it is wanted, for callers that
// must not wait for that.
//
// # What reaches the host
//
// Control messages go over gRPC on a socket in a private directory; each call
// has a deadline. Bytes go as descriptors over the handoff channel (package
// internal/handoff). A transport hands over the connected socket and is out of
// the data path from then on: killing it does not hurt the connection. A
// collector hands over an open file or a pipe.
//
// # Guarantees
//
//   - Only plugins that the catalog finds whole and that policy allows are
//     started, and what runs is exactly what was hashed.
//   - A plugin process is confined to what its role declares to need, see
//     package core/host/sandbox. Root-only files and commands are opened and
//     run by the host on its behalf, each asked of policy.
//   - Nothing that a plugin sends is trusted: every descriptor is checked for
//     what it is and where it leads, texts are cleaned and cut, messages are
//     bounded. A plugin that hands over something else than it should is
//     killed, and the audit log says so.
//   - A plugin ends with its host, also with one that was killed. What such a
//     host left in the run directory is removed by the next one.
package host
