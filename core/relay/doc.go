// Package relay is the vendor's server (RSS): systems enrol at it, send it
// bundles, and engineers fetch them from it.
//
// What it never has: the key that opens a bundle, the plaintext of a session,
// a customer's secret. What it vouches for: who sent which bytes and when, by
// the receipts it signs and the event log it keeps.
//
//	loaded, err := setup.Load(root)
//	srv, err := relay.New(ctx, relay.Options{Relay: loaded, Engine: engine, Blobs: blobs, Log: log})
//	err = srv.Serve(ctx, listener)   // until ctx ends
//
// # Who may do what
//
// A system proves itself by signing a nonce with its key and gets a short
// bearer token; so does an engineer. The token names the subject and the key;
// each request looks up whether both still hold, so that a revocation counts
// at once. A system reaches its own uploads and receipts only.
//
// # Bundles
//
// They come in by the tus protocol (tusd's handler over a directory). Before
// an upload is made its size, the system's limits and the free space are
// checked. When the last byte is in, the SHA-256 is compared with the one that
// was announced; only then is there a receipt, and the bundle is moved to the
// blob store. What a crash interrupts in between is finished at the next start.
//
// # Sessions
//
// A system with an open session holds one control stream (a request that was
// upgraded, see core/tunnel/link). For each engineer's connection the relay
// sends a ticket down it; the system dials back, and the relay joins the two
// (package splice). A new control stream takes the place of the old one at
// once. A spare, dialled in advance, saves the dial; where a proxy allows no
// second connection, one connection carries everything.
//
// Who may reach which system is a matter of roles and groups. It is looked up
// when an engineer asks and once more before bytes flow, and a watch on the
// records cuts what is no longer allowed within a second, whichever node or
// command changed it. The relay's word counts for nothing at the ends: the
// handshake inside decides who gets a shell.
//
// What is open stands in the store with a time to live, so that no crash leaves
// a session that is not; a node that starts takes back what it said before.
// The event log names each session and each connection with its bytes; how many
// a system or an engineer can cause is bounded (setup.Remote).
//
// When the relay stops it tells the systems when to come back, spread so that
// they do not come at once, and lets connections end for some seconds.
//
// # Several nodes
//
// Nodes that share a NATS store are one relay. Each says in the store that it is
// up, where the others reach it and the hash of a key that it made when it
// started; they speak to each other on the port of everything else, by TLS with
// both keys checked. When an engineer comes to
// one node and the system hangs on another, the first asks the second, which
// does all that it does for engineers of its own, and then copies ciphertext.
// The limits of a system hold exactly, since all its connections are counted
// where it hangs; those of an engineer across nodes within some seconds; rates
// and totals are of one node. A node that is not heard of for 20 seconds is down.
// The clocks of nodes are to agree: of two control streams of a system the
// later one counts.
//
// An upload goes on at the node where it began; at another the client begins
// it again.
//
// # Recordings
//
// Systems send the sealed segments of recordings while they are made. Nothing
// is overwritten: the same bytes again are no error, others are refused. The
// event log repeats a running hash over the segments of each recording.
//
// # Seals
//
// A system that disabled remote access for good says so with a statement that
// it signed. From then on its key opens no session here, whatever token it has.
//
// # Administration
//
// [Server.Admin] is the API of the local socket, for the same user and root.
package relay
