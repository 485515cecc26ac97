package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "containers"

// Collector is the collector.
type Collector struct {
	exists func(string) bool
}

// New makes the collector.
func New() *Collector { return &Collector{exists: recipe.Exists} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	l.Paths = append(l.Paths, logPaths...)
	for _, e := range engines {
		l.Commands = append(l.Commands, e.names(), e.inspect("*").Argv, e.logs("*").Argv, e.logFile("*"))
	}
	for _, k := range kubeconfigs {
		for _, q := range cluster(k) {
			l.Commands = append(l.Commands, q.Argv)
		}
	}
	return l
}

// Plan lists the items that this machine has. Containers are not counted: that
// would be to ask the engine.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	out := list.Plan()
	if k := c.kubeconfig(); k != "" {
		out = append(out, recipe.List{Commands: cluster(k)}.Plan()...)
	}
	return out, nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	if err := list.Collect(ctx, sink); err != nil {
		return err
	}
	for _, e := range engines {
		if err := c.each(ctx, sink, e); err != nil {
			return err
		}
	}
	k := c.kubeconfig()
	if k == "" {
		return sink.Absent(collect.Item{Name: "kubernetes/version.json", Source: strings.Join(kubeconfigs, ", ")}, "no kubeconfig of an administrator is on this machine")
	}
	return recipe.List{Commands: cluster(k)}.Collect(ctx, sink)
}

func (c *Collector) kubeconfig() string {
	for _, k := range kubeconfigs {
		if c.exists(k) {
			return k
		}
	}
	return ""
}

// containerName is what an engine allows as a name; it never begins with a
// dash.
var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}$`)

// each hands over the settings and the log of every container of an engine.
func (c *Collector) each(ctx context.Context, sink collect.Sink, e engine) error {
	if !slices.ContainsFunc(e.signs, c.exists) {
		return nil // said so in the items before
	}
	out, err := sink.Output(e.names()...)
	if err != nil { // not there, or it said so in the items before
		return ctx.Err()
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSpace(line)
		if !containerName.MatchString(name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if n++; n > maxInspect {
			sink.Note("%s has more than %d containers: the others are only in the list", e.name, maxInspect)
			break
		}
		if err := e.inspect(name).Run(sink); err != nil {
			return err
		}
		if err := logOf(sink, e, name); err != nil {
			return err
		}
	}
	return nil
}

// logOf hands over the end of a container's log: its file where it has one,
// since that holds both what was written to stdout and to stderr, else what
// the engine shows.
func logOf(sink collect.Sink, e engine, name string) error {
	cmd := e.logs(name)
	out, err := sink.Output(e.logFile(name)...)
	file := strings.TrimSpace(string(out))
	if err != nil || !(needs.List{Paths: logPaths}).Path(file) {
		return cmd.Run(sink)
	}
	f, err := sink.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return sink.Absent(collect.Item{Name: cmd.Name, Source: file}, "nothing was logged")
	}
	if err != nil {
		return cmd.Run(sink)
	}
	it := collect.Item{Name: cmd.Name, Source: file}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return sink.Failed(it, err)
	}
	if it.ModTime = st.ModTime(); st.Size() <= logBytes {
		return sink.File(it, f)
	}
	defer f.Close()
	if _, err := filetree.Tail(f, st.Size(), logBytes); err != nil {
		return sink.Failed(it, err)
	}
	s, err := sink.Stream(it)
	if err != nil {
		return err
	}
	s.Truncate(fmt.Sprintf("the last %d of %d bytes", logBytes, st.Size()))
	_, err = io.Copy(s, io.LimitReader(f, logBytes))
	return s.CloseWithError(err)
}
