package hardware

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// device is major:minor.
var device = regexp.MustCompile(`^[0-9]{1,5}:[0-9]{1,8}$`)

// places are mount points that say nothing about whose machine it is.
var places = []string{"/", "/boot", "/boot/efi", "/data", "/home", "/opt", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/log", "/var/tmp"}

// journaled file systems become read-only, or shut down, after errors.
var journaled = []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs"}

// mount is a line of mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	device, root, point, kind, source string
	own, super                        []string // options of the mount, and of the file system
}

func parseMounts(text string) (out []mount) {
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 {
			continue
		}
		out = append(out, mount{device: f[2], root: f[3], point: f[4], kind: g[0], source: g[1], own: strings.Split(f[5], ","), super: strings.Split(g[2], ",")})
		if len(out) == maxEntries {
			break
		}
	}
	return out
}

func fileSystems(t tree, r *Reading) {
	mounts := t.read(maxProc, "proc/1/mountinfo") // that of the machine, not of a unit with a view of its own
	if mounts == "" {
		mounts = t.read(maxProc, "proc/self/mountinfo")
	}
	all := parseMounts(mounts)
	mounted(t, r, all)
	for _, name := range t.names("sys/fs/ext4") {
		n, ok := t.counter("sys/fs/ext4", name, "errors_count")
		if !ok {
			continue // "features" is no file system
		}
		number := t.attr("sys/class/block", name, "dev")
		p := Part{ID: "ext4/" + name, Kind: FileSystems, Name: "ext4 on " + name + where(all, number)}
		if device.MatchString(number) {
			p.ID = "fs/" + number // it is mounted, too
		}
		r.part(p)
		if n > 0 {
			evidence := fmt.Sprintf("errors_count: %d", n)
			if at := clean(t.attr("sys/fs/ext4", name, "last_error_func")); at != "" {
				evidence += ", last in " + at
			}
			r.fault(p, "errors", Error, "it has found errors in itself and needs a check", evidence, 0, false)
		}
	}
	btrfs(t, r)
	const zfs = "proc/spl/kstat/zfs"
	for _, pool := range t.names(zfs) {
		state := t.attr(zfs, pool, "state")
		if state == "" {
			continue
		}
		p := Part{ID: "zfs/" + pool, Kind: FileSystems, Name: "ZFS pool " + clean(pool)}
		r.part(p)
		switch state {
		case "DEGRADED":
			r.fault(p, "degraded", Error, "it is degraded", "state: DEGRADED", 0, false)
		case "FAULTED", "SUSPENDED", "UNAVAIL":
			r.fault(p, "failed", Critical, "it is not usable", "state: "+state, 0, false)
		}
	}
}

// where is the mount point of a device, if it is a common one.
func where(all []mount, device string) string {
	for _, m := range all {
		if m.device == device && slices.Contains(places, m.point) {
			return " at " + m.point
		}
	}
	return ""
}

// mounted finds file systems that were mounted to be written and that the kernel
// has made read-only or shut down. One that somebody has remounted is read-only
// in its mount, too.
func mounted(t tree, r *Reading, all []mount) {
	seen := map[string]*struct{ written, meant bool }{}
	for _, m := range all {
		s := seen[m.device]
		if s == nil {
			s = new(struct{ written, meant bool })
			seen[m.device] = s
		}
		s.written = s.written || slices.Contains(m.own, "rw")
		s.meant = s.meant || m.root == "/" && slices.Contains(m.own, "ro")
	}
	for _, m := range all {
		if !slices.Contains(journaled, m.kind) || !device.MatchString(m.device) {
			continue
		}
		name := "on device " + m.device
		if d, ok := strings.CutPrefix(m.source, "/dev/"); ok && entry.MatchString(d) {
			name = "on " + d
		}
		if d := t.target("sys/dev/block", m.device); d != "" {
			name = "on " + d
		}
		p := Part{ID: "fs/" + m.device, Kind: FileSystems, Name: m.kind + " " + name + where(all, m.device)}
		r.part(p)
		s := seen[m.device]
		for _, o := range []string{"shutdown", "emergency_ro"} {
			if slices.Contains(m.super, o) {
				r.fault(p, "stopped", Critical, "the kernel has stopped all writing to it after errors", "option "+o, 0, false)
			}
		}
		if slices.Contains(m.super, "ro") && s.written && !s.meant {
			r.fault(p, "stopped", Critical, "the kernel has stopped all writing to it after errors", "mounted rw, is ro", 0, false)
		}
	}
}

// btrfs reads what file systems remember of the errors of their devices, until
// somebody resets it.
func btrfs(t tree, r *Reading) {
	const dir = "sys/fs/btrfs"
	for _, id := range t.names(dir) {
		devices := t.names(dir, id, "devices")
		infos := t.names(dir, id, "devinfo")
		if len(infos) == 0 {
			continue
		}
		name := "btrfs"
		if len(devices) > 0 {
			name += " on " + devices[0]
		}
		for _, n := range infos {
			p := Part{ID: "btrfs/" + id + "/" + n, Kind: FileSystems, Name: name + ", device " + n}
			r.part(p)
			if t.set(dir, id, "devinfo", n, "missing") {
				r.fault(p, "missing", Error, "it lacks this device", "missing: 1", 0, false)
			}
			if said := deviceErrors(t.attr(dir, id, "devinfo", n, "error_stats")); said != "" {
				r.fault(p, "errors", Error, "the device has errors", said, 0, false)
			}
		}
	}
}

// deviceErrors are the counters that are not zero.
func deviceErrors(stats string) string {
	var out []string
	for line := range strings.Lines(stats) {
		f := strings.Fields(line)
		if len(f) != 2 || !strings.HasSuffix(f[0], "_errs") || len(out) == 8 {
			continue
		}
		if n, err := strconv.ParseUint(f[1], 10, 64); err == nil && n > 0 {
			out = append(out, fmt.Sprintf("%s: %d", clean(f[0]), n))
		}
	}
	return strings.Join(out, ", ")
}
