// Package server stands between an author's implementation of a role and the
// wire. Authors never see it. It decodes the configuration, recovers panics,
// bounds time and concurrency, turns errors into failures and connections and
// files into descriptors on the handoff channel, and removes known secrets from
// what the plugin says.
package server
