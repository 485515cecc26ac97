package hardware

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// tree of files as the kernel writes them, with a line end; "-> x" is a link.
func kernel(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		if to, link := strings.CutPrefix(text, "-> "); link {
			out[name] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
			continue
		}
		out[name] = &fstest.MapFile{Data: []byte(text + "\n"), Mode: 0o444}
	}
	return out
}

func merge(trees ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, t := range trees {
		for k, v := range t {
			out[k] = v
		}
	}
	return out
}

// mirror is a RAID 1 of two disks.
var mirror = map[string]string{
	"sys/block/md0/md/array_state":          "clean",
	"sys/block/md0/md/level":                "raid1",
	"sys/block/md0/md/raid_disks":           "2",
	"sys/block/md0/md/degraded":             "0",
	"sys/block/md0/md/sync_action":          "idle",
	"sys/block/md0/md/dev-sda1/state":       "in_sync",
	"sys/block/md0/md/dev-sda1/errors":      "0",
	"sys/block/md0/md/dev-sdb1/state":       "in_sync",
	"sys/block/md0/md/dev-sdb1/errors":      "0",
	"sys/block/md127/md/array_state":        "inactive", // a container of IMSM
	"sys/block/md127/md/raid_disks":         "0",
	"sys/block/sda/device/state":            "running",
	"sys/block/sda/removable":               "0",
	"sys/block/sdb/device/state":            "running",
	"sys/block/sdb/removable":               "0",
	"sys/block/nvme0n1/device/state":        "live",
	"sys/class/nvme/nvme0/state":            "live",
	"sys/block/loop0/size":                  "0",
	"sys/class/block/sda2/dev":              "8:2",
	"sys/dev/block/8:2":                     "-> ../../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2",
	"sys/fs/ext4/sda2/errors_count":         "0",
	"sys/fs/ext4/sda2/last_error_func":      "",
	"sys/fs/ext4/features/lazy_itable_init": "supported",
	"proc/1/mountinfo": "25 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n" +
		"26 25 0:5 / /proc rw,nosuid - proc proc rw\n" +
		"30 25 8:2 /srv/a /mnt/a ro,relatime - ext4 /dev/sda2 rw,errors=remount-ro\n" +
		"31 25 7:0 / /snap/core ro,nodev - squashfs /dev/loop0 ro",
}

