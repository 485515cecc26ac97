// Package secret is everything about the RSS Secret but the protocol that it
// is used in: made, cleaned up as people type it, judged, remembered so that it
// is not used again, and read aloud.
//
//	s := secret.Generate()                     // K7M-2Q9-XPT
//	n, err := secret.Normalise(typed)          // what both sides feed to the PAKE
//	err = secret.Check(typed, secret.Context{SystemNames: names})
//	err = history.Remember(n)                  // ErrUsed for one of the last ten
//
// A generated secret is eight random characters of Crockford's base32, 40 bits,
// and one that checks the others. That is enough because nobody can try secrets
// at home: package pake allows one guess a connection, the system counts each
// before it answers and burns the secret at the third wrong one. Three guesses
// among 2^40 hit once in 366 thousand million sessions.
//
// People may choose their own. [Check] refuses the ones that a stranger would
// try first, and says why.
//
// Functions take and return byte slices that the caller clears with [Clear].
package secret
