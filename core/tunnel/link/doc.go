// Package link makes one connection between a system or an engineer and the
// relay: TLS, a WebSocket upgrade, and the comparison that tells whether
// somebody inspects TLS on the way.
//
//	conn, err := link.Dial(ctx, relayClient, vendor.ReceiptKey, msg.PathLink, nil)
//	conn, err := (&link.Accepter{Sign: sign, AllowRaw: true}).Accept(w, r)
//
// The client greets with a nonce and its TLS exporter (RFC 9266 in spirit, label
// EXPORTER-latchstring-link); the relay answers with its own, signed with its
// receipt key together with the nonce. Both are in headers of the upgrade, so
// that a link costs one round trip on top of TCP and TLS; where something on the
// way takes these headers away they go in the first frames instead. Equal exporters mean one TLS connection from end to end: both go on
// without frames, which costs nothing, and [Conn] is the TLS connection itself (package cork).
// Different ones mean that somebody ends TLS in between: both stay in frames,
// which is all that such a box lets pass, and [Conn.InspectedBy] names the
// authority it showed. A relay's answer with a wrong signature is refused. TLS
// 1.2 without the extended master secret has no exporter; it stays in frames.
//
// What is inside is encrypted end to end in any case: inspection is something
// to be told, not a breach.
//
// Where both ends want it ([Dialer.Pass], [Accepter.Pass]) and nobody inspects,
// TLS can be left later, each direction by itself, for what the two ends of a
// spliced connection seal between them; see [Conn.Passes].
//
// What the client says first may go along with the greeting ([Dialer.Early]).
// Where that is in a frame, the client leaves the frames by an empty text frame
// once it has seen that the exporters agree.
//
// # Memory on the relay
//
// The handler should start a new goroutine for the connection and return: the
// goroutine of net/http has grown its stack for the TLS handshake and the
// request, and with it go the buffers of net/http. What stays for an idle
// connection is the TLS connection (some 8 KB), a Conn, and one small
// goroutine in [msg.Reader.Next]: no buffer, neither of this package nor of
// ws or msg; some 15 KB in all, framed or not (TestIdleMemory). Waiting at the
// socket in a goroutine that does nothing else, as the relay does, saves 2 KB. A timer for
// each connection is not needed either: set a read deadline of [msg.Patience]
// before each Next.
//
// Closing right after a last message is safe: [Conn] waits in the background
// for the client's leaving of the frames, which would otherwise make the kernel
// reset the connection and lose that message.
package link
