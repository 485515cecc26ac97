// Package revoke is the vendor's list of engineers' certificates that count no
// more, although they have not ended.
//
//	raw, err := revoke.Sign(ca, list)             // the vendor, with the key of the support CA
//	book := revoke.Open(path)                     // a system
//	list, changed, err := book.Take(raw, ca)
//	list, err := book.Current(ca)
//	if e, found := list.Find(cert); found { ... }
//
// # Whom it does not need to trust
//
// The list is signed by the support CA, the same key that made the
// certificates, and so whoever carries it (the relay) can neither make nor change
// one. It has a number that only grows: a system that has seen 7 takes no 6,
// and no other 7. What a carrier can do is to keep it back; against that policy can
// demand a list that is not older than some time (engineer.revocations_max_age),
// for which the vendor signs the same list again now and then.
//
// # What it names
//
// An [Entry] names a certificate by its serial number, or all of an engineer by
// the name or the key in them. Customers have the same words in policy
// (engineer.revoked).
package revoke
