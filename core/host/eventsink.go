package host

import (
	"context"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// Event is something that happened, for an event sink.
type Event struct {
	ID          string // the same on every try
	Code        string
	Description string
	Level       string // info, warning, error, critical
	Time        time.Time
	Data        map[string]string
}

// EventSink delivers events through an event sink plugin.
type EventSink struct{ *unit }

// EventSink returns the event sink of that name. The plugin starts with the
// first event.
func (h *Host) EventSink(name string, use Use) (*EventSink, error) {
	u, err := h.newUnit(wire.RoleEventSink, name, use)
	if err != nil {
		return nil, err
	}
	return &EventSink{u}, nil
}

// Info says which plugin it is; it starts it if need be.
func (s *EventSink) Info(ctx context.Context) (Info, error) { return s.info(ctx) }

// Close ends the plugin.
func (s *EventSink) Close() error { s.unit.close(); return nil }

// Deliver brings an event to its place. Whether another try makes sense is in
// the error: errors.As a *failure.Error (package sdk/failure), Temporary; any
// other error is temporary too.
func (s *EventSink) Deliver(ctx context.Context, e Event) error {
	inst, err := s.get(ctx)
	if err != nil {
		return fmt.Errorf("deliver %s: %w", e.Code, err)
	}
	rep, err := call(ctx, inst, "deliver", s.host.opt.Timeouts.Dial, func(ctx context.Context) (*pluginv1.DeliverResponse, error) {
		return inst.role.(pluginv1.EventSinkClient).Deliver(ctx, &pluginv1.DeliverRequest{
			Id: e.ID, Code: e.Code, Description: e.Description, Level: e.Level, TimeUnixMs: e.Time.UnixMilli(), Data: e.Data,
		})
	})
	if err == nil {
		err = failureOf(s.id, rep.GetFailure())
	}
	if err != nil {
		s.blame(inst, err)
		return fmt.Errorf("deliver %s: %w", e.Code, err)
	}
	return nil
}
