// Package motd is an example of a collector: what a machine tells who logs in,
// and how long it has been up.
package motd

import (
	"context"
	"path"

	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// paths are what is collected, if it is there.
var paths = []string{"/etc/motd", "/etc/issue", "/etc/issue.net", "/run/motd.dynamic"}

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() collect.Collector { return Collector{} }

// Help says what the collector is for.
func (Collector) Help() string { return "collects the messages at login" }

// Needs is what the host is asked for.
func (Collector) Needs() needs.List {
	return needs.List{Paths: paths, Commands: [][]string{{"uptime"}}}
}

// Plan names what there might be.
func (Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	plan := []collect.Planned{{Name: "uptime.txt", Source: "uptime", Size: -1}}
	for _, p := range paths {
		plan = append(plan, collect.Planned{Name: path.Base(p), Source: p, Size: -1, Config: true})
	}
	return plan, nil
}

// Collect hands over what there is.
func (Collector) Collect(_ context.Context, _ collect.Request, sink collect.Sink) error {
	for _, p := range paths {
		if err := sink.Path(collect.Item{Name: path.Base(p), Config: true}, p); err != nil {
			return err
		}
	}
	return sink.Command(collect.Item{Name: "uptime.txt"}, "uptime")
}
