// Package peers starts the real proxies that customers have, each on a free
// loopback port with a configuration of its own, for tests and benchmarks:
//
//	p := peers.SquidDigest(t)
//	p.URL // https://ada@127.0.0.1:40123, to be given as --proxy
//
// Each ends with the test. One that is not installed skips the test; `make
// deps` installs them all. [All] lists them, so that a test may go through
// every one. A [Proxy] knows which version of its program is running, from
// which the table in docs/TRANSPORTS.md is made.
package peers
