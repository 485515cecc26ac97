package hardware

import (
	"strings"
	"time"
)

// lostFor is how long a controller may be out of reach: resets and changes of
// the path take less.
const lostFor = 5 * time.Minute

// disks reads the states of SCSI devices (scsi_sysfs.c of the kernel). Nothing
// else has one in device/state.
func disks(t tree, r *Reading) {
	for _, name := range t.names("sys/block") {
		if strings.HasPrefix(name, "nvme") {
			continue // whose device is a controller
		}
		state := t.attr("sys/block", name, "device/state")
		if state == "" || t.set("sys/block", name, "removable") {
			continue
		}
		p := Part{ID: "disk/" + name, Kind: Disks, Name: "disk " + name}
		r.part(p)
		switch state {
		case "offline":
			r.fault(p, "offline", Error, "the kernel has taken it offline after errors", "device/state: offline", 0, false)
		case "transport-offline":
			r.fault(p, "transport", Warning, "the path to it is lost", "device/state: transport-offline", time.Minute, false)
		}
	}
}

// controllers reads the states of NVMe controllers (nvme/host/sysfs.c).
func controllers(t tree, r *Reading) {
	for _, name := range t.names("sys/class/nvme") {
		state := t.attr("sys/class/nvme", name, "state")
		if state == "" {
			continue
		}
		p := Part{ID: "nvme/" + name, Kind: Disks, Name: "NVMe controller " + name}
		r.part(p)
		switch state {
		case "dead":
			r.fault(p, "dead", Error, "it does not answer any more", "state: dead", 0, false)
		case "connecting", "resetting":
			r.fault(p, "lost", Warning, "it cannot be reached", "state: "+state, lostFor, false)
		}
	}
}
