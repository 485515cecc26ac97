package hardware

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/recorded"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return New() }, plugintest.Options{Commands: recorded.Commands(t, "testdata/commands.txtar")})
}

// server is a machine as sysfs shows it.
var server = map[string]string{
	"/sys/class/dmi/id/sys_vendor":                "ACME\n",
	"/sys/class/dmi/id/product_serial":            "CZ1234\n",
	"/sys/block/sda/device/model":                 "ST4000NM0035\n",
	"/sys/block/sda/queue/rotational":             "1\n",
	"/sys/block/nvme0n1/queue/rotational":         "0\n",
	"/sys/block/loop0/size":                       "0\n",
	"/sys/block/sda --smart=off/size":             "0\n",
	"/sys/class/nvme/nvme0/state":                 "live\n",
	"/sys/class/hwmon/hwmon0/name":                "coretemp\n",
	"/sys/class/hwmon/hwmon0/temp2_input":         "45000\n",
	"/sys/class/hwmon/hwmon0/temp2_label":         "Core 0\n",
	"/sys/class/hwmon/hwmon0/temp2_crit":          "100000\n",
	"/sys/class/hwmon/hwmon0/temp2_max":           "80000\n",
	"/sys/class/hwmon/hwmon0/fan1_input":          "0\n",
	"/sys/class/hwmon/hwmon0/fan1_alarm":          "1\n",
	"/sys/class/hwmon/hwmon0/in0_input":           "broken\n",
	"/sys/devices/system/edac/mc/mc0/ce_count":    "12\n",
	"/sys/devices/system/edac/mc/mc0/ue_count":    "0\n",
	"/sys/devices/system/edac/mc/power/ce_count":  "1\n",
	"/sys/bus/pci/devices/0000:00:17.0/vendor":    "0x8086\n",
	"/sys/bus/pci/devices/0000:00:17.0/numa_node": "0\n",
}

func TestServer(t *testing.T) {
	s := recorded.Server(t, New(), server)
	for name, want := range map[string]string{
		"firmware/dmi.txt":     "id/sys_vendor: ACME\nid/product_serial: CZ1234\n",
		"memory/edac.txt":      "mc0/ce_count: 12\nmc0/ue_count: 0\n",
		"disks/nvme.txt":       "nvme0/state: live\n",
		"pci/devices.txt":      "0000:00:17.0/vendor: 0x8086\n0000:00:17.0/numa_node: 0\n",
		"sensors/hwmon.txt":    "hwmon0 coretemp: fan1 0 RPM ALARM\nhwmon0 coretemp: in0 no reading V\nhwmon0 coretemp: Core 0 45.0 C (max 80.0, crit 100.0)\n",
		"disks/nvme-list.json": s.Commands["nvme list --output-format=json"],
	} {
		if g := s.Find(name); g.Text != want || g.Failed != "" {
			t.Errorf("%s: %q, failed %q", name, g.Text, g.Failed)
		}
	}
	var disk struct {
		Status struct{ Passed bool } `json:"smart_status"`
	}
	if err := json.Unmarshal([]byte(s.Find("disks/smart/sda.json").Text), &disk); err != nil || disk.Status.Passed {
		t.Errorf("the failing disk: %v, %+v", err, disk)
	}
	for _, name := range []string{"disks/smart/nvme0n1.json", "disks/nvme/nvme0-errors.json", "bmc/sel.txt", "sensors/thermal.txt"} {
		if g := s.Find(name); g.Absent == "" {
			t.Errorf("%s is not absent: %+v", name, g)
		}
	}
	for _, name := range s.Order {
		if strings.Contains(name, "loop0") || strings.Contains(name, "smart=off") {
			t.Errorf("%s: no disk has that name", name)
		}
	}
}

// A machine without any of it has absent items and no failed ones.
func TestBareMachine(t *testing.T) { recorded.Bare(t, New()) }

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if g := s.Find("disks/block.txt"); g.Absent == "" && !strings.Contains(g.Text, "queue/rotational: ") {
		t.Errorf("%+v", g)
	}
}

func TestOnlyQuestionsAreDeclared(t *testing.T) {
	n := New().Needs()
	for _, bad := range [][]string{{"smartctl", "--smart=off", "/dev/sda"}, {"smartctl", "--json", "--xall", "--smart=off", "/dev/sda"}, {"nvme", "format", "/dev/nvme0"}, {"ipmitool", "chassis", "power", "off"}} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
	if n.Path("/dev/sda") || n.Path("/etc/passwd") {
		t.Error("more is declared than is read")
	}
}
