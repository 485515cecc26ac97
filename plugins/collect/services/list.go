package services

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

var systemd = []string{"/run/systemd/system"} // sd_booted(3)

const (
	noSystemd = "systemd does not run this machine"
	unitTime  = 30 * time.Second
)

// properties are what is asked about every service. Environment and the
// command lines are not among them.
const properties = "--property=Id,Description,LoadState,ActiveState,SubState,Result,ExecMainStatus,ExecMainCode,ExecMainStartTimestamp,ExecMainExitTimestamp,MainPID,NRestarts,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload," +
	"User,Group,Type,Restart,TimeoutStartUSec,TimeoutStopUSec,LimitNOFILE,LimitNPROC,LimitCORE,MemoryCurrent,MemoryPeak,MemoryMax,MemoryHigh,TasksCurrent,TasksMax,CPUUsageNSec,CPUQuotaPerSecUSec,OOMPolicy,ControlGroup,Slice"

var list = recipe.List{
	Commands: []recipe.Command{
		{Name: "systemd/state.txt", Argv: []string{"systemctl", "is-system-running"}, If: systemd, Why: noSystemd},
		{Name: "systemd/failed.txt", Argv: []string{"systemctl", "status", "--state=failed", "--no-pager", "--full", "--lines=30"}, Timeout: unitTime, If: systemd, Why: noSystemd, Root: true},
		{Name: "systemd/services.txt", Argv: []string{"systemctl", "show", "--no-pager", properties, "*.service"}, Timeout: unitTime, If: systemd, Why: noSystemd},
		{Name: "systemd/unit-files.txt", Argv: []string{"systemctl", "list-unit-files", "--no-pager", "--full"}, Timeout: unitTime, If: systemd, Why: noSystemd},
		{Name: "systemd/timers.txt", Argv: []string{"systemctl", "list-timers", "--all", "--no-pager", "--full"}, If: systemd, Why: noSystemd},
		{Name: "systemd/sockets.txt", Argv: []string{"systemctl", "list-sockets", "--all", "--no-pager", "--full"}, If: systemd, Why: noSystemd},
		{Name: "systemd/jobs.txt", Argv: []string{"systemctl", "list-jobs", "--no-pager", "--full"}, If: systemd, Why: noSystemd},
		{Name: "systemd/dependencies.txt", Argv: []string{"systemctl", "list-dependencies", "--no-pager", "--plain"}, If: systemd, Why: noSystemd},
		{Name: "systemd/boot-time.txt", Argv: []string{"systemd-analyze", "blame", "--no-pager"}, If: systemd, Why: noSystemd},
		{Name: "systemd/critical-chain.txt", Argv: []string{"systemd-analyze", "critical-chain", "--no-pager"}, If: systemd, Why: noSystemd},
		{Name: "systemd/changed.txt", Argv: []string{"systemd-delta", "--no-pager", "--type=masked,overridden,extended,redirected", "--diff=false"}, If: systemd, Why: noSystemd},
		{Name: "systemd/boots.txt", Argv: []string{"journalctl", "--list-boots", "--no-pager", "--quiet"}, Timeout: unitTime, Root: true, If: systemd, Why: noSystemd},
		{Name: "cgroups/tree.txt", Argv: []string{"systemd-cgls", "--no-pager", "--full", "--all"}, Timeout: unitTime, Root: true, If: systemd, Why: noSystemd},
		{Name: "files/deleted.txt", Argv: []string{"lsof", "-n", "-P", "-w", "+L1"}, Timeout: unitTime, Root: true},
	},
	Paths: []string{
		"/sys/fs/cgroup/**", "/proc/*/status", "/proc/*/limits", "/proc/*/cgroup", "/proc/*/oom_score", "/proc/*/oom_score_adj", "/proc/*/environ", "/proc/*/fd/*",
		"/proc/*/wchan", "/proc/sys/fs/file-nr", "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max",
	},
	Files: []recipe.File{
		{Name: "files/file-nr", Path: "/proc/sys/fs/file-nr"},
		{Name: "processes/pid_max", Path: "/proc/sys/kernel/pid_max"},
		{Name: "processes/threads-max", Path: "/proc/sys/kernel/threads-max"},
	},
}
