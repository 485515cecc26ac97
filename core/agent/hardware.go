package agent

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/hardware"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/policy"
)

// watcher is what looks at the hardware of this machine (REQ F3). It is cheap to
// make; only that of the daemon runs.
func (a *Agent) watcher() *hardware.Watcher {
	o := a.opts.hardware
	o.File, o.Record, o.On, o.Log = a.root.Var("hardware.json"), a.tellHardware, a.hardwareOn, a.opts.Log
	w, err := hardware.New(o)
	if err != nil {
		a.opts.Log.Error("what is known of the hardware is lost; failures are told again", "error", err)
	}
	return w
}

// hardwareOn says whether it is watched, and if not, why. Policy may want that it
// is, whatever local.cfg says.
func (a *Agent) hardwareOn() (bool, string) {
	e := localcfg.Entry{Key: localcfg.WatchHardware, Value: a.local()[localcfg.WatchHardware]}
	if yes, err := e.Bool(); yes || err != nil {
		return true, ""
	}
	if d := a.Decide(policy.NotifyDisable, policy.Facts{policy.Event: "hardware_failure"}); !d.Allowed {
		return true, ""
	}
	return false, localcfg.WatchHardware + " in local.cfg"
}

// startHardware watches until the function that it returns is called. A look that
// is under way then is not waited for: a device may hang.
func (a *Agent) startHardware() (stop func()) {
	w := a.watcher()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	a.machine.Store(w)
	return func() {
		a.machine.Store(nil)
		cancel()
		<-ended
	}
}

// tellHardware records what has failed or is well again; the event sinks get it
// from there.
func (a *Agent) tellHardware(n hardware.News) error {
	kind := audit.HardwareFailed
	detail := map[string]string{"kind": string(n.Kind), "what": n.What, "since": n.Since.UTC().Format(time.RFC3339)}
	more := map[string]string{"level": n.Level, "evidence": n.Evidence}
	if n.Again > 0 {
		more["times told within a day"] = strconv.Itoa(n.Again + 1)
	}
	if n.Over {
		kind = audit.HardwareRecovered
		more = map[string]string{"how": n.How, "lasted": n.Well.Sub(n.Since).Round(time.Second).String()}
	}
	maps.Copy(detail, more)
	_, err := a.Append(audit.Event{Type: kind, Actor: "agent", Subject: n.Name, Detail: detail})
	return err
}

// Hardware tells how the hardware of this machine stands: at the daemon's last
// look, or, in another process, now.
func (a *Agent) Hardware() control.Hardware {
	if w := a.machine.Load(); w != nil {
		if s := w.Snapshot(); !s.On || !s.Looked.IsZero() || s.Problem != "" {
			return toHardware(s)
		}
	}
	return toHardware(a.watcher().Now())
}

func toHardware(s hardware.Snapshot) control.Hardware {
	h := control.Hardware{On: s.On, Reason: s.Why, Since: s.Since, Looked: s.Looked, Millis: float64(s.Took.Microseconds()) / 1000, Problem: s.Problem,
		Kinds: []control.HardwareKind{}, Failures: []control.HardwareFailure{}}
	for _, k := range s.Kinds {
		h.Kinds = append(h.Kinds, control.HardwareKind{Kind: string(k.Kind), Watched: k.Parts, Failed: k.Failed, Names: k.Names})
	}
	for _, f := range s.Failures {
		h.Failures = append(h.Failures, control.HardwareFailure{Component: f.Name, Kind: string(f.Kind), What: f.What, Level: f.Level, Evidence: f.Evidence, Since: f.Since, Told: f.Told, Well: f.Well})
	}
	return h
}

// hardwareStatus is what a status says of the hardware. Without the daemon it says
// nothing: nobody watches.
func (a *Agent) hardwareStatus(s *control.Status) {
	if a.machine.Load() == nil {
		return
	}
	h := a.Hardware()
	s.Hardware = &h
	if h.Problem != "" {
		s.Problems = append(s.Problems, h.Problem)
	}
	for _, f := range h.Failures {
		if f.Level != hardware.Warning && !f.Told.IsZero() && f.Well.IsZero() {
			s.Problems = append(s.Problems, "hardware: "+f.Component+": "+f.What)
		}
	}
}
