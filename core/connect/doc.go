// Package connect is the engineer's side of remote access: from a login at the
// relay to a stream over which SSH runs, end to end, into a customer's system.
//
//	conn, err := connect.Dial(ctx, connect.Options{
//		Relay: relay, RelayKey: key, System: "sys-0123456789abcdef",
//		Certificate: certificate, Secret: askForIt, Cache: cache,
//	})
//	c, chans, reqs, err := ssh.NewClientConn(conn, conn.Name(), conn.ClientConfig(user, signer))
//
// # What happens
//
// [Dial] opens one connection to the relay and has it spliced to the system
// that is named. Through it runs the handshake of core/handshake: the first
// time with the customer's secret, and from then on with the enrolment that
// came of it, which [Cache] keeps in a directory of the engineer alone until
// the session ends. The relay sees none of that. If the customer approves each
// connection, Dial waits, and says so by [Options.Notify].
//
// The [Conn] is resumable: when the network, a proxy or the relay dies, the
// connection is made again and goes on where it was, for 60 seconds. SSH does
// not notice.
//
// While it lasts, the system sends the heads of its recording, and the witness,
// a key that exists only for this connection, counter-signs them: the customer
// cannot later claim another course of things, nor the vendor. [Conn.Close] waits
// a moment for the last one, which is signed as the end.
//
// # What it guarantees
//
// The SSH host key of a Conn is the one that the holder of the secret has
// named: a relay that puts itself in between is refused. The secret is read
// when it is needed, cleared after it, and neither logged nor part of an error.
//
// What is refused ends in a [RefusedError] with the words of the system, which
// commands answer with exit code 3.
package connect
