package storage

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// pathTime is how long a command may take that waits for paths to answer.
const pathTime = 45 * time.Second

var list = recipe.List{
	Files: []recipe.File{
		{Name: "mounts/mountinfo", Path: "/proc/self/mountinfo"},
		{Name: "mounts/fstab", Path: "/etc/fstab", Config: true},
		{Name: "mounts/crypttab", Path: "/etc/crypttab", Config: true, Root: true},
		{Name: "mounts/exports", Path: "/etc/exports", Config: true},
		{Name: "mounts/nfs.conf", Path: "/etc/nfs.conf", Config: true},
		{Name: "mounts/nfs-client", Path: "/proc/1/net/rpc/nfs"},
		{Name: "mounts/nfs-server", Path: "/proc/1/net/rpc/nfsd"},
		{Name: "mounts/nfs-volumes", Path: "/proc/fs/nfsfs/volumes"},
		{Name: "lvm/lvm.conf", Path: "/etc/lvm/lvm.conf", Config: true},
		{Name: "multipath/multipath.conf", Path: "/etc/multipath.conf", Config: true, Root: true},
		{Name: "multipath/bindings", Path: "/etc/multipath/bindings", Root: true},
		{Name: "multipath/wwids", Path: "/etc/multipath/wwids", Root: true},
		{Name: "iscsi/initiatorname.iscsi", Path: "/etc/iscsi/initiatorname.iscsi", Root: true},
		{Name: "iscsi/iscsid.conf", Path: "/etc/iscsi/iscsid.conf", Config: true, Root: true},
		{Name: "nvme/hostnqn", Path: "/etc/nvme/hostnqn"},
		{Name: "nvme/hostid", Path: "/etc/nvme/hostid"},
		{Name: "nvme/discovery.conf", Path: "/etc/nvme/discovery.conf", Config: true},
		{Name: "scsi/scsi", Path: "/proc/scsi/scsi"},
		{Name: "md/mdstat", Path: "/proc/mdstat"},
		{Name: "md/mdadm.conf", Path: "/etc/mdadm/mdadm.conf", Config: true},
		{Name: "zfs/arcstats", Path: "/proc/spl/kstat/zfs/arcstats"},
	},
	Classes: []recipe.Class{
		{Name: "fc/hosts.txt", Dir: "/sys/class/fc_host", Attr: []string{
			"port_name", "node_name", "port_state", "port_type", "speed", "supported_speeds", "fabric_name", "symbolic_name", "dev_loss_tmo",
			"statistics/link_failure_count", "statistics/loss_of_signal_count", "statistics/loss_of_sync_count", "statistics/invalid_crc_count",
			"statistics/invalid_tx_word_count", "statistics/error_frames", "statistics/dumped_frames", "statistics/fcp_input_requests", "statistics/fcp_output_requests",
		}},
		{Name: "fc/remote-ports.txt", Dir: "/sys/class/fc_remote_ports", Attr: []string{"port_name", "node_name", "port_id", "port_state", "roles", "dev_loss_tmo", "fast_io_fail_tmo", "supported_classes"}},
		{Name: "fc/transports.txt", Dir: "/sys/class/fc_transport", Attr: []string{"port_name", "node_name", "port_id"}},
		{Name: "scsi/hosts.txt", Dir: "/sys/class/scsi_host", Attr: []string{
			"proc_name", "state", "model_name", "modelname", "model_desc", "modeldesc", "fw_version", "fwrev", "driver_version", "lpfc_drvr_version", "optrom_fw_version",
			"serial_num", "serialnum", "can_queue", "cmd_per_lun", "sg_tablesize", "host_busy", "unique_id", "link_state", "link_power_management_policy",
		}},
		{Name: "scsi/devices.txt", Dir: "/sys/class/scsi_device", Attr: []string{"device/vendor", "device/model", "device/rev", "device/state", "device/type", "device/queue_depth", "device/timeout", "device/access_state", "device/dh_state", "device/ioerr_cnt", "device/iodone_cnt", "device/iorequest_cnt", "device/wwid"}},
		{Name: "scsi/sas-hosts.txt", Dir: "/sys/class/sas_phy", Attr: []string{"sas_address", "negotiated_linkrate", "maximum_linkrate", "invalid_dword_count", "loss_of_dword_sync_count", "phy_reset_problem_count", "running_disparity_error_count"}},
		{Name: "iscsi/sessions.txt", Dir: "/sys/class/iscsi_session", Attr: []string{"targetname", "state", "recovery_tmo", "tpgt", "initiatorname", "ifacename", "erl", "abort_tmo", "lu_reset_tmo"}},
		{Name: "iscsi/connections.txt", Dir: "/sys/class/iscsi_connection", Attr: []string{"address", "port", "persistent_address", "persistent_port", "state", "header_digest", "data_digest", "ping_tmo", "recv_tmo"}},
		{Name: "iscsi/hosts.txt", Dir: "/sys/class/iscsi_host", Attr: []string{"initiatorname", "ipaddress", "hwaddress", "netdev", "port_state", "port_speed"}},
		{Name: "nvme/subsystems.txt", Dir: "/sys/class/nvme-subsystem", Attr: []string{"subsysnqn", "model", "serial", "firmware_rev", "iopolicy", "subsystype"}},
		{Name: "nvme/controllers.txt", Dir: "/sys/class/nvme", Attr: []string{"subsysnqn", "hostnqn", "transport", "address", "state", "ctrl_loss_tmo", "reconnect_delay", "fast_io_fail_tmo", "kato", "queue_count", "sqsize", "cntlid"}},
		{Name: "dm/devices.txt", Dir: "/sys/block", Only: "dm-", Attr: []string{"dm/name", "dm/uuid", "dm/suspended", "size", "ro", "queue/scheduler", "stat"}},
		{Name: "md/arrays.txt", Dir: "/sys/block", Only: "md", Attr: []string{"md/level", "md/array_state", "md/raid_disks", "md/degraded", "md/sync_action", "md/sync_completed", "md/mismatch_cnt", "md/metadata_version", "size"}},
		{Name: "btrfs/filesystems.txt", Dir: "/sys/fs/btrfs", Attr: []string{"label", "generation", "exclusive_operation", "allocation/data/bytes_used", "allocation/data/total_bytes", "allocation/metadata/bytes_used", "allocation/metadata/total_bytes"}},
		{Name: "ext4/filesystems.txt", Dir: "/sys/fs/ext4", Attr: []string{"errors_count", "warning_count", "first_error_time", "first_error_func", "last_error_time", "last_error_func", "lifetime_write_kbytes"}},
		{Name: "drbd/devices.txt", Dir: "/sys/block", Only: "drbd", Attr: []string{"size", "ro"}},
	},
	Commands: []recipe.Command{
		{Name: "lvm/lvs.json", Argv: []string{"lvs", "--all", "--options=lv_all,vg_name", "--units=b", "--reportformat=json", "--readonly"}, Timeout: pathTime, Root: true},
		{Name: "lvm/vgs.json", Argv: []string{"vgs", "--options=vg_all", "--units=b", "--reportformat=json", "--readonly"}, Timeout: pathTime, Root: true},
		{Name: "lvm/pvs.json", Argv: []string{"pvs", "--all", "--options=pv_all,vg_name", "--units=b", "--reportformat=json", "--readonly"}, Timeout: pathTime, Root: true},
		{Name: "dm/table.txt", Argv: []string{"dmsetup", "table"}, Root: true, If: mapper, Why: noMapper},
		{Name: "dm/status.txt", Argv: []string{"dmsetup", "status"}, Root: true, If: mapper, Why: noMapper},
		{Name: "dm/tree.txt", Argv: []string{"dmsetup", "ls", "--tree", "--options=ascii,device,active,open,uuid"}, Root: true, If: mapper, Why: noMapper},
		{Name: "multipath/topology.txt", Argv: []string{"multipath", "-ll"}, Timeout: pathTime, Root: true},
		{Name: "multipath/daemon.txt", Argv: []string{"multipathd", "show", "paths", "format", "%w %i %d %D %t %o %T %s %c"}, Root: true, If: []string{"/run/multipathd.pid", "/run/multipathd"}, Why: "multipathd does not run"},
		{Name: "multipath/config.txt", Argv: []string{"multipathd", "show", "config", "local"}, Root: true, Config: true, If: []string{"/run/multipathd.pid", "/run/multipathd"}, Why: "multipathd does not run"},
		{Name: "iscsi/session.txt", Argv: []string{"iscsiadm", "--mode=session", "--print=1"}, Root: true, If: []string{"/sys/class/iscsi_session"}, Why: "the kernel has no iSCSI loaded"},
		{Name: "iscsi/nodes.txt", Argv: []string{"iscsiadm", "--mode=node"}, Root: true},
		{Name: "iscsi/interfaces.txt", Argv: []string{"iscsiadm", "--mode=iface"}, Root: true},
		{Name: "iscsi/targetcli.txt", Argv: []string{"targetcli", "ls"}, Root: true, If: []string{"/sys/kernel/config/target"}, Why: "this machine is no iSCSI target"},
		{Name: "nvme/list-subsys.json", Argv: []string{"nvme", "list-subsys", "--output-format=json"}, Root: true},
		{Name: "scsi/lsscsi.txt", Argv: []string{"lsscsi", "--generic", "--long", "--list"}},
		{Name: "md/scan.txt", Argv: []string{"mdadm", "--detail", "--scan", "--verbose"}, Root: true, If: []string{"/proc/mdstat"}, Why: "the kernel has no software RAID loaded"},
		{Name: "zfs/status.txt", Argv: []string{"zpool", "status", "-v", "-P"}, Timeout: pathTime, Root: true, If: zfs, Why: noZFS},
		{Name: "zfs/pools.txt", Argv: []string{"zpool", "list", "-v", "-P"}, Timeout: pathTime, Root: true, If: zfs, Why: noZFS},
		{Name: "zfs/properties.txt", Argv: []string{"zpool", "get", "all"}, Timeout: pathTime, Root: true, If: zfs, Why: noZFS},
		{Name: "zfs/datasets.txt", Argv: []string{"zfs", "list", "-t", "filesystem,volume", "-o", "space"}, Timeout: pathTime, Root: true, If: zfs, Why: noZFS},
		{Name: "zfs/events.txt", Argv: []string{"zpool", "events"}, Timeout: pathTime, Root: true, If: zfs, Why: noZFS},
		{Name: "btrfs/show.txt", Argv: []string{"btrfs", "filesystem", "show", "--mounted"}, Timeout: pathTime, Root: true, If: []string{"/sys/fs/btrfs"}, Why: "the kernel has no Btrfs loaded"},
		{Name: "mounts/findmnt.json", Argv: []string{"findmnt", "--json", "--list", "--output=SOURCE,TARGET,FSTYPE,OPTIONS,PROPAGATION"}},
		{Name: "mounts/nfsstat.txt", Argv: []string{"nfsstat", "-m"}, If: []string{"/proc/net/rpc/nfs"}, Why: "no NFS is mounted"},
		{Name: "mounts/exports-active.txt", Argv: []string{"exportfs", "-v"}, Root: true, If: []string{"/proc/fs/nfsd"}, Why: "this machine is no NFS server"},
		{Name: "mounts/swap.txt", Argv: []string{"swapon", "--show", "--bytes"}},
		{Name: "drbd/status.txt", Argv: []string{"drbdsetup", "status", "--verbose", "--statistics"}, Root: true, If: []string{"/sys/module/drbd"}, Why: "the kernel has no DRBD loaded"},
		{Name: "pacemaker/status.txt", Argv: []string{"crm_mon", "--one-shot", "--inactive"}, Root: true, If: []string{"/run/crm"}, Why: "Pacemaker does not run"},
	},
	// The classes are links into the tree of devices.
	Paths: []string{"/sys/devices/**"},
}

var (
	mapper = []string{"/dev/mapper/control"}
	zfs    = []string{"/dev/zfs"}
)

const (
	noMapper = "the kernel has no device mapper loaded"
	noZFS    = "the kernel has no ZFS loaded"
)
