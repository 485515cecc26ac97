// Package peers holds no code, only tests: the built-in transports against the
// real proxies that customers have, each started on a loopback port with a
// configuration of its own. A proxy that is not installed is skipped; `make
// deps` installs them. docs/TRANSPORTS.md says what was tested with which
// version.
package peers
