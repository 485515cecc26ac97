// Package syslog sends events to a syslog server as RFC 5424 says, over UDP (RFC
// 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425).
//
// What an event says stands in structured data, latchstring@32473, and in the
// message. Nothing in it can end a message or begin another: names are cut down to
// the characters that the format allows, values are escaped, and control
// characters are not passed on.
//
// Syslog has no acknowledgement. Over TCP and TLS each event goes in a connection
// of its own, which is closed in order: that the server closes its side too says
// that it has read everything. Over UDP only a port that is shut is noticed.
package syslog
