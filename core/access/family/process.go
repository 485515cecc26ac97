package family

import (
	"bytes"
	"maps"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A process is one line of a snapshot of /proc.
type process struct {
	pid, parent int
	started     string // clock ticks since boot: tells a number that was given away again
}

// snapshot lists the processes that are alive; a zombie is not.
func snapshot() []process {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var all []process
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if p, ok := look(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// look reads one process, if it is alive.
func look(pid int) (process, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// The name in brackets may hold anything, brackets too.
	if i := bytes.LastIndexByte(b, ')'); i >= 0 {
		b = b[i+1:]
	}
	f := bytes.Fields(b)
	if len(f) < 20 || f[0][0] == 'Z' || f[0][0] == 'X' {
		return process{}, false
	}
	parent, _ := strconv.Atoi(string(f[1]))
	return process{pid, parent, string(f[19])}, true
}

// same reports whether p and q are one process, and not two that had the same
// number.
func (p process) same(q process) bool { return p.pid == q.pid && p.started == q.started }

func (p process) file(name string) string { return "/proc/" + strconv.Itoa(p.pid) + "/" + name }

// variables returns the variables of ours that the process was started with.
func (p process) variables() (session, connection, locale string) {
	b, err := os.ReadFile(p.file("environ"))
	if err != nil || !bytes.Contains(b, []byte("LATCHSTRING")) {
		return "", "", ""
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		name, value, _ := strings.Cut(string(v), "=")
		switch name {
		case SessionVar:
			session = value
		case ConnectionVar:
			connection = value
		case LocaleVar:
			locale = value
		}
	}
	return session, connection, locale
}

func (p process) namespace() (dev, ino uint64, ok bool) {
	var st unix.Stat_t
	if unix.Stat(p.file("ns/uts"), &st) != nil {
		return 0, 0, false
	}
	return st.Dev, st.Ino, true
}

// holds reports whether the process has an open file of a certain name.
func (p process) holds(which func(name string) bool) bool {
	fds, _ := os.ReadDir(p.file("fd"))
	for _, fd := range fds {
		if name, err := os.Readlink(p.file("fd/" + fd.Name())); err == nil && which(name) {
			return true
		}
	}
	return false
}

// inherited is holds for files that the process would pass on. One that it
// would not is the agent's own, in a child that has not begun its program yet.
func (p process) inherited(which func(name string) bool) bool {
	fds, _ := os.ReadDir(p.file("fd"))
	for _, fd := range fds {
		name, err := os.Readlink(p.file("fd/" + fd.Name()))
		if err != nil || !which(name) {
			continue
		}
		b, _ := os.ReadFile(p.file("fdinfo/" + fd.Name()))
		_, rest, _ := strings.Cut(string(b), "flags:")
		word, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		if flags, err := strconv.ParseUint(word, 8, 64); err == nil && flags&unix.O_CLOEXEC == 0 {
			return true
		}
	}
	return false
}

// withDescendants adds the children of members, and theirs. This process and
// those that it comes from never belong to a family, whatever marks they seem
// to have; nor do 0, which is how the kernel writes a process of another
// namespace and would be a signal to our own group, and init.
func withDescendants(in map[int]bool, all []process) (members []process) {
	spared := lineage(os.Getpid(), all)
	maps.DeleteFunc(in, func(pid int, _ bool) bool { return spared[pid] })
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if in[p.parent] && !in[p.pid] && !spared[p.pid] {
				in[p.pid] = true
				grown = true
			}
		}
	}
	for _, p := range all {
		if in[p.pid] {
			members = append(members, p)
		}
	}
	return members
}

// lineage is a process, its parent, its parent's parent and so on to init, and 0.
func lineage(pid int, all []process) map[int]bool {
	parents := make(map[int]int, len(all))
	for _, p := range all {
		parents[p.pid] = p.parent
	}
	out := map[int]bool{0: true, 1: true}
	for !out[pid] {
		out[pid] = true
		pid = parents[pid] // 0 when there is none
	}
	return out
}
