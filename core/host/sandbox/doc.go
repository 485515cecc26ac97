// Package sandbox takes away from a plugin process what it does not need.
//
// A plugin is foreign code, even ours: a proxy's answer or a log file may turn
// it against its host. The host therefore starts it through a trampoline
// (package core/host/launch) that calls [Confine] on itself and then becomes
// the plugin. What it gave up it cannot get back:
//
//   - resource limits: no core dumps, few descriptors, bounded memory, small files;
//   - its own user, when the host is root;
//   - no_new_privs: no set-user-ID program raises it again;
//   - Landlock: the files and TCP ports of its [Spec] and no others, no signal
//     and no abstract socket out of its domain;
//   - seccomp: one process only, Unix sockets and, where granted, TCP and UDP,
//     nothing that reaches into other processes or into the kernel.
//
// Landlock's port rules do not see Multipath TCP, and io_uring goes around
// seccomp's view of sockets: both are refused by the filter.
//
// Not every machine can do all of it. [Probe] says which [Level] can be
// reached before anything is started, policy is asked with that level, and
// Confine fails rather than reach less than it was asked for.
//
// What it does not do: Landlock knows ports, not addresses, and, before its
// tenth version, no UDP. A plugin that was granted port 443 may connect to any
// address there. The host checks the peer of each connection that it is handed
// over; a firewall rule for the plugin's user closes the rest.
package sandbox
