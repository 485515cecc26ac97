// Package testconn is Test Connection (REQ B7): it goes the way to the relay
// step by step, says how each one went and how long it took, and what to do
// where one fails. It opens no session, and sends no secret but what the
// proxy asks for.
//
// The steps: the address is one that is in use; policy allows the way; the
// transport's own steps (names, the proxy, the login there); TLS, and whose
// certificate it is; the relay's hello and version; the clocks; whether the
// relay knows this system. The first failure ends the test, since what comes
// after rests on it.
package testconn
