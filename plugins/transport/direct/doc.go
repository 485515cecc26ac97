// Package direct is the transport that needs no help: it dials the target over
// TCP, from a given address or interface if asked to.
//
// A name with several addresses is tried as RFC 8305 describes, IPv6 first and
// IPv4 close behind, so that a broken family costs a moment and no more.
package direct
