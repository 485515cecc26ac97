package kernel

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

var list = recipe.List{
	Files: []recipe.File{
		{Name: "version", Path: "/proc/version"},
		{Name: "cmdline", Path: "/proc/cmdline"},
		{Name: "pressure/cpu", Path: "/proc/pressure/cpu"},
		{Name: "pressure/io", Path: "/proc/pressure/io"},
		{Name: "pressure/memory", Path: "/proc/pressure/memory"},
		{Name: "pressure/irq", Path: "/proc/pressure/irq"},
		{Name: "memory/slabinfo", Path: "/proc/slabinfo", Root: true},
		{Name: "memory/zoneinfo", Path: "/proc/zoneinfo"},
		{Name: "memory/pagetypeinfo", Path: "/proc/pagetypeinfo", Root: true},
		{Name: "memory/transparent_hugepage", Path: "/sys/kernel/mm/transparent_hugepage/enabled"},
		{Name: "interrupts/softirqs", Path: "/proc/softirqs"},
		{Name: "locks", Path: "/proc/locks", Root: true},
		{Name: "crash/core_pattern", Path: "/proc/sys/kernel/core_pattern"},
		{Name: "crash/kexec_crash_loaded", Path: "/sys/kernel/kexec_crash_loaded"},
		{Name: "crash/kexec_crash_size", Path: "/sys/kernel/kexec_crash_size"},
		{Name: "crash/kdump.conf", Path: "/etc/kdump.conf", Config: true},
		{Name: "crash/kdump-tools", Path: "/etc/default/kdump-tools", Config: true},
		{Name: "security/lockdown", Path: "/sys/kernel/security/lockdown", Root: true},
		{Name: "security/lsm", Path: "/sys/kernel/security/lsm", Root: true},
		{Name: "modules/blacklist", Path: "/sys/module/module/parameters/blacklist"},
	},
	Classes: []recipe.Class{
		{Name: "security/vulnerabilities.txt", Dir: "/sys/devices/system/cpu", Only: "vulnerabilities", Attr: mitigations},
		{Name: "memory/hugepages.txt", Dir: "/sys/kernel/mm/hugepages", Attr: []string{"nr_hugepages", "free_hugepages", "surplus_hugepages", "resv_hugepages"}},
		{Name: "modules/details.txt", Dir: "/sys/module", Attr: []string{"version", "srcversion", "taint", "refcnt", "coresize"}},
	},
	Commands: []recipe.Command{
		{Name: "dmesg.txt", Argv: []string{"dmesg", "--decode", "--time-format=iso"}, Timeout: 30 * time.Second, Root: true},
		{Name: "modules/lsmod.txt", Argv: []string{"lsmod"}},
		{Name: "sysctl.txt", Argv: []string{"sysctl", "--all"}},
		{Name: "crash/coredumps.txt", Argv: []string{"coredumpctl", "list", "--no-pager", "--quiet"}, Root: true, If: []string{"/run/systemd/system"}, Why: "systemd does not run this machine"},
		{Name: "crash/kdump.txt", Argv: []string{"kdumpctl", "status"}, Root: true},
		{Name: "crash/kdump-config.txt", Argv: []string{"kdump-config", "status"}, Root: true},
		{Name: "boot/efi.txt", Argv: []string{"efibootmgr", "-v"}, Root: true, If: []string{"/sys/firmware/efi"}, Why: "this machine did not boot by EFI"},
		{Name: "boot/secure-boot.txt", Argv: []string{"mokutil", "--sb-state"}, Root: true, If: []string{"/sys/firmware/efi"}, Why: "this machine did not boot by EFI"},
		{Name: "boot/grub.txt", Argv: []string{"grubby", "--info=ALL"}, Root: true},
		{Name: "modules/dkms.txt", Argv: []string{"dkms", "status"}},
		{Name: "crash/livepatches.txt", Argv: []string{"kpatch", "list"}, Root: true},
	},
	Paths: []string{"/proc/sys/kernel/tainted", "/proc/modules", "/sys/module/**"},
}

// mitigations are the files in vulnerabilities, of kernels up to 6.17.
var mitigations = []string{
	"gather_data_sampling", "ghostwrite", "indirect_target_selection", "itlb_multihit", "l1tf", "mds", "meltdown", "mmio_stale_data", "old_microcode",
	"reg_file_data_sampling", "retbleed", "spec_rstack_overflow", "spec_store_bypass", "spectre_v1", "spectre_v2", "srbds", "tsa", "tsx_async_abort", "vmscape",
}

// boots lists the boots that the journal knows.
var boots = []string{"journalctl", "--list-boots", "--no-pager", "--quiet"}

// previous is what the kernel said before it was started anew.
var previous = recipe.Command{
	Name: "crash/previous-boot.txt", Root: true, Timeout: 30 * time.Second,
	Argv: []string{"journalctl", "--dmesg", "--boot=-1", "--no-pager", "--quiet", "--output=short-iso", "--lines=5000"},
}
