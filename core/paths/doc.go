// Package paths says where Latchstring keeps its files.
//
// Every binary takes --root DIR. With it, all files live below DIR, so that a
// whole system, or several, run unprivileged in a scratch directory:
//
//	DIR/etc   configuration: local.cfg, policies.d/
//	DIR/var   state that must survive: keys, audit log, queue, recordings
//	DIR/run   sockets and the private directories of running plugins
//
// Without it the places are /etc/latchstring, /var/lib/latchstring and
// /run/latchstring. No other package spells out a directory of its own.
package paths
