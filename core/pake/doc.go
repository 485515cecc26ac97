// Package pake turns a short secret that two people know into a strong key
// that nobody else can work out: CPace-RISTRETTO255-SHA512 of
// draft-irtf-cfrg-cpace, in its initiator-responder form with explicit key
// confirmation.
//
//	a, err := pake.New(pake.Initiator, pake.Input{Password: prs, Channel: ci, Session: sid})
//	// a.Share() and the associated data go to the other side, theirs come back
//	keys, err := a.Finish(adA, theirShare, adB)
//	// keys.Tag() proves to them that we know the password, keys.Verify(tag) the reverse
//
// Who listens learns nothing that helps guessing. Who takes part has one guess
// a run, so the caller counts runs. Both sides get the same key only if they
// agree on password, channel, session, both shares and both pieces of
// associated data; who changed any of these on the way is found out by Verify.
//
// Group elements are checked as RFC 9496 wants it; what decodes to nothing or
// to the neutral element ends the run. Arithmetic with secrets takes constant
// time. What was secret is overwritten when it is no longer needed, as far as Go
// lets a program do that: copies that the runtime made of a stack are out of
// reach.
package pake