// server has what servers have.
var server = map[string]string{
	"sys/devices/system/edac/mc/mc0/ce_count":            "3",
	"sys/devices/system/edac/mc/mc0/ue_count":            "0",
	"sys/devices/system/edac/mc/mc0/ce_noinfo_count":     "0",
	"sys/devices/system/edac/mc/mc0/ue_noinfo_count":     "0",
	"sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count": "3",
	"sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count": "0",
	"sys/devices/system/edac/mc/mc0/dimm0/dimm_label":    "CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
	"sys/devices/system/edac/mc/power/runtime_status":    "unsupported",
	"proc/interrupts":                                                         "           CPU0       CPU1\n   0:         36          0   IO-APIC    2-edge      timer\n MCE:          0          0   Machine check exceptions\n MCP:        120        120   Machine check polls",
	"sys/class/hwmon/hwmon0/name":                                             "coretemp",
	"sys/class/hwmon/hwmon0/device":                                           "-> ../../coretemp.0",
	"sys/class/hwmon/hwmon0/temp1_input":                                      "45000",
	"sys/class/hwmon/hwmon0/temp1_crit":                                       "100000",
	"sys/class/hwmon/hwmon0/temp1_crit_alarm":                                 "0",
	"sys/class/hwmon/hwmon0/temp1_label":                                      "Package id 0",
	"sys/class/hwmon/hwmon1/name":                                             "nvme",
	"sys/class/hwmon/hwmon1/device":                                           "-> ../../nvme0",
	"sys/class/hwmon/hwmon1/temp1_input":                                      "38850",
	"sys/class/hwmon/hwmon1/temp1_crit":                                       "84850",
	"sys/class/hwmon/hwmon1/temp1_alarm":                                      "0",
	"sys/class/hwmon/hwmon1/temp1_label":                                      "Composite",
	"sys/class/hwmon/hwmon2/name":                                             "nct6775",
	"sys/class/hwmon/hwmon2/device":                                           "-> ../../nct6775.656",
	"sys/class/hwmon/hwmon2/fan1_input":                                       "1200",
	"sys/class/hwmon/hwmon2/fan1_min":                                         "300",
	"sys/class/hwmon/hwmon2/fan1_alarm":                                       "0",
	"sys/class/hwmon/hwmon2/fan2_input":                                       "0", // nothing is plugged in
	"sys/class/hwmon/hwmon2/fan2_min":                                         "0",
	"sys/class/hwmon/hwmon2/fan2_alarm":                                       "1",
	"sys/class/hwmon/hwmon2/in1_input":                                        "1000",
	"sys/class/hwmon/hwmon2/in1_min":                                          "0",
	"sys/class/hwmon/hwmon2/in1_max":                                          "0",
	"sys/class/hwmon/hwmon2/in1_alarm":                                        "1", // of limits that nobody set
	"sys/class/hwmon/hwmon2/temp7_input":                                      "127000",
	"sys/class/hwmon/hwmon2/temp7_crit":                                       "100000", // nor a sensor here
	"sys/class/hwmon/hwmon3/name":                                             "pmbus",
	"sys/class/hwmon/hwmon3/device":                                           "-> ../../3-0058",
	"sys/class/hwmon/hwmon3/in1_label":                                        "vin",
	"sys/class/hwmon/hwmon3/in1_lcrit_alarm":                                  "0",
	"sys/class/hwmon/hwmon3/in1_crit_alarm":                                   "0",
	"sys/class/power_supply/AC/type":                                          "Mains",
	"sys/class/power_supply/AC/online":                                        "1",
	"sys/class/power_supply/hidpp_battery_0/type":                             "Battery",
	"sys/class/power_supply/hidpp_battery_0/scope":                            "Device",
	"sys/class/power_supply/hidpp_battery_0/health":                           "Dead",
	"sys/class/net/bonding_masters":                                           "bond0",
	"sys/class/net/bond0/bonding/slaves":                                      "eno1 eno2",
	"sys/class/net/eno1/flags":                                                "0x1843",
	"sys/class/net/eno1/bonding_slave/mii_status":                             "up",
	"sys/class/net/eno2/flags":                                                "0x1843",
	"sys/class/net/eno2/bonding_slave/mii_status":                             "up",
	"sys/class/fc_host/host7/port_state":                                      "Online",
	"sys/class/infiniband/mlx5_0/ports/1/state":                               "4: ACTIVE",
	"sys/class/iscsi_session/session1/state":                                  "LOGGED_IN",
	"sys/fs/btrfs/features/skinny_metadata":                                   "0",
	"sys/fs/btrfs/0ab1c2d3-0000-4000-8000-aabbccddeeff/devices/sdc1":          "-> ../../../../block/sdc/sdc1",
	"sys/fs/btrfs/0ab1c2d3-0000-4000-8000-aabbccddeeff/devinfo/1/error_stats": "write_errs 0\nread_errs 0\nflush_errs 0\ncorruption_errs 0\ngeneration_errs 0",
	"sys/fs/btrfs/0ab1c2d3-0000-4000-8000-aabbccddeeff/devinfo/1/missing":     "0",
	"proc/spl/kstat/zfs/tank/state":                                           "ONLINE",
}

// A machine that is well has no faults, whatever its sensors say of limits that
// nobody set. REQ F3
func TestWell(t *testing.T) {
	r := Look(kernel(merge(mirror, server)))
	for _, f := range r.Faults {
		if f.Name != "fan2 of nct6775" || !f.Lost { // a fan that nobody has seen turning
			t.Errorf("%+v", f)
		}
	}
	kinds := map[Kind]int{}
	for _, p := range r.Parts {
		kinds[p.Kind]++
	}
	want := map[Kind]int{Arrays: 1, Disks: 3, FileSystems: 3, Memory: 2, Processors: 1, Sensors: 6, Power: 1, Links: 5}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if r := Look(fstest.MapFS{}); len(r.Parts)+len(r.Faults)+len(r.Counts) > 0 {
		t.Errorf("of nothing: %+v", r)
	}
}

