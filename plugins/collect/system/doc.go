// Package system collects facts about the operating system and the machine:
// processors, memory, disks, mounts, network, processes, packages. What the
// collectors kernel, services and storage take is left to them.
//
// What the kernel tells as text is taken as it is, since that is what support
// engineers read and know; commands run in the host, with their exit codes.
// summary.json holds the few facts that a program wants to compare. What a
// machine does not have is absent, which is no error.
package system
