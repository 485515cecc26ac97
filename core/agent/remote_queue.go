package agent

import (
	"context"
	"errors"
	"time"

	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/deliver"
)

// queueEvery is how often what waits in the queue of bundles is tried while a
// session is open.
const queueEvery = 10 * time.Minute

// deliverQueue sends the bundles that wait, by the way of the session and while
// it lasts: then something may leave the machine (REQ H4, H5, H6). Each is sent
// as `send-bundle queue retry` would, policy is asked about each, and one that
// somebody else is sending at this moment is left to him.
func (l *live) deliverQueue() {
	if l.a.opts.transport != nil {
		return // a test without plugins
	}
	l.work.Go(func() {
		t := time.NewTicker(queueEvery)
		defer t.Stop()
		for {
			if err := l.deliverOnce(l.ctx); err != nil && l.ctx.Err() == nil {
				l.log.Info("bundles wait in the queue", "error", firstLine(err.Error()))
			}
			select {
			case <-l.ctx.Done():
				return
			case <-t.C:
			}
		}
	})
}

func (l *live) deliverOnce(ctx context.Context) error {
	q, err := deliver.OpenQueue(l.a.root.Queue())
	if err != nil {
		return err
	}
	items, err := q.List()
	if err != nil || len(items) == 0 {
		return err
	}
	b := bundler.New(bundler.Parts{Root: l.a.root, Policy: l.a.policy.Load().Policy, Audit: l.a, System: l.a.system, Host: l.a.host, Version: l.a.opts.Version, Actor: "agent", Log: l.log})
	var errs []error
	for _, it := range items {
		if ctx.Err() != nil {
			break
		}
		if _, err := b.Deliver(ctx, it.ID, bundler.Delivery{Route: l.route}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
