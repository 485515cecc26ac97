package network

import (
	"context"
	"regexp"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "network"

// maxCards bounds the network cards that are asked one by one.
const maxCards = 32

// Collector is the collector.
type Collector struct{}

// New makes the collector.
func New() *Collector { return &Collector{} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	for _, q := range questions("*") {
		l.Commands = append(l.Commands, q.Argv)
	}
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
	bonds, err := recipe.Names(sink, bonding)
	if err != nil {
		bonds = nil // the driver is not loaded
	}
	for _, b := range bonds {
		if err := sink.Path(collect.Item{Name: "interfaces/bonding/" + collect.NameOf(b)}, bonding+"/"+b); err != nil {
			return err
		}
	}
	for _, card := range cards(sink) {
		for _, q := range questions(card) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := q.Run(sink); err != nil {
				return err
			}
		}
	}
	return nil
}

const bonding = "/proc/1/net/bonding"

// cardName is what the kernel may call a card, as far as it is safe as a word
// of a command.
var cardName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:@-]*$`)

// cards are the interfaces with a device behind them, and bonds. A host of
// containers has hundreds of others, about which there is nothing to ask.
func cards(o recipe.Opener) []string {
	names, err := recipe.Names(o, "/sys/class/net")
	if err != nil {
		return nil
	}
	var out []string
	for _, n := range names {
		if !cardName.MatchString(n) || len(out) == maxCards {
			continue
		}
		for _, mark := range []string{"/device/uevent", "/bonding/mode"} {
			if _, err := recipe.Read(o, "/sys/class/net/"+n+mark, 1); err == nil {
				out = append(out, n)
				break
			}
		}
	}
	return out
}

// questions are what ethtool is asked about a card. A driver that does not
// know an answer makes it exit with a code, which is recorded.
func questions(card string) []recipe.Command {
	var out []recipe.Command
	for _, q := range []struct{ name, flag string }{
		{"link", ""}, {"driver", "--driver"}, {"statistics", "--statistics"}, {"features", "--show-features"}, {"rings", "--show-ring"},
		{"channels", "--show-channels"}, {"coalescing", "--show-coalesce"}, {"pause", "--show-pause"}, {"module", "--module-info"},
	} {
		argv := []string{"ethtool"}
		if q.flag != "" {
			argv = append(argv, q.flag)
		}
		out = append(out, recipe.Command{Name: "interfaces/ethtool/" + card + "/" + q.name + ".txt", Argv: append(argv, card), Root: true})
	}
	return out
}
