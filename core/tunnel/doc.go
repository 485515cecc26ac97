// Package tunnel is the system's side of the link to the relay: it keeps an
// open session reachable, and hands over the connections of engineers.
//
//	err := tunnel.Run(ctx, tunnel.Options{
//		Relay: relayClient, RelayKey: vendor.ReceiptKey,
//		Session: msg.Hello{V: msg.Version, Session: id, Since: since, Expires: expires},
//		Serve:   func(ctx context.Context, conn net.Conn, s tunnel.Start) { … },
//		State:   func(s tunnel.State) { … },
//	})
//
// Only outgoing connections are made. One of them, the control stream, lives
// as long as the session; on it the relay asks for a connection of its own for
// each engineer (dial-back). For five minutes after the session opened and
// after each engineer's connection a spare one is kept dialled, so that the
// next engineer does not wait for it. The first is dialled with the control
// stream, or once that has got through where a proxy is on the way; it waits at
// the relay until the session is open, and nothing that it carries is served
// before.
//
// # When the network is bad
//
// The system sends real data (pings) every 20 seconds and holds a relay that
// does not answer within 10 for dead. Where the stream was cut after some
// silence, pings come at half of that from then on, and rarer again only after
// a long time without a cut. It connects again after a random time below a
// limit that doubles from one second to five minutes and starts anew after 60
// seconds of health; what the relay says about when to come back is obeyed. A
// relay that dies says nothing then, so it does before: with its welcome and its
// pongs it names the time over which systems that nobody used of late come back,
// which grows with their number.
//
// Where a second connection cannot be made although the first is alive, all
// goes over one: a yamux session whose first stream is the control stream.
//
// # What is believed
//
// Nothing that matters. The relay may be hostile: its messages are bounded in
// size, number and rate, a connection's name must have the form of one and not
// be in use, and what it says about an engineer is for display. Who he is, and
// that the relay cannot read or change what he does, is settled by the
// handshake inside of the connection that Serve gets.
package tunnel
