package findings

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	maxShapes = 20000 // kinds of error lines that are told apart
	topErrors = 20
)

// event is a line of a log that is a finding by itself.
type event struct {
	check string
	s     Severity
	words []string // any of them
	text  string   // with %d for how often
}

var events = []event{
	{"memory", Critical, []string{"Out of memory: Kill", "oom-kill:", "Memory cgroup out of memory"}, "memory ran out, and the kernel killed a process (%d lines)"},
	{"kernel", Critical, []string{"Kernel panic", "BUG: unable to handle", "general protection fault", "kernel BUG at"}, "the kernel crashed (%d lines)"},
	{"kernel", Critical, []string{"blocked for more than", "soft lockup", "hard LOCKUP", "rcu_sched self-detected stall"}, "tasks or processors hung (%d lines)"},
	{"hardware", Critical, []string{"Machine check events logged", "Hardware Error", "EDAC MC", "Uncorrected error"}, "the hardware reported errors (%d lines)"},
	{"disks", Critical, []string{"I/O error, dev", "blk_update_request: I/O error", "critical medium error", "Buffer I/O error on"}, "disks returned I/O errors (%d lines)"},
	{"file systems", Critical, []string{"EXT4-fs error", "XFS (", "BTRFS error", "Remounting filesystem read-only"}, "a file system has errors (%d lines)"},
	{"disks", Critical, []string{"No space left on device"}, "something could not be written: no space left (%d lines)"},
	{"processes", Warning, []string{"segfault at", "dumped core", "core-dump"}, "programs crashed (%d lines)"},
	{"files", Warning, []string{"Too many open files"}, "a program ran out of file descriptors (%d lines)"},
	{"network", Warning, []string{"NIC Link is Down", "link is not ready", "carrier lost", "Link is Down"}, "a network link went down (%d lines)"},
	{"network", Warning, []string{"nf_conntrack: table full", "neighbour: arp_cache: neighbor table overflow"}, "a table of the network is full (%d lines)"},
	{"logins", Notice, []string{"Failed password for", "authentication failure;"}, "logins failed (%d lines)"},
}

// notXFS is what makes an XFS line an error.
var xfsTrouble = regexp.MustCompile(`XFS \([^)]*\): .*(?i:error|corrupt|shutdown|shut down)`)

var (
	errorWord = regexp.MustCompile(`(?i)\b(error|failed|failure|fatal|critical|panic|exception|cannot|unable to|denied|timed out|timeout|refused)\b`)
	stamp     = regexp.MustCompile(`^(?:<\d+>|\w+\s*:\w+\s*: )?(?:\[\s*\d+\.\d+\]\s*|\w{3}\s+\d+ [\d:]+(?:\.\d+)? \S+ |\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)? )`)
	numbers   = regexp.MustCompile(`0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|\d+`)
)

type hit struct {
	count, line int
	file        string
	detail      []string
}

// readLogs reads the kernel's messages and every log once.
func readLogs(l *looker) bool {
	var files []string
	for _, n := range l.names {
		if strings.HasPrefix(n, "logs/") && n != "logs/index.txt" || n == "kernel/dmesg.txt" {
			files = append(files, n)
		}
	}
	if !slices.Contains(files, "kernel/dmesg.txt") {
		if n, ok := l.first("system/kernel/dmesg.txt"); ok {
			files = append(files, n)
		}
	}
	hits := make([]hit, len(events))
	shapes := map[string]*Errors{}
	for _, file := range files {
		// Lists of packages have their names full of such words.
		packages := strings.Contains(file, "/apt/") || strings.Contains(file, "/dpkg")
		l.lines(file, func(n int, line string) {
			for i, e := range events {
				if !matches(e, line) {
					continue
				}
				h := &hits[i]
				if h.count++; h.count == 1 {
					h.file, h.line = file, n
				}
				if len(h.detail) < 3 {
					h.detail = append(h.detail, line)
				}
				break
			}
			if !packages && errorWord.MatchString(line) && !strings.Contains(line, "ommand line: ") {
				count(shapes, file, n, line)
			}
		})
	}
	for i, h := range hits {
		if h.count > 0 {
			l.found(events[i].s, events[i].check, h.file, h.line, fmt.Sprintf(events[i].text, h.count), h.detail...)
		}
	}
	for _, e := range shapes {
		l.r.Errors = append(l.r.Errors, *e)
	}
	slices.SortFunc(l.r.Errors, func(a, b Errors) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Shape, b.Shape))
	})
	l.r.Errors = l.r.Errors[:min(len(l.r.Errors), topErrors)]
	return len(files) > 0
}

func matches(e event, line string) bool {
	for _, w := range e.words {
		if strings.Contains(line, w) && (w != "XFS (" || xfsTrouble.MatchString(line)) {
			return true
		}
	}
	return false
}

// count adds an error line to its kind: the line without time and host, and
// with # in place of numbers.
func count(shapes map[string]*Errors, file string, n int, line string) {
	text := clean(stamp.ReplaceAllString(line, ""))
	shape := numbers.ReplaceAllString(text, "#")
	e := shapes[shape]
	if e == nil {
		if len(shapes) >= maxShapes {
			return
		}
		e = &Errors{Shape: shape}
		shapes[shape] = e
	}
	e.Count++
	e.Example, e.File, e.Line = text, file, n
}
