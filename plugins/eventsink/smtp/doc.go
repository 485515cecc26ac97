// Package smtp sends events as mail to the vendor's call-home address (REQ F1,
// F2).
//
// The mail relay is that of the array's notification target infinidat-smtp, which
// is looked up by its name at each delivery: host, port, TLS and sender. Or it is
// set here. A relay that is looked up needs no setting but the array's, which the
// host adds from those of the login.
//
// Each event is one mail with a Message-ID made of the event's ID, so that one
// which comes twice is known by it. Nothing that an event says gets into a header
// but through the encoder of headers, without line ends.
//
// What a relay refuses about sender, recipient or login is a matter of its
// settings, which somebody mends: the event waits. What it refuses about the
// message itself is refused for good.
package smtp
