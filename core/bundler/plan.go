package bundler

import (
	"context"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/policy"
)

// Planned is what a run would collect.
type Planned struct {
	Items   []bundle.Planned `json:"items"`
	Missing []bundle.Missing `json:"missing,omitempty"`
}

// Plan asks the collectors what they would hand over. Nothing is read, and
// where the bundle would go to does not matter.
func (b *Bundler) Plan(ctx context.Context, req Request) (*Planned, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	if _, err := b.ask(policy.BundleCreate, nil); err != nil {
		return nil, err
	}
	c, err := b.choose(ctx, &req)
	if err != nil {
		return nil, err
	}
	collectors, done := b.collectors(ctx, c.names, req.Asked)
	defer done()
	p := &Planned{Missing: c.missing}
	for _, c := range collectors {
		items, err := c.Plan(ctx, bundle.Request{Since: req.Since, MaxBytes: req.MaxBytes, Include: req.Include})
		if err != nil {
			p.Missing = append(p.Missing, bundle.Missing{Collector: c.Info().Name, State: bundle.Failed, Reason: err.Error()})
		}
		p.Items = append(p.Items, items...)
	}
	return p, ctx.Err()
}
