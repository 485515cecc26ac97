package hardware

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// Times that devices may take to answer.
const (
	diskTime = 30 * time.Second // one that spins up, or fails
	ipmiTime = time.Minute      // a management controller answers line by line
)

var list = recipe.List{
	Files: []recipe.File{
		{Name: "memory/iomem", Path: "/proc/iomem", Root: true},
	},
	Classes: []recipe.Class{
		{Name: "firmware/dmi.txt", Dir: "/sys/class/dmi", Attr: []string{
			"sys_vendor", "product_name", "product_family", "product_version", "product_sku", "product_serial", "product_uuid",
			"board_vendor", "board_name", "board_version", "board_serial", "chassis_vendor", "chassis_type", "chassis_version",
			"chassis_serial", "bios_vendor", "bios_version", "bios_release", "bios_date", "ec_firmware_release",
		}},
		{Name: "cpu/microcode.txt", Dir: "/sys/devices/system/cpu", Only: "cpu0", Attr: []string{"microcode/version"}},
		{Name: "cpu/frequency.txt", Dir: "/sys/devices/system/cpu/cpufreq", Only: "policy", Attr: []string{"scaling_driver", "scaling_governor", "scaling_cur_freq", "scaling_min_freq", "scaling_max_freq"}},
		{Name: "memory/numa.txt", Dir: "/sys/devices/system/node", Only: "node", Attr: []string{"cpulist", "distance", "meminfo", "numastat"}},
		{Name: "memory/edac.txt", Dir: "/sys/devices/system/edac/mc", Only: "mc", Attr: []string{"mc_name", "size_mb", "ce_count", "ue_count", "ce_noinfo_count", "ue_noinfo_count", "seconds_since_reset"}},
		{Name: "pci/devices.txt", Dir: "/sys/bus/pci/devices", Attr: []string{
			"class", "vendor", "device", "subsystem_vendor", "subsystem_device", "revision", "numa_node", "irq", "enable",
			"current_link_speed", "current_link_width", "max_link_speed", "max_link_width", "aer_dev_correctable", "aer_dev_nonfatal", "aer_dev_fatal",
		}},
		{Name: "usb/devices.txt", Dir: "/sys/bus/usb/devices", Attr: []string{"idVendor", "idProduct", "manufacturer", "product", "speed", "bDeviceClass"}},
		{Name: "disks/block.txt", Dir: "/sys/block", Attr: []string{
			"device/vendor", "device/model", "device/rev", "device/firmware_rev", "device/state", "device/ioerr_cnt", "device/iotmo_cnt", "device/queue_depth", "device/timeout",
			"size", "ro", "removable", "queue/rotational", "queue/scheduler", "queue/nr_requests", "queue/logical_block_size", "queue/physical_block_size",
			"queue/write_cache", "queue/max_sectors_kb", "inflight", "stat",
		}},
		{Name: "disks/nvme.txt", Dir: "/sys/class/nvme", Attr: []string{"model", "serial", "firmware_rev", "state", "transport", "address", "numa_node", "queue_count"}},
		{Name: "sensors/thermal.txt", Dir: "/sys/class/thermal", Attr: []string{"type", "temp", "cur_state", "max_state"}},
		{Name: "power/supply.txt", Dir: "/sys/class/power_supply", Attr: []string{"type", "status", "online", "capacity", "health", "model_name"}},
		{Name: "tpm.txt", Dir: "/sys/class/tpm", Attr: []string{"tpm_version_major", "device/description"}},
		{Name: "infiniband.txt", Dir: "/sys/class/infiniband", Attr: []string{"fw_ver", "board_id", "hca_type", "node_type", "ports/1/state", "ports/1/phys_state", "ports/1/rate", "ports/2/state", "ports/2/phys_state", "ports/2/rate"}},
	},
	Commands: []recipe.Command{
		{Name: "cpu/lscpu.json", Argv: []string{"lscpu", "--json"}},
		{Name: "memory/lsmem.json", Argv: []string{"lsmem", "--json"}},
		{Name: "memory/ras-errors.txt", Argv: []string{"ras-mc-ctl", "--errors"}, Root: true},
		{Name: "memory/ras-summary.txt", Argv: []string{"ras-mc-ctl", "--summary"}, Root: true},
		{Name: "memory/mcelog.txt", Argv: []string{"mcelog", "--client"}, Root: true, If: []string{"/var/run/mcelog-client"}, Why: "mcelog does not run"},
		{Name: "pci/lspci.txt", Argv: []string{"lspci", "-mm", "-nn", "-D"}},
		{Name: "pci/lspci-drivers.txt", Argv: []string{"lspci", "-nn", "-k", "-D"}},
		{Name: "pci/lspci-verbose.txt", Argv: []string{"lspci", "-vv", "-nn", "-D"}, Timeout: diskTime, Root: true},
		{Name: "usb/lsusb.txt", Argv: []string{"lsusb"}},
		{Name: "firmware/dmidecode.txt", Argv: []string{"dmidecode"}, Root: true, If: []string{"/sys/firmware/dmi/tables/DMI"}, Why: "this machine has no DMI tables"},
		{Name: "disks/smart-scan.json", Argv: []string{"smartctl", "--json", "--scan"}, Root: true},
		{Name: "disks/nvme-list.json", Argv: []string{"nvme", "list", "--output-format=json"}, Root: true},
		{Name: "sensors/sensors.json", Argv: []string{"sensors", "-j"}},
		{Name: "bmc/sel.txt", Argv: []string{"ipmitool", "sel", "elist"}, Timeout: ipmiTime, Root: true, If: ipmiDevices, Why: noIPMI},
		{Name: "bmc/sensors.txt", Argv: []string{"ipmitool", "sdr", "elist"}, Timeout: ipmiTime, Root: true, If: ipmiDevices, Why: noIPMI},
		{Name: "bmc/fru.txt", Argv: []string{"ipmitool", "fru", "print"}, Timeout: ipmiTime, Root: true, If: ipmiDevices, Why: noIPMI},
		{Name: "bmc/chassis.txt", Argv: []string{"ipmitool", "chassis", "status"}, Timeout: ipmiTime, Root: true, If: ipmiDevices, Why: noIPMI},
		{Name: "raid/storcli.json", Argv: []string{"/opt/MegaRAID/storcli/storcli64", "/call", "show", "all", "J"}, Timeout: ipmiTime, Root: true},
		{Name: "raid/perccli.json", Argv: []string{"/opt/MegaRAID/perccli/perccli64", "/call", "show", "all", "J"}, Timeout: ipmiTime, Root: true},
		{Name: "raid/ssacli.txt", Argv: []string{"ssacli", "ctrl", "all", "show", "config", "detail"}, Timeout: ipmiTime, Root: true},
	},
	// The classes are links into the tree of devices.
	Paths: []string{"/sys/devices/**", "/sys/class/hwmon/**"},
}

var ipmiDevices = []string{"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"}

const noIPMI = "this machine has no management controller that the kernel knows"
