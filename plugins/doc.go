// Latchstring-plugins holds all built-in plugin roles in one program. It is
// started by remote-support and send-bundle, one process for each role that is
// needed, and never by hand, except to see what it is:
//
//	latchstring-plugins describe
//
// main.go has the one table of what is built in. A role is a package below
// plugins/ROLE/, which imports the sdk and the libraries of its own protocol.
package main
