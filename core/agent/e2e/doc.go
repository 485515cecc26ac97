// Package e2e holds no code, only tests: a relay, the agent with its plugins in
// their sandbox, and an engineer, and between the agent and the relay the real
// proxies that customers have, or a network that fails. A session and a bundle
// go through each. Proxies that are not installed are skipped; `make deps`
// installs them.
//
//	go test ./core/agent/e2e -run Proxies -args -update
//
// writes what was tested with which version into docs/TRANSPORTS.md.
package e2e
