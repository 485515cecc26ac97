package security

import (
	"context"
	"slices"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "security"

const sudoersDir = "/etc/sudoers.d"

// Collector is the collector.
type Collector struct {
	certificates []string // where to look
}

// New makes the collector.
func New() *Collector { return &Collector{certificates: certificatePaths} }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	l := list.Needs()
	l.Paths = append(l.Paths, c.certificates...)
	l.Paths = slices.Compact(l.Paths)
	return l
}

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	out := []collect.Planned{{Name: accountsName, Source: "/etc/passwd", Size: -1}, {Name: certificatesName, Source: "/etc/ssl", Size: -1}}
	return append(out, list.Plan()...), nil
}

const (
	accountsName     = "accounts/accounts.json"
	certificatesName = "certificates.json"
)

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	data, err := accountsOf(sink)
	if err := recipe.Write(sink, collect.Item{Name: accountsName, Source: "/etc/passwd, /etc/group"}, data, err); err != nil {
		return err
	}
	data, err = certificatesOf(ctx, sink, c.certificates, time.Now())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := recipe.Write(sink, collect.Item{Name: certificatesName, Source: "/etc/ssl, /etc/pki and others"}, data, err); err != nil {
		return err
	}
	rules, err := recipe.Names(sink, sudoersDir)
	if err != nil {
		rules = nil // no sudo, or a folder that policy denies
	}
	for _, r := range rules {
		if err := sink.Path(collect.Item{Name: "sudo/sudoers.d/" + collect.NameOf(r), Config: true}, sudoersDir+"/"+r); err != nil {
			return err
		}
	}
	return list.Collect(ctx, sink)
}
