// Command access measures remote access beside what people use instead, in one
// run on one machine: OpenSSH's `ssh -R` through a real sshd, chisel and frp,
// which have no encryption from end to end. Ours is the product as it is
// installed: `rss serve`, `remote-support serve`, and core/connect for the
// engineer, with TLS, the handshake, the resumable stream, SSH, policy, audit
// and recording on.
//
//	bench/access/run            about three minutes
//	bench/access/run -long      more rounds, 5,000 sessions, a restart, dead peers
//	bench/access/run -only bulk,echo -path slow
//
// # What is what
//
// The engineer opens a stream to a target beside the system: for ours a channel
// of his SSH connection (direct-tcpip), for the others the port that they
// listen on at the relay. Pull is from the system to the engineer. All numbers
// are medians of rounds in which the candidates take turns.
//
// The slow path is a proxy between system and relay that holds every byte for
// 25 ms, any number of them at a time; connecting takes a round trip, too. The
// engineer is beside the relay.
//
// On to usable is the time from the call that switches remote access on, two
// seconds after anything else was done, to the first byte that an engineer, who
// connects then, has from the system. Of the
// others: from the start of the client to the first byte back. In addition it is
// said when 64 bytes came back through everything: the secret, SSH, a channel.
//
// Echo under bulk is 64 bytes there and back while a stream is full. The engineer
// has a connection for each of the two, as two commands of his have; that of the
// others is one below, whatever he does. What it is within one SSH connection is
// said, too.
//
// Memory of idle sessions is what the relay's process has grown by (PSS), with
// its store, once it has let go of what it wrote. The first session of a system
// makes the store grow, so it is measured apart; unframed and framed are measured
// over the same store after that.
//
// CPU of the relay is that of all its processes, as the kernel counts it; where
// the goal of one second was set chisel needed 3.5, so that here it is held
// against chisel's, too. Chisel's relay needs three times as much for a pull as
// for a push, because it is a WebSocket client's bytes that are masked. The
// engineer's is that of the bench itself, with the target in it.
//
// Eight streams of ours are held against one of the others', which is what the
// goal says; their eight are in the table.
package main
