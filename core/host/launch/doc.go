// Package launch starts plugin processes.
//
// What is executed is exactly what was verified: [Load] copies a program into
// a sealed memory file and hashes the very bytes that it copies. Swapping the
// file on disk afterwards changes nothing. Where the kernel forbids programs in
// memory (vm.memfd_noexec=2) the copy is a private unlinked file on disk.
//
// [Start] does not execute the copy at once. It executes the host's own binary
// again, as a trampoline: that process confines itself (package
// core/host/sandbox) and then becomes the plugin. Every program that hosts
// plugins, and every test binary that does, therefore begins with
//
//	func main() {
//		launch.Main() // returns at once when the process is no trampoline
//
// A plugin process has
//
//	0  /dev/null
//	1  a pipe to the host, for the handshake or the output of `describe`
//	2  a pipe to the host, read line by line and never trusted
//	3  the handoff channel, if it has one
//
// and nothing else that is open, no environment but what its [Command] says,
// and a process group of its own. It is killed with its group by
// [Process.Kill], and by the kernel when the host dies.
package launch
