// Package handoff is the channel over which a plugin and its host pass open
// file descriptors, and over which a plugin asks its host to open what it may
// not open itself.
//
// # Why
//
// Bytes of a tunnel or of a log never travel in gRPC messages. A transport
// dials, and hands the connected socket to the host; a collector opens, and
// hands over the file. From then on the plugin is out of the data path: the
// host is as fast as if it had dialled itself, and a connection survives the
// death of the plugin that made it.
//
// # Use
//
// The host calls [Pair], keeps the [Channel] and gives the file to the child
// as descriptor 3. The plugin calls [New] on that descriptor. Both ends then
// speak the same language:
//
//   - [Channel.Pass] sends one descriptor under an id that both sides know from
//     the control path; [Channel.Take] waits for it.
//   - [Channel.Call] asks the other side to do something and may bring back a
//     descriptor; [Channel.Serve] answers. The operations are in ops.go:
//     a plugin asks with [Channel.Open], [Channel.Run] and [Channel.Wait], a
//     host answers with a [Broker].
//   - [Channel.Done] is closed when the other side is gone. For a plugin that
//     is the lifeline: its host has died, so it exits.
//
// # The wire
//
// The socket is AF_UNIX, SOCK_SEQPACKET, so that every message arrives whole.
// A message is a header of 16 bytes, big-endian, and up to 32 KiB of payload:
//
//	0  version   1
//	1  kind      1 pass, 2 call, 3 reply, 4 cancel, 5 taken
//	2  op        operation of a call; 0 (done) or 1 (refused) of a reply
//	4  length    bytes of payload after the header
//	8  id        of the descriptor or the call
//
// A pass carries exactly one descriptor and no payload, a reply at most one
// descriptor, the others none. Taken answers a pass when its descriptor has
// left the backlog; a sender has at most [MaxPassed] that are not answered, so
// that an honest one never fills it.
//
// # Guarantees
//
// The other side is not trusted. Whatever breaks the rules above, a second
// message for an id that waits unclaimed, more than [MaxBacklog] unclaimed
// descriptors or more than [MaxCalls] calls at once closes the channel, with
// the reason in [Channel.Err]. Every descriptor that arrives is
// close-on-exec, and every one that is not handed to a caller is closed: none
// leaks, whatever arrives. Pipes and sockets are put into non-blocking mode so
// that a read of them can be interrupted (a hostile sender that holds a
// duplicate can undo that; ending its process then ends the read).
//
// What a descriptor is (a stream socket to an allowed peer, a plain file) is
// the receiver's question, not this package's.
package handoff
