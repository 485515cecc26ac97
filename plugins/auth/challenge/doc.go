// Package challenge logs users in by a challenge that the vendor's support
// answers: over the telephone, by mail, with the array down and without a
// network (REQ C2 to C6).
//
// The method shows a challenge, takes the response and checks that one of the
// vendor's keys signed it, for this challenge and so for this system. Nothing
// here can make a response: only public keys are configured. The identity is
// the engineer's as "support:NAME"; the case, the key and the longest session
// that the response allows are in its evidence.
//
// # What the host does
//
// The plugin keeps no state: it has none that survives a crash, and should
// have none. The host makes the nonce, remembers it, says in the facts of the
// request which one it is, counts wrong responses and forgets the nonce on
// disk before it lets anybody in. See [the facts]. Without facts a challenge is
// made for one conversation and is gone with it.
//
// # How it fails
//
//	BadLogin   the response is not a right one: forged, for another challenge,
//	           by a key that is unknown, revoked or out of date, or too late
//	Cancelled  nothing was guessed: the user gave up or mistyped too often. The
//	           challenge is still good
//	Config     the list of keys does not work
//
// A typing mistake is told apart by the check characters and asked for again.
//
// [the facts]: #pkg-constants
package challenge
