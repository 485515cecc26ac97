// Package ask is the vendor's request for items of a bundle, as a file.
//
// An engineer signs what he asks for, with the key that his certificate names:
//
//	data, err := ask.Sign(key, cert, ask.Request{System: "array-7", Items: items, …})
//
// The customer's system opens it with what enrolment has pinned, and shows it
// item by item. Nothing in it happens by itself:
//
//	signed, err := ask.Open(data, ask.Trust{CA: ca, Systems: names, Now: time.Now()})
//
// Open believes a request only if its certificate is of the vendor's support
// CA, valid now, and good for this system; if the signature is by the key of
// that certificate, in the namespace latchstring-request; if the request names
// this system and has not ended. That it is answered once only is the
// [Ledger]'s to see to.
//
// docs/FORMATS.md specifies the file.
package ask
