// Command chaos kills the real programs at random moments, with SIGKILL, while
// an engineer works, and checks each time that what is said afterwards is true.
//
//	go run ./tools/chaos -bin bin -rounds 20
//	go run ./tools/chaos -bin bin -for 1h -seed 7
//
// It sets up a vendor, a customer's system and an engineer in a scratch
// directory and on loopback. In each round remote access is turned on, the
// engineer has a command that counts, a process that tries to get away, and a
// file that is being copied; then one of the programs is killed: the agent, the
// relay, both, or the engineer's. What must hold:
//
//   - Nothing stays open: no process of the session, no way in, no session at the
//     relay, and status says so before and after the next start.
//   - What is missing in the audit log is added exactly once: every session and
//     every connection that was opened is closed, and closed once.
//   - The recording verifies, and has the last thing that the engineer saw.
//   - A relay that comes back knows the session again, and the command goes on:
//     no number is missing and none comes twice.
//   - A copied file has its name only if it is right.
//   - The next session opens.
//
// The same seed kills at the same moments, as far as a machine repeats itself.
package main
