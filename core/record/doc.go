// Package record keeps what a support engineer does: the screen of every
// channel, the commands, the files and the forwards of one connection.
//
// # Writing
//
// [Start] begins the recording of one connection; [Recording.Output],
// [Recording.Resize] and [Recording.Note] add to it and [Recording.Close] ends
// it. When one of them returns nil, the record has been handed to the kernel:
// killing this process loses nothing. Any error is final: it comes back from
// every later call, so that a caller who looks at it late still sees it, and
// whoever must not act unrecorded stops.
//
// Records go to an open segment, a plain file of mode 0600. After a second, or
// 256 KiB (1 MiB while output streams), the segment is closed: chained to the
// one before by SHA-256, signed with the key of the system, encrypted with age
// to the customer (and to the vendor where the customer wants that), and synced
// to disk. A power cut loses at most what was not yet closed: the last second.
//
// The engineer's own client counter-signs the heads of the chain while it runs
// ([Recording.Witness]), and the counter-signature stands in the next segment:
// afterwards neither side can deny what the other has. [Recording.Finish] gives
// the last head, and the client's signature of the end ([Recording.WitnessEnd])
// stands in the closing record. Without it the closing record says why.
//
// # Reading
//
// [List] and [Open] read recordings, [Verify] checks one and names what is
// wrong, [Export] writes ttyrec or asciicast files that other players play.
// Verify needs the public key of the system and nothing else: no secret key, no
// network, no agent. Whoever also has the age key checks the plain bytes too.
//
// # After a crash
//
// [Recover] seals what a killed process left behind, without the torn record at
// its end, and marks it so.
//
// # What is not recorded
//
// What the engineer types is not recorded, only what comes back: passwords are
// typed and not shown. The content of files that are copied is not recorded
// either; their names, sizes and hashes are.
package record
