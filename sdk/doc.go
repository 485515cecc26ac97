// Package sdk makes a program a Latchstring plugin.
//
// A plugin is a program of its own. The host starts it in a sandbox, tells it
// over gRPC what to do, and gets the results as open descriptors. None of that
// is the author's concern: he implements one interface with one method, and
// calls [Serve]:
//
//	func main() {
//		sdk.Serve(sdk.Plugin{
//			Name:       "example",
//			Version:    "1.0.0",
//			Transports: map[string]func() transport.Transport{"tunnel": newTunnel},
//		})
//	}
//
// There are four roles: [transport] makes connections, [collect] finds what
// goes into a support bundle, [auth] finds out who somebody is, [eventsink]
// delivers events. One program may hold many of each; a process serves one.
//
// # Commands
//
// The program then has these commands:
//
//	describe              print name, version, roles, settings and needs as JSON
//	serve ROLE/NAME       serve one role; a host does this
//	-debug ROLE/NAME      serve for a debugger: print how to attach
//
// # What the SDK does
//
// It takes stdout before the author's code runs, since the host reads its
// handshake there, and sends what is printed to nowhere. It ends the process
// when the host is gone. A panic in a method becomes an error of that one call.
// Calls are bounded in time and number, messages in size. Settings are decoded
// and checked before the first call, see [config], and the values that are
// secret are removed from whatever errors and logs say. Logs written with
// log/slog reach the host with their level; what is written to stderr reaches
// it as it is.
//
// # Testing
//
// Package plugintest runs the conformance suite of each role in an author's own
// tests; the program plugincheck runs the same suite against a binary.
//
// # Versions
//
// A plugin built with this SDK works with every host that speaks one of its
// protocol versions. Versions are added, and kept for two years at least after
// the next one. In Go, exported names of sdk and below are not removed or
// changed within a major version; interfaces that an author implements do not
// grow: new powers are new optional interfaces.
package sdk
