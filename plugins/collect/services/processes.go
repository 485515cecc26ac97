package services

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// Bounds of what is read of processes.
const (
	maxProcesses = 20_000
	maxEnviron   = 256 << 10
	maxText      = 64 << 10
)

// process is what is told of one, beside what the system collector tells.
type process struct {
	pid           int
	name, state   string
	uid           string
	threads       string
	files         int // open ones, -1 when nobody may look
	limitFiles    string
	limitTasks    string
	limitCore     string
	oomScore      string
	oomAdjust     string
	cgroup        string
	environment   []string // names
	environmentOK bool
}

// processes reads all processes but those of the program that collects: the
// host opens nothing of its own for a collector.
func processes(ctx context.Context, o recipe.Opener) ([]process, error) {
	names, err := recipe.Names(o, "/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil && pid != os.Getppid() && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	var out []process
	for _, pid := range pids[:min(len(pids), maxProcesses)] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if p, ok := readProcess(o, pid); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// readProcess reads one process; false means that it has ended.
func readProcess(o recipe.Opener, pid int) (process, bool) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	status, err := recipe.Read(o, dir+"status", maxText)
	if err != nil {
		return process{}, false
	}
	p := parseStatus(status)
	p.pid, p.files = pid, -1
	if limits, err := recipe.Read(o, dir+"limits", maxText); err == nil {
		p.limitFiles, p.limitTasks, p.limitCore = limit(limits, "Max open files"), limit(limits, "Max processes"), limit(limits, "Max core file size")
	}
	if cgroup, err := recipe.Read(o, dir+"cgroup", maxText); err == nil {
		p.cgroup = parseCgroup(cgroup)
	}
	p.oomScore, p.oomAdjust = value(o, dir+"oom_score"), value(o, dir+"oom_score_adj")
	if files, err := recipe.Names(o, dir+"fd"); err == nil {
		p.files = len(files)
	}
	if env, err := recipe.Read(o, dir+"environ", maxEnviron); err == nil {
		p.environment, p.environmentOK = environment(env), true
	}
	return p, true
}

// value is a file of one word; "?" when it cannot be read.
func value(o recipe.Opener, path string) string {
	v, err := recipe.Read(o, path, maxText)
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(v)
}

// parseStatus reads /proc/PID/status.
func parseStatus(text string) process {
	var p process
	for line := range strings.Lines(text) {
		key, v, _ := strings.Cut(line, ":")
		v = strings.TrimSpace(v)
		switch key {
		case "Name":
			p.name = v
		case "State":
			p.state, _, _ = strings.Cut(v, " ")
		case "Uid":
			if f := strings.Fields(v); len(f) > 0 {
				p.uid = f[0]
			}
		case "Threads":
			p.threads = v
		}
	}
	return p
}

// limit is the soft limit of that name in /proc/PID/limits.
func limit(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				return f[0]
			}
		}
	}
	return "?"
}

// parseCgroup is the path of the unified hierarchy in /proc/PID/cgroup, or of
// systemd's.
func parseCgroup(text string) string {
	best := ""
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && (f[0] == "0" && f[2] != "/" || best == "" && f[1] == "name=systemd") {
			best = f[2]
		}
	}
	return cmp.Or(best, "/")
}

// variable is what a name in an environment looks like. Letters of any case,
// since proxies are set in lower case.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// environment are the names of the variables, sorted, without values.
func environment(text string) []string {
	var out []string
	for entry := range strings.SplitSeq(text, "\x00") {
		if name, _, ok := strings.Cut(entry, "="); ok && variable.MatchString(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// table lists processes, those first that are nearest to their limit of open
// files.
func table(ps []process) []byte {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b process) int { return cmp.Compare(b.full(), a.full()) })
	var buf bytes.Buffer
	w := tabwriter.NewWriter(&buf, 0, 8, 1, ' ', 0)
	fmt.Fprintln(w, "PID\tUID\tSTATE\tTHREADS\tOPEN\tNOFILE\tFULL\tNPROC\tCORE\tOOM\tOOM-ADJ\tNAME\tCGROUP")
	for _, p := range sorted {
		open, full := "?", "?"
		if p.files >= 0 {
			open, full = strconv.Itoa(p.files), fmt.Sprintf("%.0f%%", p.full()*100)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.pid, p.uid, p.state, p.threads, open, p.limitFiles, full, p.limitTasks, p.limitCore, p.oomScore, p.oomAdjust, p.name, p.cgroup)
	}
	w.Flush() // into a buffer: it cannot fail
	return buf.Bytes()
}

// full is the share of open files in the limit.
func (p process) full() float64 {
	max, err := strconv.ParseFloat(p.limitFiles, 64)
	if err != nil || max <= 0 || p.files < 0 {
		return 0
	}
	return float64(p.files) / max
}

// environments lists the names of each process's variables.
func environments(ps []process) ([]byte, error) {
	var buf bytes.Buffer
	seen := false
	for _, p := range ps {
		switch {
		case !p.environmentOK:
			continue
		case len(p.environment) > 0:
			fmt.Fprintf(&buf, "%d %s: %s\n", p.pid, p.name, strings.Join(p.environment, " "))
		}
		seen = true
	}
	if !seen {
		return nil, errors.Join(errors.New("no environment can be read"), fs.ErrPermission)
	}
	return buf.Bytes(), nil
}
