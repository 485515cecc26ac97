package network

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

const socketTime = 30 * time.Second // there may be a million

// Reasons for a command to make sense.
var (
	systemd   = []string{"/run/systemd/system"} // sd_booted(3)
	netfilter = []string{"/proc/net/netfilter", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names", "/sys/module/nf_tables", "/sys/module/ip_tables"}
	bridges   = []string{"/sys/module/ebtables", "/sys/module/nf_tables"}
)

// Asking for the rules would load the kernel's modules for them, which changes
// the machine.
const noFirewall = "the kernel has no packet filter loaded"

// list names the network of the first process rather than /proc/net, which is
// that of whoever looks: there the kernel makes every file anew for everybody,
// and neither a sandbox nor the host can tell which one is meant.
var list = recipe.List{
	Files: []recipe.File{
		{Name: "dns/resolv.conf", Path: "/etc/resolv.conf", Config: true},
		{Name: "dns/resolved.conf", Path: "/run/systemd/resolve/resolv.conf", Config: true},
		{Name: "dns/hosts", Path: "/etc/hosts", Config: true},
		{Name: "dns/nsswitch.conf", Path: "/etc/nsswitch.conf", Config: true},
		{Name: "dns/host.conf", Path: "/etc/host.conf", Config: true},
		{Name: "dns/gai.conf", Path: "/etc/gai.conf", Config: true},
		{Name: "protocols/softnet_stat", Path: "/proc/1/net/softnet_stat"},
		{Name: "protocols/protocols", Path: "/proc/1/net/protocols"},
		{Name: "protocols/sockstat6", Path: "/proc/1/net/sockstat6"},
		{Name: "protocols/snmp6", Path: "/proc/1/net/snmp6"},
		{Name: "protocols/xfrm_stat", Path: "/proc/1/net/xfrm_stat"},
		{Name: "protocols/igmp", Path: "/proc/1/net/igmp"},
		{Name: "protocols/ptype", Path: "/proc/1/net/ptype"},
		{Name: "interfaces/if_inet6", Path: "/proc/1/net/if_inet6"},
		{Name: "interfaces/vlan", Path: "/proc/1/net/vlan/config"},
		{Name: "interfaces/wireless", Path: "/proc/1/net/wireless"},
		{Name: "firewall/conntrack_count", Path: "/proc/sys/net/netfilter/nf_conntrack_count"},
		{Name: "firewall/conntrack_max", Path: "/proc/sys/net/netfilter/nf_conntrack_max"},
		{Name: "time/clocksource", Path: "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
		{Name: "time/adjtime", Path: "/etc/adjtime"},
	},
	Classes: []recipe.Class{
		{Name: "interfaces/interfaces.txt", Dir: "/sys/class/net", Attr: []string{
			"operstate", "carrier", "carrier_changes", "speed", "duplex", "mtu", "tx_queue_len", "address", "addr_assign_type", "ifalias", "type", "flags", "device/uevent",
			"statistics/rx_packets", "statistics/rx_bytes", "statistics/rx_errors", "statistics/rx_dropped", "statistics/rx_missed_errors", "statistics/rx_crc_errors",
			"statistics/tx_packets", "statistics/tx_bytes", "statistics/tx_errors", "statistics/tx_dropped", "statistics/tx_carrier_errors", "statistics/collisions",
			"bonding/mode", "bonding/slaves", "bonding/active_slave", "bonding/miimon", "bonding/lacp_rate", "bridge/stp_state", "bridge/bridge_id", "bridge/root_id",
		}},
		{Name: "time/ptp.txt", Dir: "/sys/class/ptp", Attr: []string{"clock_name"}},
	},
	Commands: []recipe.Command{
		{Name: "interfaces/bridge-links.txt", Argv: []string{"bridge", "-details", "link", "show"}},
		{Name: "interfaces/bridge-vlans.txt", Argv: []string{"bridge", "vlan", "show"}},
		{Name: "interfaces/bridge-fdb.txt", Argv: []string{"bridge", "fdb", "show"}},
		{Name: "interfaces/multicast.txt", Argv: []string{"ip", "maddress", "show"}},
		{Name: "interfaces/queues.txt", Argv: []string{"tc", "-statistics", "qdisc", "show"}},
		{Name: "interfaces/namespaces.txt", Argv: []string{"ip", "netns", "list"}},
		{Name: "interfaces/networkctl.txt", Argv: []string{"networkctl", "status", "--all", "--no-pager", "--full"}, If: systemd},
		{Name: "interfaces/nmcli-devices.txt", Argv: []string{"nmcli", "device", "show"}, If: systemd},
		{Name: "interfaces/nmcli-connections.txt", Argv: []string{"nmcli", "connection", "show"}, If: systemd},
		{Name: "interfaces/lldp.txt", Argv: []string{"lldpctl"}, If: []string{"/run/lldpd.socket", "/run/lldpd/lldpd.socket"}, Why: "lldpd does not run"},
		{Name: "interfaces/wireguard.txt", Argv: []string{"wg", "show"}, Root: true, If: []string{"/sys/module/wireguard"}, Why: "WireGuard is not loaded"},
		{Name: "routes/rules6.txt", Argv: []string{"ip", "-6", "rule", "show"}},
		{Name: "routes/ipsec-policies.txt", Argv: []string{"ip", "xfrm", "policy"}, Root: true},
		{Name: "sockets/listening.txt", Argv: []string{"ss", "--listening", "--numeric", "--processes", "--extended", "--memory", "--tcp", "--udp", "--raw", "--packet"}, Timeout: socketTime, Root: true},
		{Name: "sockets/established.txt", Argv: []string{"ss", "--tcp", "--info", "--memory", "--options", "--numeric", "state", "established"}, Timeout: socketTime},
		{Name: "sockets/unix.txt", Argv: []string{"ss", "--all", "--processes", "--unix"}, Timeout: socketTime, Root: true},
		{Name: "firewall/nft.txt", Argv: []string{"nft", "--stateless", "list", "ruleset"}, Root: true, Config: true, If: netfilter, Why: noFirewall},
		{Name: "firewall/nft-counters.txt", Argv: []string{"nft", "list", "counters"}, Root: true, If: netfilter, Why: noFirewall},
		{Name: "firewall/iptables.txt", Argv: []string{"iptables-save", "-c"}, Root: true, Config: true, If: netfilter, Why: noFirewall},
		{Name: "firewall/ip6tables.txt", Argv: []string{"ip6tables-save", "-c"}, Root: true, Config: true, If: netfilter, Why: noFirewall},
		{Name: "firewall/ebtables.txt", Argv: []string{"ebtables-save"}, Root: true, Config: true, If: bridges, Why: noFirewall},
		{Name: "firewall/ipset.txt", Argv: []string{"ipset", "list", "-terse"}, Root: true, If: []string{"/sys/module/ip_set"}, Why: "no sets of addresses are loaded"},
		{Name: "firewall/ufw.txt", Argv: []string{"ufw", "status", "verbose"}, Root: true, If: netfilter, Why: noFirewall},
		{Name: "firewall/firewalld.txt", Argv: []string{"firewall-cmd", "--list-all-zones"}, Root: true, If: []string{"/run/firewalld.pid", "/run/firewalld"}, Why: "firewalld does not run"},
		{Name: "firewall/conntrack.txt", Argv: []string{"conntrack", "--stats"}, Root: true, If: []string{"/proc/sys/net/netfilter/nf_conntrack_count"}, Why: "connections are not tracked"},
		{Name: "dns/resolvectl.txt", Argv: []string{"resolvectl", "status", "--no-pager"}, If: []string{"/run/systemd/resolve"}, Why: "systemd-resolved does not run"},
		{Name: "dns/resolvectl-statistics.txt", Argv: []string{"resolvectl", "statistics", "--no-pager"}, If: []string{"/run/systemd/resolve"}, Why: "systemd-resolved does not run"},
		{Name: "time/timedatectl.txt", Argv: []string{"timedatectl", "status", "--no-pager"}, If: systemd},
		{Name: "time/timesyncd.txt", Argv: []string{"timedatectl", "timesync-status", "--no-pager"}, If: []string{"/run/systemd/timesync"}, Why: "systemd-timesyncd does not run"},
		{Name: "time/chrony-tracking.txt", Argv: []string{"chronyc", "-n", "tracking"}, If: chrony, Why: "chronyd does not run"},
		{Name: "time/chrony-sources.txt", Argv: []string{"chronyc", "-n", "sources", "-v"}, If: chrony, Why: "chronyd does not run"},
		{Name: "time/chrony-statistics.txt", Argv: []string{"chronyc", "-n", "sourcestats"}, If: chrony, Why: "chronyd does not run"},
		{Name: "time/ntp-peers.txt", Argv: []string{"ntpq", "-n", "-p"}, If: []string{"/run/ntpd.pid", "/var/run/ntpd.pid", "/run/ntpd"}, Why: "ntpd does not run"},
		{Name: "time/hardware-clock.txt", Argv: []string{"hwclock", "--show"}, Root: true, If: []string{"/dev/rtc0", "/dev/rtc"}, Why: "this machine has no hardware clock"},
	},
	// The classes are links into the tree of devices.
	Paths: []string{"/sys/devices/**", "/proc/1/net/bonding/*"},
}

var chrony = []string{"/run/chrony", "/var/run/chrony", "/run/chronyd.pid"}
