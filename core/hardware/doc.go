// Package hardware watches the hardware of this machine, and tells once when
// something has failed and once when it is well again (REQ F3).
//
// # What is looked at
//
// [Look] reads /sys and /proc and nothing else: it starts no process, sends no
// command to a device that would wake it up, and makes no connection. It knows
//
//   - md arrays that lack members, their failed members and corrected read errors;
//   - memory errors (EDAC): those that could not be corrected, and corrected ones
//     that come fast; machine checks of the processors;
//   - sensors (hwmon): critical temperatures, fans that stand still, voltages and
//     currents beyond the critical limits;
//   - SCSI disks that are offline, NVMe controllers that are dead or stay lost;
//   - file systems: errors that ext4 and btrfs remember, ZFS pools that are not
//     online, what the kernel made read-only;
//   - power supplies and batteries, where /sys knows them;
//   - links that were up and are down: members of bonds, ports of FC and
//     InfiniBand adapters, iSCSI sessions.
//
// What is left out is what only a tool can ask (smartctl, ipmitool and the
// controllers of RAID cards, which support bundles hold), and what is ambiguous:
// limits that firmware never set, ports where nothing was ever plugged in.
//
// # What is told, and when
//
// A [Watcher] compares what it sees with what it has kept in a file:
//
//   - A failure is told once, not again after a restart of the agent or of the
//     machine. It is told again only if the agent was killed, or could not write
//     its file, between the record in the audit log and that.
//   - What may be over in a moment (a link, a temperature) must last for as long
//     as [Fault.After] says before it is told.
//   - What comes and goes is told as well again when it has been well for two
//     minutes, and four times as long after each further failure within a day, up
//     to six hours: it makes a handful of events a day, however often it changes.
//   - Counters of errors make a failure when they grow, and are well when they
//     have not grown for a day: restarting does not mend memory.
//   - A failed thing that is no longer there is told as gone, not as mended.
//
// # Contents of files are not trusted
//
// Names and texts come from firmware. They are bounded, cut to printable ASCII,
// and no serial number, address or identifier of a host is among them. A look that
// does not come back, because a device hangs, holds nothing up, and the status says so.
package hardware
