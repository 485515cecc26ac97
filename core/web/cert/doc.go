// Package cert keeps the certificate of the web pages: one file with key and
// certificate, mode 0600. There is always one: without a file, or when the one
// that was made here is about to expire, a self-signed one is made. A file that
// somebody put there is used as it is, never replaced.
package cert
