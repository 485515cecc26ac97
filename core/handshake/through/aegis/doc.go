// Package aegis is AEGIS-128L, an AEAD that is made of nothing but rounds of AES
// (draft-irtf-cfrg-aegis-aead; of the family that CAESAR chose for fast software).
//
//	if aegis.Available() {
//		aead, err := aegis.New(key)
//	}
//
// A long message is a third of the work that AES-128-GCM of the standard library
// is. Keys, nonces and tags have 16 bytes. A nonce is used once with a key, and
// may be a counter: two messages under the same one give away what they differ in,
// and more. Security is that of 128 bits against reading and forging; a key is
// good for more messages than a counter of package through reaches before it
// changes the key.
//
// There is assembly for amd64, of instructions whose time does not depend on
// what they compute with, and nothing else: tables of AES in portable code would
// tell the key to who shares the cache. Where it is not [Available], there is
// another suite. The reference that the tests hold the assembly against is the
// text of the draft in slow Go.
package aegis
