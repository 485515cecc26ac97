package system

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "system"

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := needs.List{Paths: []string{"/proc/**", "/sys/class/dmi/id/*", "/etc/passwd"}}
	for _, f := range files {
		if !strings.HasPrefix(f.path, "/proc/") {
			l.Paths = append(l.Paths, f.path)
		}
	}
	for _, c := range commands {
		l.Commands = append(l.Commands, c.argv)
	}
	return l
}

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	out := []collect.Planned{{Name: summaryName, Source: "/proc", Size: -1}, {Name: processName, Source: "/proc", Size: -1}}
	for _, f := range files {
		if _, err := os.Stat(f.path); !errors.Is(err, fs.ErrNotExist) {
			out = append(out, collect.Planned{Name: f.name, Source: f.path, Size: -1})
		}
	}
	for _, c := range commands {
		out = append(out, collect.Planned{Name: c.name, Source: strings.Join(c.argv, " "), Size: -1, NeedsRoot: c.argv[0] == "dmesg"})
	}
	return out, nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	if err := write(sink, collect.Item{Name: summaryName, Source: "/proc"}, summary); err != nil {
		return err
	}
	if err := write(sink, collect.Item{Name: processName, Source: "/proc"}, processes); err != nil {
		return err
	}
	for _, f := range files {
		if err := sink.Path(collect.Item{Name: f.name}, f.path); err != nil {
			return err
		}
	}
	_, err := os.Stat("/run/systemd/system") // sd_booted(3)
	booted := !errors.Is(err, fs.ErrNotExist)
	for _, c := range commands {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.argv[0] == "systemctl" && !booted {
			if err := sink.Absent(collect.Item{Name: c.name}, "systemd does not run this machine"); err != nil {
				return err
			}
			continue
		}
		if err := sink.Command(collect.Item{Name: c.name, Timeout: cmp.Or(c.timeout, shortTimeout)}, c.argv...); err != nil {
			return err
		}
	}
	return nil
}

// write hands over what make makes, or its failure.
func write(sink collect.Sink, it collect.Item, make func() ([]byte, error)) error {
	data, err := make()
	if errors.Is(err, fs.ErrNotExist) {
		return sink.Absent(it, err.Error())
	}
	if err != nil {
		return sink.Failed(it, err)
	}
	it.Size = int64(len(data))
	s, err := sink.Stream(it)
	if err != nil {
		return err
	}
	_, err = s.Write(data)
	return s.CloseWithError(err)
}
