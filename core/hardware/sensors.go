package hardware

import (
	"fmt"
	"regexp"
	"time"
)

// maxSensors bounds the readings of one chip.
const maxSensors = 256

// Bounds of what a temperature can be, in thousandths of a degree: sensors with
// nothing at the other end show whatever.
const (
	leastLimit = 30_000
	mostLimit  = 150_000
	mostHeat   = 125_000
)

// hot is how long a temperature must last to be told.
const hot = 30 * time.Second

var sensorFile = regexp.MustCompile(`^((temp|fan|in|curr|power)[0-9]{1,3})_(crit|crit_alarm|emergency_alarm|lcrit_alarm|fault|alarm|min_alarm)$`)

// sensors reads chips (Documentation/hwmon/sysfs-interface.rst). Alarms of
// limits that nobody may ever have set (min, max) do not count: boards are full
// of them.
func sensors(t tree, r *Reading) {
	const dir = "sys/class/hwmon"
	for _, chip := range t.names(dir) {
		at := dir + "/" + chip
		name := clean(t.attr(at, "name"))
		if name == "" || name == "drivetemp" { // to ask that keeps disks awake
			continue
		}
		// The number of a chip may be another after a restart, its device is not.
		id := "hwmon/" + name + "/" + chip
		device := t.target(at, "device")
		if device != "" {
			id = "hwmon/" + name + "/" + device
		}
		files := map[string]map[string]bool{}
		var order []string
		for _, f := range t.names(at) {
			m := sensorFile.FindStringSubmatch(f)
			if m == nil {
				continue
			}
			if files[m[1]] == nil {
				if len(order) == maxSensors {
					break
				}
				files[m[1]] = map[string]bool{}
				order = append(order, m[1])
			}
			files[m[1]][m[3]] = true
		}
		for _, s := range order {
			label := clean(t.attr(at, s+"_label"))
			if label == "" {
				label = s
			}
			p := Part{ID: id + "/" + s, Kind: Sensors, Name: label + " of " + name, Boot: device == ""}
			switch sensorFile.FindStringSubmatch(s + "_alarm")[2] {
			case "temp":
				temperature(t, r, p, at+"/"+s, files[s])
			case "fan":
				fan(t, r, p, at, s, files[s])
			default:
				if !files[s]["crit_alarm"] && !files[s]["lcrit_alarm"] {
					continue
				}
				r.part(p)
				for _, a := range []string{"crit_alarm", "lcrit_alarm"} {
					if files[s][a] && t.set(at, s+"_"+a) {
						r.fault(p, a, Error, map[string]string{"crit_alarm": "it is above its critical limit", "lcrit_alarm": "it is below its critical limit"}[a], s+"_"+a+": 1", hot, false)
					}
				}
			}
		}
	}
}

// temperature is critical when it is at the critical limit. The alarm of the chip
// says when to look, where it has one: with some it stays after the heat is gone.
func temperature(t tree, r *Reading, p Part, path string, has map[string]bool) {
	if !has["crit"] && !has["crit_alarm"] && !has["emergency_alarm"] {
		return
	}
	r.part(p)
	alarm := has["crit_alarm"] && t.set(path+"_crit_alarm") || has["emergency_alarm"] && t.set(path+"_emergency_alarm")
	if has["crit_alarm"] && !alarm {
		return
	}
	limit, ok := t.number(path + "_crit")
	is, ok2 := t.number(path + "_input")
	if !ok || !ok2 || limit < leastLimit || limit > mostLimit {
		if alarm && !ok {
			r.fault(p, "hot", Critical, "its temperature is critical", "critical alarm: 1", hot, false)
		}
		return
	}
	if is >= limit && is <= max(mostHeat, limit) {
		r.fault(p, "hot", Critical, "its temperature is critical", fmt.Sprintf("%.1f C of %.1f C", float64(is)/1000, float64(limit)/1000), hot, false)
	}
}

// fan stands still when the chip says so and it was seen turning, and nobody has
// told it to stop.
func fan(t tree, r *Reading, p Part, dir, s string, has map[string]bool) {
	if !has["alarm"] && !has["min_alarm"] && !has["fault"] {
		return
	}
	speed, ok := t.number(dir, s+"_input")
	p.Well = ok && speed > 0
	r.part(p)
	if has["fault"] && t.set(dir, s+"_fault") {
		r.fault(p, "fault", Error, "the fan is broken", s+"_fault: 1", hot, true)
		return
	}
	alarm := has["alarm"] && t.set(dir, s+"_alarm") || has["min_alarm"] && t.set(dir, s+"_min_alarm")
	if !ok || speed != 0 || !alarm {
		return
	}
	if pwm, ok := t.number(dir, "pwm"+s[len("fan"):]); ok && pwm == 0 {
		return
	}
	r.fault(p, "stopped", Error, "the fan stands still", "0 RPM, alarm: 1", hot, true)
}
