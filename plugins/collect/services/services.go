package services

import (
	"context"
	"errors"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "services"

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List { return list.Needs() }

var (
	limitsItem  = collect.Item{Name: "processes/limits.txt", Source: "/proc/*/limits, /proc/*/fd"}
	environItem = collect.Item{Name: "processes/environment-names.txt", Source: "/proc/*/environ, names only"}
	cgroupItem  = collect.Item{Name: "cgroups/groups.txt", Source: cgroupRoot}
)

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	out := []collect.Planned{
		{Name: limitsItem.Name, Source: limitsItem.Source, Size: -1, NeedsRoot: true},
		{Name: environItem.Name, Source: environItem.Source, Size: -1, NeedsRoot: true},
	}
	if recipe.Exists(cgroupRoot + "/cgroup.controllers") {
		out = append(out, collect.Planned{Name: cgroupItem.Name, Source: cgroupItem.Source, Size: -1})
	}
	return append(out, list.Plan()...), nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	ps, err := processes(ctx, sink)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := recipe.Write(sink, limitsItem, table(ps), err); err != nil {
		return err
	}
	names, nerr := environments(ps)
	if err := recipe.Write(sink, environItem, names, errors.Join(err, nerr)); err != nil {
		return err
	}
	groups, cut, err := cgroups(ctx, sink)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if cut {
		sink.Note("more than %d control groups, or deeper than %d: the rest is not in %s", maxCgroups, maxDepth, cgroupItem.Name)
	}
	if err := recipe.Write(sink, cgroupItem, groups, err); err != nil {
		return err
	}
	return list.Collect(ctx, sink)
}
