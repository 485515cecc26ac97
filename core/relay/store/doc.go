// Package store is what the relay keeps, and the small interfaces behind which
// it keeps it.
//
// An [Engine] gives named tables of small records with optimistic locking, and
// an append-only event log. [Registry] is the relay's view of the tables:
// systems, engineers, enrolment tokens, bundles. The bytes of bundles are kept
// elsewhere (package blob).
//
// The one engine there is, natsstore, runs NATS JetStream inside the process
// on one node and uses an existing cluster by the same calls when the relay
// outgrows it.
package store