// REQ F3: what fails is seen, with what was read.
func TestFaults(t *testing.T) {
	const root = "25 1 8:2 / / "
	for name, test := range map[string]struct {
		change map[string]string
		want   []string // level, component: what (evidence)
	}{
		"a member of an array": {map[string]string{"sys/block/md0/md/degraded": "1", "sys/block/md0/md/dev-sdb1/state": "faulty"}, []string{
			"error array md0 (raid1): it lacks a member (degraded: 1 of 2 members, failed: sdb1)",
			"error array md0 (raid1): its member sdb1 has failed (dev-sdb1/state: faulty)"}},
		"a rebuild": {map[string]string{"sys/block/md0/md/degraded": "1", "sys/block/md0/md/sync_action": "recover"}, []string{
			"error array md0 (raid1): it lacks a member (degraded: 1 of 2 members, sync_action: recover)"}},
		"a striped array": {map[string]string{"sys/block/md0/md/array_state": "broken", "sys/block/md0/md/level": "raid0"}, []string{
			"critical array md0 (raid0): it has lost more members than it can bear (array_state: broken)"}},
		"a disk":             {map[string]string{"sys/block/sdb/device/state": "offline"}, []string{"error disk sdb: the kernel has taken it offline after errors (device/state: offline)"}},
		"a path":             {map[string]string{"sys/block/sdb/device/state": "transport-offline"}, []string{"warning disk sdb: the path to it is lost (device/state: transport-offline)"}},
		"a stick":            {map[string]string{"sys/block/sdb/device/state": "offline", "sys/block/sdb/removable": "1"}, nil},
		"a disk that waits":  {map[string]string{"sys/block/sdb/device/state": "blocked"}, nil},
		"NVMe":               {map[string]string{"sys/class/nvme/nvme0/state": "dead"}, []string{"error NVMe controller nvme0: it does not answer any more (state: dead)"}},
		"NVMe over a fabric": {map[string]string{"sys/class/nvme/nvme0/state": "connecting"}, []string{"warning NVMe controller nvme0: it cannot be reached (state: connecting)"}},
		"ext4 counts": {map[string]string{"sys/fs/ext4/sda2/errors_count": "12", "sys/fs/ext4/sda2/last_error_func": "ext4_lookup"}, []string{
			"error ext4 on sda2 at /: it has found errors in itself and needs a check (errors_count: 12, last in ext4_lookup)"}},
		"read-only after errors": {map[string]string{"proc/1/mountinfo": root + "rw,relatime - ext4 /dev/sda2 ro,errors=remount-ro"}, []string{
			"critical ext4 on sda2 at /: the kernel has stopped all writing to it after errors (mounted rw, is ro)"}},
		"read-only after errors, since Linux 6.15": {map[string]string{"proc/1/mountinfo": root + "rw,relatime - ext4 /dev/sda2 rw,errors=remount-ro,emergency_ro"}, []string{
			"critical ext4 on sda2 at /: the kernel has stopped all writing to it after errors (option emergency_ro)"}},
		"read-only on purpose": {map[string]string{"proc/1/mountinfo": root + "ro,relatime - ext4 /dev/sda2 ro\n26 25 8:2 /a /b rw - ext4 /dev/sda2 ro"}, nil},
		"read-only, and bound elsewhere": {map[string]string{"proc/1/mountinfo": root + "rw - ext4 /dev/sda2 ro\n26 25 8:2 /srv /secret/acme ro - ext4 /dev/sda2 ro"}, []string{
			"critical ext4 on sda2 at /: the kernel has stopped all writing to it after errors (mounted rw, is ro)"}},
		"a place of the customer": {map[string]string{"proc/1/mountinfo": "25 1 253:3 / /acme-payroll rw - xfs /dev/mapper/vg-acme ro", "sys/dev/block/253:3": "-> ../../devices/virtual/block/dm-3"}, []string{
			"critical xfs on dm-3: the kernel has stopped all writing to it after errors (mounted rw, is ro)"}},
		"btrfs": {map[string]string{"sys/fs/btrfs/0ab1c2d3-0000-4000-8000-aabbccddeeff/devinfo/1/error_stats": "write_errs 7\nread_errs 0\ncorruption_errs 2"}, []string{
			"error btrfs on sdc1, device 1: the device has errors (write_errs: 7, corruption_errs: 2)"}},
		"btrfs without a device": {map[string]string{"sys/fs/btrfs/0ab1c2d3-0000-4000-8000-aabbccddeeff/devinfo/1/missing": "1"}, []string{"error btrfs on sdc1, device 1: it lacks this device (missing: 1)"}},
		"ZFS":                    {map[string]string{"proc/spl/kstat/zfs/tank/state": "SUSPENDED"}, []string{"critical ZFS pool tank: it is not usable (state: SUSPENDED)"}},
		"heat": {map[string]string{"sys/class/hwmon/hwmon0/temp1_crit_alarm": "1", "sys/class/hwmon/hwmon0/temp1_input": "101000"}, []string{
			"critical Package id 0 of coretemp: its temperature is critical (101.0 C of 100.0 C)"}},
		"an alarm that stays":   {map[string]string{"sys/class/hwmon/hwmon0/temp1_crit_alarm": "1"}, nil},
		"a disk's heat":         {map[string]string{"sys/class/hwmon/hwmon1/temp1_input": "85850"}, []string{"critical Composite of nvme: its temperature is critical (85.8 C of 84.8 C)"}},
		"a fan":                 {map[string]string{"sys/class/hwmon/hwmon2/fan1_input": "0", "sys/class/hwmon/hwmon2/fan1_alarm": "1"}, []string{"error fan1 of nct6775: the fan stands still (0 RPM, alarm: 1) if it worked"}},
		"a fan that is told to": {map[string]string{"sys/class/hwmon/hwmon2/fan1_input": "0", "sys/class/hwmon/hwmon2/fan1_alarm": "1", "sys/class/hwmon/hwmon2/pwm1": "0"}, nil},
		"a voltage":             {map[string]string{"sys/class/hwmon/hwmon3/in1_lcrit_alarm": "1"}, []string{"error vin of pmbus: it is below its critical limit (in1_lcrit_alarm: 1)"}},
		"mains":                 {map[string]string{"sys/class/power_supply/AC/online": "0"}, []string{"warning power supply AC: it gives no power any more (online: 0) if it worked"}},
		"a link of a bond":      {map[string]string{"sys/class/net/eno2/bonding_slave/mii_status": "down"}, []string{"warning interface eno2 of bond0: its link is lost (mii_status: down) if it worked"}},
		"a link that is shut":   {map[string]string{"sys/class/net/eno2/bonding_slave/mii_status": "down", "sys/class/net/eno2/flags": "0x1802"}, nil},
		"FC":                    {map[string]string{"sys/class/fc_host/host7/port_state": "Linkdown"}, []string{"warning FC port host7: its link is lost (port_state: Linkdown) if it worked"}},
		"InfiniBand":            {map[string]string{"sys/class/infiniband/mlx5_0/ports/1/state": "1: DOWN"}, []string{"warning InfiniBand port mlx5_0/1: its link is lost (state: 1: DOWN) if it worked"}},
		"iSCSI":                 {map[string]string{"sys/class/iscsi_session/session1/state": "FAILED"}, []string{"warning iSCSI session1: the target cannot be reached (state: FAILED) if it worked"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := merge(mirror, server, test.change)
			delete(tree, "sys/class/hwmon/hwmon2/fan2_alarm")
			if m := test.change["proc/1/mountinfo"]; m != "" && !strings.Contains(m, " / / ") {
				delete(tree, "sys/fs/ext4/sda2/errors_count")
			}
			var got []string
			for _, f := range Look(kernel(tree)).Faults {
				line := fmt.Sprintf("%s %s: %s (%s)", f.Level, f.Name, f.What, f.Evidence)
				if f.Lost {
					line += " if it worked"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Names of hosts, serial numbers and mount points of the customer's are not in
// what goes out, and what firmware calls things cannot forge anything.
func TestNothingForeignInTexts(t *testing.T) {
	tree := merge(mirror, server, map[string]string{
		"sys/class/hwmon/hwmon0/name":                     "core\x1b[2Jtemp\r\nSubject: x",
		"sys/class/hwmon/hwmon0/temp1_label":              strings.Repeat("é\u202e<b>{text}", 50),
		"sys/class/hwmon/hwmon0/temp1_input":              "120000",
		"sys/class/hwmon/hwmon0/temp1_crit_alarm":         "1",
		"sys/devices/system/edac/mc/mc0/dimm0/dimm_label": "\"]; drop",
		"sys/block/md0/md/dev-sdb1/state":                 "faulty,\x00\x07",
		"sys/block/sd;x/device/state":                     "offline",
	})
	r := Look(kernel(tree))
	if len(r.Faults) != 3 {
		t.Errorf("%d faults: %+v", len(r.Faults), r.Faults)
	}
	proper(t, r)
}

func proper(t *testing.T, r Reading) {
	t.Helper()
	var texts []string
	for _, p := range r.Parts {
		texts = append(texts, p.Name)
	}
	for _, f := range r.Faults {
		texts = append(texts, f.What, f.Evidence, f.Name)
	}
	for _, c := range r.Counts {
		texts = append(texts, c.What, c.Evidence, c.Name)
	}
	for _, s := range texts {
		if len(s) > 2400 || s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune("\"<>{}[];\\'`$", r) }) {
			t.Errorf("%q", s)
		}
	}
	if len(r.Parts) > maxParts || len(r.Faults) > maxFaults || len(r.Counts) > maxParts {
		t.Errorf("%d parts, %d faults", len(r.Parts), len(r.Faults))
	}
}

// onDisk writes a tree to read it as the machine's is read.
func onDisk(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, link := strings.CutPrefix(text, "-> "); link {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(text+"\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The same from files and links of a disk; and the machine that this runs on can
// be read.
func TestFromDisk(t *testing.T) {
	files := merge(mirror, server, map[string]string{"sys/block/sdb/device/state": "offline"})
	if diff := cmp.Diff(Look(kernel(files)), Look(os.DirFS(onDisk(t, files)))); diff != "" {
		t.Error(diff)
	}
	proper(t, Look(os.DirFS("/")))
}

// FuzzLook gives every file of a machine foreign content.
func FuzzLook(f *testing.F) {
	for _, s := range []string{"1", "faulty,write_error", "-1", "18446744073709551616", "0: DOWN", "a - b", "1 2 8:2 / / rw - ext4 /dev/x ro", "MCE: 18446744073709551615 1", "../../../etc", "write_errs 1", "\x00\xff", "bond0 ../x eno1"} {
		f.Add(s, "offline")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		tree := fstest.MapFS{}
		i := 0
		for name, text := range merge(mirror, server) {
			if strings.HasPrefix(text, "-> ") {
				tree[name] = &fstest.MapFile{Data: []byte(text[3:]), Mode: fs.ModeSymlink | 0o777}
				continue
			}
			tree[name] = &fstest.MapFile{Data: []byte(map[bool]string{true: a, false: b}[i%2 == 0])}
			i++
		}
		proper(t, Look(tree))
	})
}

// FuzzMounts and what else is more than one word.
func FuzzMounts(f *testing.F) {
	f.Add(mirror["proc/1/mountinfo"])
	f.Add(server["proc/interrupts"])
	f.Fuzz(func(t *testing.T, s string) {
		for _, m := range parseMounts(s) {
			if m.device == "" || len(m.own) == 0 || len(m.super) == 0 {
				t.Errorf("%+v", m)
			}
		}
		exceptions(s)
		deviceErrors(s)
		if c := clean(s); len(c) > maxText || strings.ContainsAny(c, "\n\r\x00\"") {
			t.Errorf("%q", c)
		}
	})
}

// large is a server with sixty disks in arrays, 32 modules, 200 sensors.
func large() map[string]string {
	files := merge(mirror, server)
	for i := range 60 {
		d := fmt.Sprintf("sd%c%c", 'a'+i/26, 'a'+i%26)
		files["sys/block/"+d+"/device/state"], files["sys/block/"+d+"/removable"] = "running", "0"
		files["sys/block/md1/md/dev-"+d+"/state"], files["sys/block/md1/md/dev-"+d+"/errors"] = "in_sync", "0"
	}
	files["sys/block/md1/md/array_state"], files["sys/block/md1/md/degraded"] = "active", "0"
	for i := range 32 {
		dir := fmt.Sprintf("sys/devices/system/edac/mc/mc1/dimm%d/", i)
		files[dir+"dimm_ce_count"], files[dir+"dimm_ue_count"], files[dir+"dimm_label"] = "0", "0", fmt.Sprint("DIMM", i)
	}
	for i := range 200 {
		at := fmt.Sprintf("sys/class/hwmon/hwmon9/temp%d_", i+1)
		files[at+"input"], files[at+"crit"], files[at+"crit_alarm"] = "40000", "100000", "0"
	}
	files["sys/class/hwmon/hwmon9/name"] = "coretemp"
	return files
}

func BenchmarkLook(b *testing.B) {
	for name, root := range map[string]fs.FS{"machine": os.DirFS("/"), "large": os.DirFS(onDisk(b, large()))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Look(root)
			}
		})
	}
}
