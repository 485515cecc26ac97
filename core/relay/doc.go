// Package relay is the vendor's server (RSS): systems enrol at it, send it
// bundles, and engineers fetch them from it.
//
// What it never has: the key that opens a bundle, the plaintext of a session,
// a customer's secret. What it vouches for: who sent which bytes and when, by
// the receipts it signs and the event log it keeps.
//
//	loaded, err := setup.Load(root)
//	srv, err := relay.New(ctx, relay.Options{Relay: loaded, Engine: engine, Blobs: blobs, Log: log})
//	err = srv.Serve(ctx, listener)   // until ctx ends
//
// # Who may do what
//
// A system proves itself by signing a nonce with its key and gets a short
// bearer token; so does an engineer. The token names the subject and the key;
// each request looks up whether both still hold, so that a revocation counts
// at once. A system reaches its own uploads and receipts only.
//
// # Bundles
//
// They come in by the tus protocol (tusd's handler over a directory). Before
// an upload is made its size, the system's limits and the free space are
// checked. When the last byte is in, the SHA-256 is compared with the one that
// was announced; only then is there a receipt, and the bundle is moved to the
// blob store. What a crash interrupts in between is finished at the next start.
//
// # Administration
//
// [Server.Admin] is the API of the local socket, for the same user and root.
package relay
