package host

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
)

// Nobody is the user and group that plugins run as when the host is root.
const Nobody = 65534

// Options are what a [Host] is made of. Root, Policy and Audit are required.
type Options struct {
	Root   paths.Root
	Policy policy.Decider
	Audit  audit.Recorder

	// Log takes what plugins write to stderr, and what the host has to say
	// about them. Nil discards it.
	Log *slog.Logger

	// Actor is who is named in audit records; "agent" by default.
	Actor string

	// Plugins is the program with the built-in plugins. Empty looks for it
	// beside the executable and in /usr/lib/latchstring.
	Plugins string

	// UID and GID are the user that plugins of each role become when the host
	// is root, by role: "transport", "auth", "collect", "eventsink". A role
	// that is not there runs as Nobody.
	UID, GID map[string]int

	// Timeouts are how long a plugin may take; zero fields have defaults.
	Timeouts Timeouts

	clock clock
}

// Timeouts bound what a host waits for. A context that ends earlier counts.
type Timeouts struct {
	Start   time.Duration // from process start to a configured plugin; 10 s
	Call    time.Duration // one answer that needs no network; 10 s
	Dial    time.Duration // one dial, or one delivery of an event; 60 s
	Collect time.Duration // a whole collection; 30 min
	Login   time.Duration // a login, with a person thinking; 10 min
	Command time.Duration // one command run for a collector; 2 min
}

func (t Timeouts) orDefault() Timeouts {
	pick := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	pick(&t.Start, 10*time.Second)
	pick(&t.Call, 10*time.Second)
	pick(&t.Dial, 60*time.Second)
	pick(&t.Collect, 30*time.Minute)
	pick(&t.Login, 10*time.Minute)
	pick(&t.Command, 2*time.Minute)
	return t
}

// Use is how a caller wants a plugin.
type Use struct {
	// Config is the plugin's configuration as JSON, secrets included; nil for
	// none.
	Config json.RawMessage

	// Purpose is "bundle" or "session", for policy; empty when it is either.
	Purpose string
}

func (o *Options) complete() error {
	if o.Policy == nil || o.Audit == nil {
		return errors.New("plugin host: a policy and an audit log are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Actor == "" {
		o.Actor = "agent"
	}
	o.Timeouts = o.Timeouts.orDefault()
	if o.clock == nil {
		o.clock = realClock{}
	}
	return nil
}

// user is who a plugin of the role becomes; 0 when the host is not root.
func (o *Options) user(role string) (uid, gid int) {
	if os.Geteuid() != 0 {
		return 0, 0
	}
	uid, gid = Nobody, Nobody
	if v := o.UID[role]; v > 0 {
		uid = v
	}
	if v := o.GID[role]; v > 0 {
		gid = v
	}
	return uid, gid
}

// clock is the time that supervision goes by.
type clock interface {
	Now() time.Time
	// Sleep waits for d or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
