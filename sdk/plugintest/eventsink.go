package plugintest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
)

// EventSink runs the conformance suite of event sinks against what newImpl
// makes. Options.Config must name a place that takes events.
func EventSink(t *testing.T, newImpl func() eventsink.Sink, opts ...Options) {
	t.Helper()
	runSuite(t, wire.RoleEventSink, first(opts), func() any { return newImpl() })
}

var eventSinkCases = []aCase{
	{"deliver", "an event is delivered, and the same event again is no error", testDeliver},
	{"strange-events", "strange events are delivered or refused for good, never a panic", testStrangeEvents},
	{"broken", "a place that is down is a temporary error without secrets", testBroken},
	{"cancel-delivery", "a cancelled delivery ends within 100 ms", testCancelDelivery},
}

func anEvent(id string) *pluginv1.DeliverRequest {
	return &pluginv1.DeliverRequest{
		Id: id, Code: "REMOTE_SUPPORT_ON", Description: "remote support was switched on", Level: "info",
		TimeUnixMs: time.Now().UnixMilli(), Data: map[string]string{"user": "alice", "case": "4711"},
	}
}

func (c *check) deliver(l *link, e *pluginv1.DeliverRequest) *pluginv1.Failure {
	c.Helper()
	resp, err := l.sink.Deliver(c.ctx(20*time.Second), e)
	if err != nil {
		c.Fatalf("deliver: %v", err)
	}
	return resp.GetFailure()
}

func testDeliver(c *check) {
	l := c.start("")
	for range 2 {
		if f := c.deliver(l, anEvent("event-1")); f != nil {
			c.Errorf("deliver: %v", wire.ErrorOf(f))
		}
	}
	if f := c.deliver(l, anEvent("event-2")); f != nil {
		c.Errorf("deliver the next: %v", wire.ErrorOf(f))
	}
	c.noCanary("the log", l.stderr.String())
}

func testStrangeEvents(c *check) {
	l := c.start("")
	for name, e := range map[string]*pluginv1.DeliverRequest{
		"empty":     {},
		"huge":      {Id: "h", Code: "X", Description: strings.Repeat("x", 1<<20)},
		"injection": {Id: "i\r\nBcc: x", Code: "A\nB", Description: "a\r\n.\r\n<134>1 - - \x00 ${jndi:x} %s%n", Level: "\x1b[2J"},
		"no time":   {Id: "t", Code: "X", TimeUnixMs: -1 << 62},
		"much data": {Id: "d", Code: "X", Data: map[string]string{"": "", "a=b]\"": strings.Repeat("\n", 4096)}},
	} {
		if f := c.deliver(l, e); f != nil {
			c.failure(name+" event", f)
			if f.GetTemporary() {
				c.Errorf("%s event: the error is temporary, and would be tried again for ever: %s", name, f.GetMessage())
			}
		}
	}
}

func testBroken(c *check) {
	if c.opts.Broken == nil {
		c.Skipf("Options.Broken is not set")
	}
	l := c.startWith(c.opts.Broken, "")
	f := c.deliver(l, anEvent("event-1"))
	c.failure("deliver to a place that is down", f)
	if f != nil && !f.GetTemporary() {
		c.Errorf("deliver to a place that is down: the event would be given up: %s", f.GetMessage())
	}
	c.noCanary("the log", l.stderr.String())
}

func testCancelDelivery(c *check) {
	l := c.start("")
	c.within("ending a cancelled delivery", cancelLimit, func() time.Duration {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		began := time.Now()
		resp, err := l.sink.Deliver(ctx, anEvent("event-3"))
		if err == nil && resp.GetFailure() != nil {
			c.failure("cancelled delivery", resp.GetFailure(), failure.Cancelled, failure.Timeout)
		}
		l.idle()
		return time.Since(began)
	})
}
