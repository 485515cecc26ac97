// Package client speaks to a relay: over TLS that is checked against a pinned
// authority, logged in by a signature, with errors that say what is wrong and
// where.
//
// It opens no connection itself but through the dial function it is given,
// which on a customer's system is a transport plugin. TLS runs here, above
// that connection, so the plugin only ever sees ciphertext.
package client
