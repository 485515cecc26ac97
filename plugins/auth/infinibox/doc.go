// Package infinibox logs users in with their account of the array (REQ C1,
// B2).
//
// User name and password go to the array's own REST interface; local, AD and
// LDAP users are all the same there. Whoever has the Admin role gets in. What
// stays of a login is the name, the role and the array's serial number: the
// password is sent once to each management address until one answers, and the
// copies made here are wiped. The array's session is closed in every case, also
// when the login is cancelled half way.
//
// # How it fails
//
//	BadLogin     the array refuses: wrong user or password, or an account that
//	             is locked or disabled. Arrays do not say which.
//	Denied       the array knows the user, who is no administrator
//	Unreachable  no management address gives an answer that can be understood.
//	             Only here the hint names challenge and response, which needs no
//	             array.
//
// # The user for events
//
// Events of a session are written when nobody logs in, so that they need a user
// of the array's own: event_user and event_password. Logins do not use it;
// [Method.Probe] tries it.
//
// # InfiniGuard
//
// An InfiniGuard is an InfiniBox with servers in front of it, and its users are
// those of the InfiniBox: the login is the same. This rests on what the vendor
// has published of the InfiniGuard's own software, where the REST interface of
// that InfiniBox is described (POST users/login with user name and password, the
// roles in the result; events and events/custom; system/name; the list of the
// servers below integrations/infiniguard). It was not tried against a real one.
// What product is set to says how the array is called where users read of it;
// what answers is in the evidence, as far as it tells.
//
// # Certificates
//
// Arrays come with a self-signed certificate. Set pin to its SHA-256 or ca to
// who signed it. Without either it must chain to the machine's own roots.
// insecure_skip_verify accepts anything, says so to the user at every login
// and in the evidence that is audited: whoever sits in between then reads the
// password.
package infinibox
