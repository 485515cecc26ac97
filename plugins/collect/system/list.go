package system

import "time"

// file is a text that the kernel or the distribution keeps.
type file struct{ name, path string }

// command is a program whose output is an item.
type command struct {
	name    string
	argv    []string
	timeout time.Duration // 0 means a short one
}

var files = []file{
	{"os-release", "/usr/lib/os-release"},
	{"kernel/filesystems", "/proc/filesystems"},
	{"kernel/devices", "/proc/devices"},
	{"kernel/interrupts", "/proc/interrupts"},
	{"cpu/cpuinfo", "/proc/cpuinfo"},
	{"cpu/stat", "/proc/stat"},
	{"cpu/loadavg", "/proc/loadavg"},
	{"memory/meminfo", "/proc/meminfo"},
	{"memory/vmstat", "/proc/vmstat"},
	{"memory/swaps", "/proc/swaps"},
	{"memory/buddyinfo", "/proc/buddyinfo"},
	{"disks/partitions", "/proc/partitions"},
	{"disks/diskstats", "/proc/diskstats"},
	{"disks/mounts", "/proc/self/mounts"},
	{"network/dev", "/proc/net/dev"},
	{"network/route", "/proc/net/route"},
	{"network/ipv6_route", "/proc/net/ipv6_route"},
	{"network/arp", "/proc/net/arp"},
	{"network/sockstat", "/proc/net/sockstat"},
	{"network/snmp", "/proc/net/snmp"},
	{"network/netstat", "/proc/net/netstat"},
	{"network/bonding", "/proc/net/bonding/bond0"},
	{"uptime", "/proc/uptime"},
}

var commands = []command{
	{"disks/lsblk.json", []string{"lsblk", "--json", "--bytes", "--output", "NAME,KNAME,TYPE,SIZE,FSTYPE,MOUNTPOINT,LABEL,UUID,MODEL,SERIAL,STATE,ROTA,RO"}, 0},
	{"disks/df.txt", []string{"df", "--local", "--portability", "--print-type"}, 0},
	{"disks/df-inodes.txt", []string{"df", "--local", "--portability", "--inodes"}, 0},
	{"network/address.txt", []string{"ip", "-details", "-statistics", "address", "show"}, 0},
	{"network/routes.txt", []string{"ip", "route", "show", "table", "all"}, 0},
	{"network/rules.txt", []string{"ip", "rule", "show"}, 0},
	{"network/neighbours.txt", []string{"ip", "neighbour", "show"}, 0},
	{"network/sockets.txt", []string{"ss", "--all", "--numeric", "--processes", "--tcp", "--udp"}, 30 * time.Second},
	{"network/sockets-summary.txt", []string{"ss", "--summary"}, 0},
	{"services/units.txt", []string{"systemctl", "list-units", "--all", "--full", "--no-pager", "--plain"}, 0},
	{"packages/dpkg.txt", []string{"dpkg-query", "--show", "--showformat=${Package}\t${Version}\t${Architecture}\t${db:Status-Abbrev}\n"}, time.Minute},
	{"packages/rpm.txt", []string{"rpm", "--query", "--all", "--queryformat=%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{INSTALLTIME:date}\n"}, time.Minute},
}

const (
	shortTimeout = 15 * time.Second
	summaryName  = "summary.json"
	processName  = "processes.txt"
)
