package family

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const groupPrefix = "latchstring-"

func groupName(session, connection string) string {
	clean := strings.NewReplacer("/", "_", "\x00", "_")
	return groupPrefix + clean.Replace(session) + "." + clean.Replace(connection)
}

// A group is a cgroup (v2) below the agent's own. All methods may be called on
// nil, which is what there is on machines without one.
type group struct {
	path string
	dir  *os.File
}

// newGroup makes a cgroup, or nil. It needs no controller, so it disturbs no
// limits that somebody set.
func newGroup(name string) *group {
	base := ownGroup()
	if base == "" {
		return nil
	}
	g := &group{path: filepath.Join(base, name)}
	if err := os.Mkdir(g.path, 0o755); err != nil && !os.IsExist(err) {
		return nil
	}
	var err error
	if _, err = os.Stat(filepath.Join(g.path, "cgroup.kill")); err == nil {
		if g.dir, err = os.Open(g.path); err == nil && g.usable() {
			return g
		}
	}
	g.close()
	return nil
}

// usable reports whether processes may be put in: not below a threaded cgroup.
func (g *group) usable() bool {
	b, err := os.ReadFile(filepath.Join(g.path, "cgroup.type"))
	return err == nil && strings.TrimSpace(string(b)) == "domain" && unix.Access(filepath.Join(g.path, "cgroup.procs"), unix.W_OK) == nil
}

// ownGroup is the directory of the cgroup that this process is in.
func ownGroup() string {
	mount := groupMount()
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || mount == "" {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return filepath.Join(mount, rest)
		}
	}
	return ""
}

func groupMount() string {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		before, after, ok := strings.Cut(line, " - ")
		if f := strings.Fields(before); ok && strings.HasPrefix(after, "cgroup2 ") && len(f) > 4 {
			return f[4]
		}
	}
	return ""
}

func (g *group) add(pid int) {
	if g != nil {
		_ = os.WriteFile(filepath.Join(g.path, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
}

func (g *group) members() []int {
	if g == nil {
		return nil
	}
	b, _ := os.ReadFile(filepath.Join(g.path, "cgroup.procs"))
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (g *group) kill() {
	if g != nil {
		_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0)
	}
}

// close removes the cgroup, which the kernel allows once the last zombie in it
// was reaped.
func (g *group) close() {
	if g == nil {
		return
	}
	if g.dir != nil {
		g.dir.Close()
	}
	for until := time.Now().Add(200 * time.Millisecond); unix.Rmdir(g.path) == unix.EBUSY && time.Now().Before(until); {
		time.Sleep(5 * time.Millisecond)
	}
}

// leftGroups finds the cgroups of a session that an agent left behind.
func leftGroups(session string) []*group {
	mount := groupMount()
	if mount == "" {
		return nil
	}
	prefix := groupName(session, "")
	var found []*group
	_ = filepath.WalkDir(mount, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), prefix) {
			found = append(found, &group{path: path})
		}
		return nil
	})
	return found
}
