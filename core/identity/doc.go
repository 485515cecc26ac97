// Package identity holds who this system is and which vendor it trusts.
//
// # The system key
//
// [Open] makes an ed25519 key on first use and keeps it in OpenSSH's format,
// mode 0600, with its public half beside it. The key is bound to the machine:
// a keyed hash of /etc/machine-id is stored with it, and a copy of the
// directory that wakes up on another machine (a cloned image) gets a new key
// and is no longer enrolled. The old private key is destroyed there.
//
// [System.ID] is derived from the public key, so that nobody can claim the id
// of another system without its key.
//
// # Signatures
//
// [System.Sign] makes signatures of OpenSSH's SSHSIG format, which
// `ssh-keygen -Y verify` checks; [Verify] checks them here. Each use has its
// namespace, so that a signature for one can never pass for another.
//
// # The vendor
//
// Enrolment writes a [Vendor] record once, over an authenticated channel; from
// then on the relay's CA, the vendor's bundle recipients and its receipt key
// are those, whatever the network says. [System.ForgetSupport] takes the key
// that vouches for engineers out of it for good, when remote access is disabled
// for good.
package identity
