// Package infinibox writes the events of support sessions, and of hardware that
// fails, into the event log of the array (REQ E3, E4, E6, F3, K7).
//
// An event goes by its registered code first, SUPPORT_SESSION_STARTED and so on,
// with the data that its text needs. An array that does not know the code refuses
// with a 4xx; then the same goes as a custom event, which the array files as
// CUSTOM_INFO_EVENT, with the text of the event alone. Events of any other kind,
// and tests, are custom events at once, at their own level.
//
// A wrong password (401) is no reason for a second try, which would count as
// another wrong login: the event waits.
package infinibox
