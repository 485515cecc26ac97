// Package forward lets programs on the engineer's workstation reach ports
// behind a customer's system, over an SSH connection that is there already.
//
//	f, err := forward.Parse("8443:192.0.2.10:443")
//	ln, err := f.Listen()
//	err = forward.Serve(ctx, client, ln, f, report)
//
// The workstation listens on its loopback only, unless an address is named: a
// customer's port is not for the engineer's whole office. What may be reached
// is decided by the customer's policy; a refusal is reported in its words.
package forward
