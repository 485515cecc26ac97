// Package setup makes and loads what a relay needs before it can serve: its
// configuration, its certificate authority and certificate, the key that signs
// receipts, and the vendor's public keys that systems pin at enrolment.
//
// [Init] also makes the two private keys that must not stay on a relay: the
// age key that opens bundles and the key of the support CA that vouches for
// engineers. It writes them to a directory of their own, for the operator to
// move to where the engineers are. A relay that is broken into then has
// neither: it moves ciphertext.
package setup
