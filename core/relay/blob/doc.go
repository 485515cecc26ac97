// Package blob keeps the bytes of bundles and the sealed segments of recordings.
// [Dir] keeps them as files of one directory on one node; package s3store in a
// bucket that several nodes share.
package blob
