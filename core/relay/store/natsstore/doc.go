// Package natsstore keeps the relay's records in NATS JetStream.
//
// [Embed] runs the server inside the process: it listens nowhere, and its files
// are in one directory that one process may use at a time. Every write is
// synced before it is answered. [Connect] uses an existing cluster; nothing
// else changes, because tables are key-value buckets and the event log is a
// stream in both.
//
// The stream of the event log can be neither purged nor deleted from through
// NATS; each record is published with the number of its predecessor, so that
// several nodes write one chain.
package natsstore
