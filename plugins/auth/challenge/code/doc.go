// Package code holds the challenge and the response of a login without a
// network: their bytes, their text, their signature. The plugin and the
// engineer's `support respond` share it.
//
// # Challenge
//
//	byte     version, 1
//	byte     action, 1 = log in
//	8 bytes  host: the first of SHA-256("latchstring-host\0" + the system's id)
//	16 bytes nonce
//	5 bytes  issued, seconds since 1970, big endian
//
// # Response
//
//	byte     version, 1
//	4 bytes  key: the first of the SHA-256 of the public key's SSH form
//	8 bytes  challenge: the first of SHA-256("latchstring-challenge\0" + its bytes)
//	2 bytes  the longest session, in minutes
//	2 bytes  how long after the challenge was issued the response is good, in minutes
//	string   engineer, one byte of length before it
//	string   case, one byte of length before it
//	byte     kind of signature: 0 Ed25519; 1 Ed25519 of a security key
//	64 or 69 bytes, the signature; that of a security key ends with flags and counter
//
// The signature is an SSH signature (SSHSIG, SHA-512) in [Namespace] over
//
//	"latchstring challenge and response 1\0" + the challenge's bytes + the
//	response's bytes up to the kind of signature
//
// so that a key in an agent or on a security key signs it, and nothing that was
// signed for another purpose passes for it.
//
// # Text
//
// Both are written in Crockford's base32 in groups of five. The last group is
// a check of 25 bits, different for challenges and responses. Reading takes
// any case, O for 0, I and L for 1, and whatever mail programs put between:
// spaces, line breaks, quotation marks, dashes. A wrong character is a
// [*Typo], which says nothing about the signature. There is one text for each
// value: unused bits are zero.
package code
