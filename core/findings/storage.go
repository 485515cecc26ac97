package findings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// noDisk are file systems that are full by nature.
var noDisk = map[string]bool{"squashfs": true, "iso9660": true, "udf": true, "erofs": true, "cramfs": true, "autofs": true, "devtmpfs": true}

// disks reads `df -PT`.
func disks(l *looker) bool {
	const file = "system/disks/df.txt"
	return l.lines(file, func(n int, line string) {
		f := strings.Fields(line)
		if len(f) < 7 || noDisk[f[1]] {
			return
		}
		used, err := strconv.Atoi(strings.TrimSuffix(f[5], "%"))
		free, err2 := strconv.ParseInt(f[4], 10, 64)
		if err != nil || err2 != nil {
			return
		}
		where := strings.Join(f[6:], " ")
		switch text := fmt.Sprintf("%s is %d %% full (%.1f GiB free)", where, used, gib(free<<10)); {
		case used >= 97:
			l.found(Critical, "disks", file, n, text, line)
		case used >= 90 && free < 20<<20:
			l.found(Warning, "disks", file, n, text, line)
		}
	})
}

// inodes reads `df -Pi`.
func inodes(l *looker) bool {
	const file = "system/disks/df-inodes.txt"
	return l.lines(file, func(n int, line string) {
		f := strings.Fields(line)
		if len(f) < 6 {
			return
		}
		used, err := strconv.Atoi(strings.TrimSuffix(f[4], "%"))
		if err != nil || used < 90 {
			return
		}
		s := Warning
		if used >= 98 {
			s = Critical
		}
		l.found(s, "inodes", file, n, fmt.Sprintf("%s has used %d %% of its inodes", strings.Join(f[5:], " "), used), line)
	})
}

var mdMembers = regexp.MustCompile(`\[[U_]*_[U_]*\]`)

// arrays reads software and hardware RAID.
func arrays(l *looker) bool {
	any := false
	if file, ok := l.first("storage/md/mdstat", "hardware/raid/mdstat"); ok {
		any = true
		name := ""
		l.lines(file, func(n int, line string) {
			if strings.HasPrefix(line, "md") {
				name, _, _ = strings.Cut(line, " ")
			}
			if mdMembers.MatchString(line) {
				l.found(Critical, "arrays", file, n, fmt.Sprintf("the array %s lacks a member", name), line)
			} else if strings.Contains(line, "recovery =") || strings.Contains(line, "resync =") {
				l.found(Notice, "arrays", file, n, fmt.Sprintf("the array %s is being rebuilt", name), line)
			}
		})
	}
	if file, ok := l.first("storage/zfs/status.txt"); ok {
		any = true
		pool := ""
		l.lines(file, func(n int, line string) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch {
			case key == "pool":
				pool = value
			case key == "state" && value != "ONLINE":
				l.found(Critical, "arrays", file, n, fmt.Sprintf("the ZFS pool %s is %s", pool, value), line)
			case key == "errors" && value != "No known data errors":
				l.found(Critical, "arrays", file, n, fmt.Sprintf("the ZFS pool %s: %s", pool, value))
			}
		})
	}
	return any
}

// smart reads smartctl's and nvme's own judgement.
func smart(l *looker) bool {
	any := false
	for _, file := range l.below("hardware/disks") {
		data, ok := l.small(file)
		if !ok || !strings.HasSuffix(file, ".json") {
			continue
		}
		var s struct {
			Device struct{ Name string }
			Status *struct{ Passed bool } `json:"smart_status"`
			ATA    struct {
				Table []struct {
					ID   int
					Name string
					Raw  struct{ Value int64 }
				}
			} `json:"ata_smart_attributes"`
			Critical *int64 `json:"critical_warning"` // nvme smart-log
			Used     *int64 `json:"percent_used"`
		}
		if json.Unmarshal(data, &s) != nil {
			continue
		}
		name := s.Device.Name
		if name == "" {
			name = strings.TrimSuffix(strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".json"), "-smart")
		}
		if s.Status != nil {
			any = true
			if !s.Status.Passed {
				l.found(Critical, "smart", file, 0, name+" says that it is failing (SMART)")
			}
		}
		for _, a := range s.ATA.Table {
			if (a.ID == 197 || a.ID == 198) && a.Raw.Value > 0 {
				l.found(Warning, "smart", file, 0, fmt.Sprintf("%s has %d sectors that cannot be read (%s)", name, a.Raw.Value, a.Name))
			}
		}
		if s.Critical != nil {
			any = true
			if *s.Critical != 0 {
				l.found(Critical, "smart", file, 0, fmt.Sprintf("%s raises the critical warning 0x%02x", name, *s.Critical))
			}
		}
		if s.Used != nil && *s.Used >= 90 {
			l.found(Warning, "smart", file, 0, fmt.Sprintf("%s is worn to %d %%", name, *s.Used))
		}
	}
	return any
}

// filesystems reads what ext4 remembers and what is mounted read-only after an
// error.
func filesystems(l *looker) bool {
	any := l.lines("storage/ext4/filesystems.txt", func(n int, line string) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			name, value, _ = strings.Cut(line, "=")
		}
		count, err := strconv.Atoi(strings.TrimSpace(value))
		if err == nil && count > 0 && strings.HasSuffix(strings.TrimSpace(name), "errors_count") {
			l.found(Critical, "file systems", "storage/ext4/filesystems.txt", n, fmt.Sprintf("ext4 counted %d errors", count), line)
		}
	})
	return l.lines("storage/mounts/mountinfo", func(n int, line string) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 {
			return
		}
		// Mounted read-write by the administrator, made read-only by the kernel.
		journaled := g[0] == "ext3" || g[0] == "ext4" || g[0] == "xfs" || g[0] == "btrfs"
		if journaled && strings.HasPrefix(f[5], "rw") && strings.HasPrefix(g[2], "ro") {
			l.found(Critical, "file systems", "storage/mounts/mountinfo", n, f[4]+" has become read-only", line)
		}
	}) || any
}

// multipaths reads `multipath -ll`.
func multipaths(l *looker) bool {
	const file = "storage/multipath/topology.txt"
	volume, bad := "", map[string]int{}
	return l.lines(file, func(n int, line string) {
		if strings.Contains(line, " dm-") && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "`") {
			volume, _, _ = strings.Cut(line, " ")
		}
		if strings.Contains(line, " failed ") || strings.Contains(line, " faulty ") {
			if bad[volume]++; bad[volume] == 1 {
				l.found(Critical, "paths", file, n, "the volume "+volume+" has lost paths", line)
			}
		}
	})
}
