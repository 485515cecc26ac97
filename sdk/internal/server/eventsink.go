package server

import (
	"context"
	"errors"
	"time"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
)

type eventSinkServer struct {
	pluginv1.UnimplementedEventSinkServer
	s *Server
}

// Deliver delivers one event.
func (e eventSinkServer) Deliver(ctx context.Context, req *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
	err := e.s.call(ctx, "Deliver", deliverLimit, func(ctx context.Context) error {
		err := e.s.current().(eventsink.Sink).Deliver(ctx, eventsink.Event{
			ID: req.GetId(), Code: req.GetCode(), Description: req.GetDescription(), Level: req.GetLevel(),
			Time: time.UnixMilli(req.GetTimeUnixMs()), Data: req.GetData(),
		})
		// An error that says nothing about it is temporary.
		if f := new(failure.Error); err != nil && !errors.As(err, &f) {
			err = eventsink.Temporary(err)
		}
		return err
	})
	return &pluginv1.DeliverResponse{Failure: e.s.failure(err)}, nil
}
