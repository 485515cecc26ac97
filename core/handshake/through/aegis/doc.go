// Package aegis is AEGIS-128L, an AEAD that is made of nothing but rounds of AES
// (draft-irtf-cfrg-aegis-aead; the winner of CAESAR for fast software).
//
//	if aegis.Available() {
//		aead, err := aegis.New(key)
//	}
//
// A message is a third to a quarter of the work that AES-128-GCM is with the
// standard library. Keys, nonces and tags have 16 bytes. A nonce is used once
// with a key: two messages under the same one give away what they have in common
// and let others be forged, as with AES-GCM. Within these rules a key is good for
// 2^48 messages and more than can be sent; package through changes it long before.
//
// There is assembly for amd64, of instructions whose time does not depend on
// what they compute with, and nothing else: tables of AES in portable code would
// tell the key to who shares the cache. Where it is not [Available], there is
// another suite. The reference that the tests hold the assembly against is the
// text of the draft in slow Go.
package aegis
