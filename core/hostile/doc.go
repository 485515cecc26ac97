// Package hostile is our relay turned bad, and what becomes of it.
//
//	err := hostile.Run(ctx, hostile.Options{}, func(r hostile.Result) {
//		fmt.Println(r.Name, r.Tries, r.Happened, r.Verdict)
//	})
//
// Each of [Cases] is one attack. It is made against what runs at a customer's
// and on an engineer's desk: the agent of core/agent with its tunnel, handshake,
// SSH server, recording and audit log, and the client of core/connect. Only the
// transport plugin is left out, and everything is on loopback, in a scratch
// directory, in one process. No other system, relay or network is touched.
//
// # What the relay has
//
// The keys of TLS and of the receipts, as the real one; all that comes through
// it, on which it keeps a tape; every connection that was ever opened to it,
// which it never closes. It lets everybody log in. It knows the protocol from
// docs/FORMATS.md and has code of its own for it, so that an error in the code
// that is attacked is not made twice. What it has not: the key of the vendor's
// CA for engineers, an engineer's key, a session's secret. Where a case gives it
// one of them, it says so.
//
// # What is checked
//
// Each case checks what became of its attack, and after most the honest
// engineer comes once more: a system that is safe and of no use has not held.
// After every case it is checked besides that nobody is in the audit log who
// had no right to be let in; that the audit log verifies; and that the tape holds
// no secret, no enrolment key, no word that a command said, no line of a file, in
// any of several guises.
//
// A case that could not be made counts as one that did not hold.
package hostile
