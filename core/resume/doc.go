// Package resume is a stream of bytes that outlives the connections that
// carry it. When the network, a proxy or the relay dies, both sides join again
// over a new connection and go on where they were: whoever reads and writes the
// stream does not notice, no byte is lost, doubled or moved.
//
// The system's side keeps its streams in a [Table]:
//
//	id, st, err := table.Open(conn.StreamKey(), resume.Options{})
//	err = conn.Grant(ctx, id, 0)
//	err = st.Attach(conn.Raw(), 0)
//	// later, on another connection, for a request to go on
//	err = table.Attach(resume.Attachment{...}, grant)
//
// The engineer's side dials again by itself:
//
//	st := resume.NewStream(conn.StreamKey(), resume.Options{Redial: dial})
//	err = st.Attach(conn.Raw(), reply.Received)
//
// A [Stream] is a net.Conn with deadlines and CloseWrite. Small messages beside
// it, [Stream.Send], go ahead of what waits to be written; they are not sent
// again after a cut.
//
// # How
//
// What is written is kept until the other side has consumed it, at most
// [Window] bytes; that bounds what the other side has to keep for a slow reader,
// too. A new connection begins with both sides saying how much they have
// received, in package handshake's sealed messages, and goes on there. A stream
// without a connection is kept for Options.Keep and then ends with [ErrLost].
//
// A connection is alive while anything arrives on it. After Options.Ping
// without, it is asked; after Options.Answer without an answer it is dead. With
// Options.Adaptive the pauses become shorter where connections are cut for being
// idle.
//
// # Who may attach
//
// Whoever proves the enrolment in a fresh handshake, and in addition the key of
// the stream, by [Proof] over the binding of that very connection. Another
// engineer of the same session has neither. A second attachment replaces the
// first, which may be half dead without knowing.
//
// # Frames
//
// Twelve bytes: type (1), length of what follows (3), position in the stream or
// a number (8), big endian. The types are data, ack, fin, ping, pong, side, stop
// and reset; see frame.go. Side messages, pongs, stops and resets are sealed under
// the key of the stream. A pong tells how much had arrived, so that who holds data
// back and passes pings on is found out; a stop that somebody else makes would end
// all writing without a word. The others are neither secret nor signed: what is carried is SSH,
// which notices a changed byte and an end that is none, and they only decide what
// is sent again. Who changes them ends the connection, as he could anyway. A
// connection that brings what does not fit is given up, and the stream goes on
// over the next.
package resume
