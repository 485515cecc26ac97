package hardware

import "slices"

// broken are what a power supply or battery says of its health when it has failed
// (Documentation/ABI/testing/sysfs-class-power).
var broken = []string{"Dead", "Overheat", "Over voltage", "Under voltage", "Unspecified failure", "Over current"}

// powerSupplies reads mains and batteries. Redundant supplies of servers are
// mostly known to the management controller alone; those on PMBus are sensors.
func powerSupplies(t tree, r *Reading) {
	const dir = "sys/class/power_supply"
	for _, name := range t.names(dir) {
		// Batteries of mice and the like belong to devices.
		if t.attr(dir, name, "scope") == "Device" {
			continue
		}
		kind, online := t.attr(dir, name, "type"), t.attr(dir, name, "online")
		health := t.attr(dir, name, "health")
		if kind != "Mains" && kind != "UPS" && health == "" {
			continue
		}
		p := Part{ID: "power/" + name, Kind: Power, Name: "power supply " + clean(name), Well: online == "1" || health == "Good"}
		r.part(p)
		if slices.Contains(broken, health) {
			r.fault(p, "health", Error, "it has failed", "health: "+health, hot, false)
		}
		if (kind == "Mains" || kind == "UPS") && online == "0" {
			r.fault(p, "off", Warning, "it gives no power any more", "online: 0", hot, true)
		}
	}
}
