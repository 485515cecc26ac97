// Package cert keeps the certificate of the web pages: one file with key and
// chain, mode 0600, in a form that every program reads.
//
//	s := cert.Open(dir, names)
//	config.GetCertificate = s.Get
//	change, err := s.Upload(file, false, record) // or s.SelfSign, s.Request
//
// There is always one: without a file, or when the one that was made here by
// itself is about to expire, a self-signed one is made. What somebody chose, by
// uploading it, by having a self-signed one made with his own fields, or by
// putting a file there, is never replaced by itself.
//
// # What is taken
//
// [Store.Upload] takes PEM text in which things stand in any order: a key, its
// certificate, and the certificates of the chain; or certificates alone, whose
// key is that of the request that waits (see below) or the one in use. Byte
// order marks, UTF-16, CRLF, blank space and remarks do not matter. RSA of 2048
// or 4096 bits and ECDSA on P-256 or P-384 are taken, in PKCS #8, PKCS #1 or SEC
// 1, never encrypted. Each check that fails has its own message ([Refused]); then
// nothing was written and the old certificate goes on being served.
//
// # Requests
//
// [Store.Request] makes a key and a certificate signing request (PKCS #10, RFC
// 2986). Both wait in one file, mode 0600, until the certificate is uploaded; a
// new request takes the place of the old.
//
// # Order
//
// A change is whole or it did not happen: it is checked, written beside the old
// file and synced; then record is called, which can still prevent it; then it is
// renamed into place. A new connection gets the new certificate. Changes of
// several processes wait for each other.
package cert
