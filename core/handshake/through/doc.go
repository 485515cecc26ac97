// Package through carries bytes from one end to the other in sealed records
// that a relay passes through without being able to do anything with them.
//
//	conn := through.New(carrier, through.AES128GCM, sendKey, receiveKey)
//
// The carrier is a connection whose TLS towards the relay can be left
// ([Carrier]; core/tunnel/link has one). Once both ends have keys of their own,
// each of them ends TLS in its direction and goes on below it. TLS protected
// the way to the relay and ended there; these records protect the whole way, so
// that the relay neither decrypts nor encrypts again. It loses the sight of the
// frames of package resume, too.
//
// # Records
//
// A record looks like one of TLS 1.3 (RFC 8446, section 5.2): 23, 3, 3, the
// length of what follows in two bytes, big endian, and that, at most 16,400
// bytes, so that who counts records on the way sees no difference. What follows
// is up to 16 KiB of the stream, sealed with AEGIS-128L, AES-128-GCM or
// ChaCha20-Poly1305 under a key that is good for one direction of one connection.
// The nonce is the number of the record, eight bytes big endian behind as many of
// zero as it takes; the head is the additional data. After 2^24 records the key is replaced by
// HKDF-Expand(key, "latchstring v1 through next"), on both sides alike.
//
// A record that was changed, left out, doubled or moved is an error that stays
// ([ErrRecord]). There is no record for the end: who ends orderly says so
// inside, and an end without that is one of the connection only.
package through
