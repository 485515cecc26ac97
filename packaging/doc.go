// Package packaging makes the Debian and RPM packages (`make packages`) and tests
// them by installing, removing and purging them in a copy of this system.
//
//	latchstring                  send-bundle and the plugins; needs nothing else
//	latchstring-remote-support   remote-support and its service; needs the first
//	latchstring-rss              the relay, for the vendor
//	latchstring-support          the engineer's client
//
// nfpm puts them together from the files in nfpm, scripts and systemd; build is
// the command. Installing starts the agent, with remote access off, and makes the
// keys of this machine; it sends nothing. Removing the package of remote access
// cuts a session that is on and ends the agent; purging it destroys what remote
// access rested on. Purging the first package too is the end of the installation:
// keys, recordings, the audit log and a seal go.
package packaging
