// Package access is the engineer's side door into this machine: an SSH server on
// one given connection, without a listening socket (REQ A5, A8).
//
//	err := access.Serve(ctx, conn, access.Options{
//		HostKey: key, Peer: access.Peer{Engineer: "ada", Certificate: cert, ...},
//		Policy: policy, Record: recording, Audit: log, RunAs: "support",
//	})
//
// Serve returns when everything that it started is dead. The end of ctx cuts at
// once. After a crash, [Sweep] ends what an agent left behind.
//
// # Who gets in
//
// The holder of the key in the certificate that the handshake bound, and nobody
// else: the certificate that the SSH client shows must be that one to the byte,
// and valid now. There is no password, no other key, no other user name.
//
// # What may be done
//
// Everything is asked of policy when it is wanted: a shell, a command letter for
// letter, a forward by the address that will be dialled, each file by the path
// where it really lies. A refusal names the rule, to the engineer, in the
// recording and in the audit log. Agent and X11 forwarding, listening for the
// engineer and forwarding of Unix sockets do not exist.
//
// With a list of commands, transfers are commands too: sftp (and scp, which uses
// it) is asked as the command "sftp", `scp -O` and rsync as the command line that
// arrives. Each file is asked about besides.
//
// # What is recorded
//
// All output of shells and commands, before it goes to the engineer, in full: a
// recording that leaves out the middle of an output proves nothing. The bytes of
// files that sftp, scp and rsync move are not output; they are in the ledger, one
// [record.Note] a file with path, size, SHA-256 and direction. What a command is
// given on its input is noted by its length, and from 4 KiB on by its hash; shorter
// input may be a password. A transfer program inside of a longer command line is
// refused, so that none goes around the ledger that way. An engineer with a shell
// can still print a file; then it is in the recording.
//
// # As whom
//
// Shells, commands and rsync run as the user RunAs. Files of sftp and scp are
// opened by the agent itself, in a thread that has that user's identity and no
// capability (package files), so no child process has to be trusted with the
// ledger.
//
// # Backend openssh
//
// With Backend "openssh" shells and commands run below the machine's own sshd
// (PAM, limits, motd), reached over loopback with a key that exists for this
// connection and is in the user's authorized_keys only while it logs in. Files
// and forwards stay with this package, as do policy, recording and the end.
package access
