package server

import (
	"context"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/failure"
)

type collectServer struct {
	pluginv1.UnimplementedCollectServer
	s *Server
}

func requestOf(since, max int64, include []string) collect.Request {
	req := collect.Request{MaxBytes: max, Include: include}
	if since > 0 {
		req.Since = time.Unix(since, 0)
	}
	return req
}

// Plan asks the collector, if it can plan.
func (c collectServer) Plan(ctx context.Context, req *pluginv1.PlanRequest) (*pluginv1.PlanResponse, error) {
	planner, ok := c.s.current().(collect.Planner)
	if !ok {
		return &pluginv1.PlanResponse{Failure: c.s.failure(
			failure.New(failure.Unsupported, "", "this collector does not plan"))}, nil
	}
	resp := new(pluginv1.PlanResponse)
	err := c.s.call(ctx, "Plan", planLimit, func(ctx context.Context) error {
		items, err := planner.Plan(ctx, requestOf(req.GetSinceUnix(), req.GetMaxBytes(), req.GetInclude()))
		for _, it := range items {
			if err := collect.CheckName(it.Name); err != nil {
				return err
			}
			resp.Items = append(resp.Items, &pluginv1.PlannedItem{
				Name: it.Name, Size: it.Size, NeedsRoot: it.NeedsRoot, Config: it.Config, Source: it.Source,
			})
		}
		return err
	})
	resp.Failure = c.s.failure(err)
	return resp, nil
}

// Collect runs a collection. A failure of the collector as a whole is a last
// event without a name.
func (c collectServer) Collect(req *pluginv1.CollectRequest, stream pluginv1.Collect_CollectServer) error {
	ch, err := c.s.channel()
	if err != nil {
		return err
	}
	var sink *sink
	err = c.s.call(stream.Context(), "Collect", 0, func(ctx context.Context) error {
		sink = newSink(ctx, c, ch, stream)
		return c.s.current().(collect.Collector).Collect(ctx, requestOf(req.GetSinceUnix(), req.GetMaxBytes(), req.GetInclude()), sink)
	})
	if sink != nil {
		// Also after a panic: every item that began ends.
		if open := sink.finish(); open > 0 && err == nil {
			err = fmt.Errorf("the collector left %d streams open", open)
		}
		if sink.broken() != nil {
			return sink.broken()
		}
	}
	if err != nil {
		return stream.Send(&pluginv1.CollectEvent{
			Kind: pluginv1.CollectEvent_KIND_FAILED, Size: -1, Failure: c.s.failure(err),
		})
	}
	return nil
}
