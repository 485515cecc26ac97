// Package s3store keeps blobs in a bucket of an S3 store, which several nodes of
// a relay share.
//
//	s3://BUCKET/PREFIX?endpoint=https://s3.example.com&region=eu-1&credentials=/etc/latchstring/s3
//
// Parameters: endpoint (Amazon's unless given; http:// is taken at its word),
// region, credentials, ca (a file with the authority of the endpoint), lookup
// (path or dns: how the bucket is addressed; found out unless given).
//
// Credentials come from a file in the form of ~/.aws/credentials, which nobody
// but its owner may read and which is read again when it changes; from the
// machine ("instance"); or, where "chain" asks for it, from wherever the usual
// tools look, which includes the environment. They are never part of the
// address, which stands in process lists.
//
// # Nothing is overwritten
//
// A blob is put under the condition that there is none of its name. Of two
// nodes one wins, and the other finds out whether it was the same. A store that
// does not know such conditions is refused by [Store.Check]. Each blob carries
// its SHA-256 as metadata.
package s3store
