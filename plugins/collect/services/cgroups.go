package services

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

const (
	cgroupRoot = "/sys/fs/cgroup"
	maxCgroups = 5000
	maxDepth   = 12
)

// columns are what is told of a control group: a file of it, and the key in
// that file where it has several.
var columns = []struct{ title, file, key string }{
	{"PROCS", "pids.current", ""}, {"PIDS-MAX", "pids.max", ""},
	{"MEMORY", "memory.current", ""}, {"PEAK", "memory.peak", ""}, {"HIGH", "memory.high", ""}, {"MAX", "memory.max", ""}, {"SWAP", "memory.swap.current", ""},
	{"OOM", "memory.events", "oom"}, {"OOM-KILL", "memory.events", "oom_kill"}, {"OVER-HIGH", "memory.events", "high"},
	{"CPU-US", "cpu.stat", "usage_usec"}, {"THROTTLED-US", "cpu.stat", "throttled_usec"}, {"CPU-MAX", "cpu.max", ""},
	{"CPU-PSI", "cpu.pressure", "some"}, {"MEM-PSI", "memory.pressure", "full"}, {"IO-PSI", "io.pressure", "full"},
}

// cgroups reads the unified hierarchy: one line for each group.
func cgroups(ctx context.Context, o recipe.Opener) (text []byte, cut bool, err error) {
	if _, err := recipe.Read(o, cgroupRoot+"/cgroup.controllers", maxText); err != nil {
		return nil, false, fmt.Errorf("no unified hierarchy of control groups (%w)", fs.ErrNotExist)
	}
	var buf bytes.Buffer
	w := tabwriter.NewWriter(&buf, 0, 8, 1, ' ', 0)
	for _, c := range columns {
		fmt.Fprintf(w, "%s\t", c.title)
	}
	fmt.Fprintln(w, "GROUP")
	n := 0
	var walk func(dir string, depth int) error
	walk = func(dir string, depth int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n++; n > maxCgroups || depth > maxDepth {
			cut = true
			return nil
		}
		line(w, o, dir)
		for _, name := range children(o, dir) {
			if err := walk(path.Join(dir, name), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(cgroupRoot, 0); err != nil {
		return nil, false, err
	}
	err = w.Flush()
	return buf.Bytes(), cut, err
}

func children(o recipe.Opener, dir string) []string {
	f, err := o.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

func line(w *tabwriter.Writer, o recipe.Opener, dir string) {
	files := map[string]string{}
	for _, c := range columns {
		v, ok := files[c.file]
		if !ok {
			v, _ = recipe.Read(o, path.Join(dir, c.file), maxText) // a controller that is off: "-"
			files[c.file] = v
		}
		fmt.Fprintf(w, "%s\t", pick(v, c.key))
	}
	group := strings.TrimPrefix(dir, cgroupRoot)
	if group == "" {
		group = "/"
	}
	fmt.Fprintln(w, group)
}

// pick is the value of a file, or of a key in it. Of pressure it is the share
// of the last five minutes.
func pick(text, key string) string {
	text = strings.TrimSpace(text)
	if key != "" {
		found := ""
		for l := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(l, key+" "); ok {
				found = strings.TrimSpace(rest)
			}
		}
		text = found
		for _, f := range strings.Fields(text) {
			if v, ok := strings.CutPrefix(f, "avg300="); ok {
				return v
			}
		}
	}
	if text == "" {
		return "-"
	}
	return strings.Join(strings.Fields(text), "/")
}
