package storage

import (
	"context"
	"regexp"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "storage"

// maxArrays bounds the arrays of software RAID that are asked one by one.
const maxArrays = 64

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	l.Commands = append(l.Commands, array("*").Argv)
	return l
}

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	return list.Plan(), nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	if err := list.Collect(ctx, sink); err != nil {
		return err
	}
	for _, name := range arrays(sink) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := array(name).Run(sink); err != nil {
			return err
		}
	}
	return nil
}

var arrayName = regexp.MustCompile(`^md[A-Za-z0-9_]+$`)

// arrays are the arrays of software RAID.
func arrays(o recipe.Opener) []string {
	devices, err := recipe.Names(o, "/sys/block")
	if err != nil {
		return nil
	}
	var out []string
	for _, d := range devices {
		if arrayName.MatchString(d) && len(out) < maxArrays {
			out = append(out, d)
		}
	}
	return out
}

// array asks for the members of an array.
func array(name string) recipe.Command {
	device := name
	if name != "*" {
		device = "/dev/" + name
	}
	return recipe.Command{Name: "md/" + name + ".txt", Argv: []string{"mdadm", "--detail", device}, Root: true}
}
