// Package disable takes from a system, for good, what remote access rests on.
//
// The order is the point (REQ G6):
//
//	seal     files, marks and TPM say so, before anything else (package seal)
//	cut      the session that is on, with all that engineers started
//	destroy  what is trusted and what could be proved: see below
//	prove    a signed statement, which a security officer can archive
//	tell     the relay, which then takes the key for no session (package goodbye)
//
// From the end of the first step on nothing enables remote access again,
// wherever the rest stops. Every later step may be done again, and is: [Finish]
// runs each time that an agent opens a sealed system, so that a crash, a full
// disk or a restored backup leaves nothing behind for longer than that.
//
// # What is destroyed, and what stays
//
// Destroyed are: the vendor's key that vouches for engineers, so that no
// certificate is believed and no enrolment brings it back; the settings and
// keys of logins in auth.d; tickets, challenges and attempts; the record of the
// session; the memory of secrets; lines in authorized_keys.
//
// The system key stays. Support bundles go on (REQ H10) and are signed with it,
// and so is the proof. What the key could do for remote access is taken away
// where it counts: the relay refuses it a session for good, and here nobody is
// trusted who could use one. Recordings, the key that opens them, passports and
// the audit log stay too: they are the customer's.
//
// # Removal
//
// [Purge] destroys the same without a seal, when the package of remote access is
// purged. A seal that is there stays: it goes with the installation.
package disable
