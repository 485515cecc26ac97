// Package api is what the relay (RSS) and its clients say to each other: paths,
// JSON bodies, error codes, enrolment tokens, login statements and receipts.
// docs/FORMATS.md specifies them for others.
//
// It holds no behaviour beyond reading and checking these, so that a client
// does not carry the server, nor the server a client.
package api
