package kernel

import (
	"bytes"
	"context"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "kernel"

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	l.Commands = append(l.Commands, boots, previous.Argv)
	return l
}

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	out := []collect.Planned{{Name: "taints.json", Source: "/proc/sys/kernel/tainted", Size: -1}, {Name: "modules/modules.txt", Source: "/proc/modules", Size: -1}}
	return append(out, list.Plan()...), nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	data, err := taintsOf(sink)
	if err := recipe.Write(sink, collect.Item{Name: "taints.json", Source: "/proc/sys/kernel/tainted"}, data, err); err != nil {
		return err
	}
	mods, err := modules(sink)
	if err := recipe.Write(sink, collect.Item{Name: "modules/modules.txt", Source: "/proc/modules"}, modulesText(mods), err); err != nil {
		return err
	}
	if err := list.Collect(ctx, sink); err != nil {
		return err
	}
	known, err := sink.Output(boots...)
	if err != nil || bytes.Count(known, []byte("\n")) < 2 {
		return sink.Absent(collect.Item{Name: previous.Name, Source: strings.Join(previous.Argv, " ")}, "the journal knows of no boot before this one")
	}
	return previous.Run(sink)
}
