// Package failure is the error that travels from a plugin to its host with
// what the host must know to act on it: a code from a closed list, a message
// for people, a hint what to do, and whether trying again may help.
//
// Authors seldom use it directly. Each role has its own constructor, for
// instance transport.Errorf, with the codes that make sense there. An error
// that is not a *failure.Error arrives at the host with the code [Failed].
//
// A message or a hint never holds a secret: it is shown, logged and audited.
package failure
