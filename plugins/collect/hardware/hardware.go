package hardware

import (
	"context"
	"regexp"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "hardware"

// maxDisks bounds the disks that are asked for their health one by one.
const maxDisks = 64

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	l.Commands = append(l.Commands, smart("*").Argv, nvmeHealth("*").Argv, nvmeErrors("*").Argv)
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
	text, err := sensors(ctx, sink)
	if err := recipe.Write(sink, collect.Item{Name: "sensors/hwmon.txt", Source: hwmonDir}, text, err); err != nil {
		return err
	}
	for _, cmd := range health(sink) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := cmd.Run(sink); err != nil {
			return err
		}
	}
	return nil
}

var (
	disk       = regexp.MustCompile(`^(sd[a-z]+|hd[a-z]|nvme[0-9]+n[0-9]+)$`)
	controller = regexp.MustCompile(`^nvme[0-9]+$`)
)

// health are the questions to the disks that there are. Names come from the
// kernel and are looked at all the same: they become words of a command.
func health(o recipe.Opener) []recipe.Command {
	var out []recipe.Command
	add := func(dir string, name *regexp.Regexp, questions ...func(string) recipe.Command) {
		devices, err := recipe.Names(o, dir)
		if err != nil {
			return
		}
		n := 0
		for _, d := range devices {
			if !name.MatchString(d) {
				continue
			}
			if n++; n > maxDisks {
				break
			}
			for _, q := range questions {
				out = append(out, q(d))
			}
		}
	}
	add("/sys/block", disk, smart)
	add("/sys/class/nvme", controller, nvmeHealth, nvmeErrors)
	return out
}

// device is the path of a device; * stays for the declaration.
func device(name string) string {
	if name == "*" {
		return name
	}
	return "/dev/" + name
}

// smart asks for everything that a disk says about itself. Bits of smartctl's
// exit code tell of failing disks and are told inside the JSON as well.
func smart(name string) recipe.Command {
	return recipe.Command{Name: "disks/smart/" + name + ".json", Argv: []string{"smartctl", "--json", "--xall", device(name)}, Timeout: diskTime, Root: true}
}

func nvmeHealth(name string) recipe.Command {
	return recipe.Command{Name: "disks/nvme/" + name + "-smart.json", Argv: []string{"nvme", "smart-log", device(name), "--output-format=json"}, Root: true}
}

func nvmeErrors(name string) recipe.Command {
	return recipe.Command{Name: "disks/nvme/" + name + "-errors.json", Argv: []string{"nvme", "error-log", device(name), "--output-format=json"}, Root: true}
}
