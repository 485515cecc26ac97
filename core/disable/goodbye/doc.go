// Package goodbye tells the relay that remote access was disabled for good on
// this system.
//
// What is told is the signed statement that package seal writes. It needs no
// login: it can only ever take access away, and whoever holds it may present it.
// The relay then opens no session to the system's key any more.
//
// It is told at once when the system is sealed. Where the relay cannot be
// reached then, whoever reaches it next does it: send-bundle, before it sends;
// `remote-support disable --permanently`, said again; or an engineer to whom the
// customer gave the two files (`rss systems seal`). Nothing is sent on its own
// at another time: a machine on which remote access is off keeps quiet.
package goodbye
