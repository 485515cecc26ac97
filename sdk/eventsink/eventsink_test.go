package eventsink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
)

// hook posts events to a web server.
type hook struct {
	post func(eventsink.Event) (status int, err error)
}

func (h hook) Deliver(_ context.Context, e eventsink.Event) error {
	status, err := h.post(e)
	switch {
	case err != nil:
		return err // tried again later
	case status >= 400 && status < 500:
		return eventsink.Permanent(fmt.Errorf("event %s was refused with status %d", e.ID, status))
	case status >= 500:
		return eventsink.Errorf(failure.Unreachable, "", "the server answered %d", status)
	}
	return nil
}

func Example() {
	answer := 503
	var s eventsink.Sink = hook{post: func(eventsink.Event) (int, error) { return answer, nil }}
	err := s.Deliver(context.Background(), eventsink.Event{ID: "e1", Code: "REMOTE_SUPPORT_ON"})
	fmt.Println(err, eventsink.IsPermanent(err))
	answer = 400
	err = s.Deliver(context.Background(), eventsink.Event{ID: "e1", Code: "REMOTE_SUPPORT_ON"})
	fmt.Println(err, eventsink.IsPermanent(err))
	// Output:
	// the server answered 503 false
	// event e1 was refused with status 400 true
}

func TestMarks(t *testing.T) {
	if eventsink.Permanent(nil) != nil || eventsink.Temporary(nil) != nil {
		t.Error("nil was marked")
	}
	err := eventsink.Permanent(fmt.Errorf("x: %w", io.EOF))
	if !eventsink.IsPermanent(fmt.Errorf("y: %w", err)) || !errors.Is(err, io.EOF) {
		t.Errorf("%v lost its mark or its cause", err)
	}
	if eventsink.IsPermanent(eventsink.Temporary(err)) || eventsink.IsPermanent(io.EOF) {
		t.Error("marked as permanent by itself")
	}
}
