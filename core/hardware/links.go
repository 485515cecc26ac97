package hardware

import (
	"strconv"
	"strings"
	"time"
)

// unplugged is how long a link may be down without being told: a switch that is
// restarted takes longer, and is worth knowing.
const unplugged = time.Minute

// bonds reads the links of bonded interfaces. One that was up and is down leaves
// the bond without redundancy. A member that an administrator has switched off,
// or that was never up, is no failure.
func bonds(t tree, r *Reading) {
	const dir = "sys/class/net"
	for _, bond := range strings.Fields(t.attr(dir, "bonding_masters")) {
		if !entry.MatchString(bond) {
			continue
		}
		for _, member := range strings.Fields(t.attr(dir, bond, "bonding/slaves")) {
			if !entry.MatchString(member) {
				continue
			}
			flags, err := strconv.ParseUint(strings.TrimPrefix(t.attr(dir, member, "flags"), "0x"), 16, 32)
			if err != nil || flags&1 == 0 { // IFF_UP
				continue
			}
			status := t.attr(dir, member, "bonding_slave/mii_status")
			if status == "" {
				continue
			}
			p := Part{ID: "bond/" + bond + "/" + member, Kind: Links, Name: "interface " + member + " of " + bond, Well: status == "up"}
			r.part(p)
			if status == "down" {
				r.fault(p, "down", Warning, "its link is lost", "mii_status: down", unplugged, true)
			}
		}
	}
}

// ports reads those of FC and InfiniBand adapters.
func ports(t tree, r *Reading) {
	for _, host := range t.names("sys/class/fc_host") {
		state := t.attr("sys/class/fc_host", host, "port_state")
		if state == "" {
			continue
		}
		p := Part{ID: "fc/" + host, Kind: Links, Name: "FC port " + host, Well: state == "Online", Boot: true}
		r.part(p)
		switch state {
		case "Linkdown", "Offline", "Error":
			r.fault(p, "down", Warning, "its link is lost", "port_state: "+state, unplugged, true)
		}
	}
	const dir = "sys/class/infiniband"
	for _, device := range t.names(dir) {
		for _, port := range t.names(dir, device, "ports") {
			state := t.attr(dir, device, "ports", port, "state") // 4: ACTIVE
			if state == "" {
				continue
			}
			p := Part{ID: "ib/" + device + "/" + port, Kind: Links, Name: "InfiniBand port " + device + "/" + port, Well: strings.HasPrefix(state, "4:"), Boot: true}
			r.part(p)
			if strings.HasPrefix(state, "1:") {
				r.fault(p, "down", Warning, "its link is lost", "state: "+clean(state), unplugged, true)
			}
		}
	}
}

// iscsi reads the sessions of the initiator.
func iscsi(t tree, r *Reading) {
	for _, name := range t.names("sys/class/iscsi_session") {
		state := t.attr("sys/class/iscsi_session", name, "state")
		if state == "" {
			continue
		}
		p := Part{ID: "iscsi/" + name, Kind: Links, Name: "iSCSI " + name, Well: state == "LOGGED_IN", Boot: true}
		r.part(p)
		if state == "FAILED" {
			r.fault(p, "down", Warning, "the target cannot be reached", "state: FAILED", unplugged, true)
		}
	}
}
