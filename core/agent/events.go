package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/outbox"
)

// eventGrace is how long an agent that ends goes on to deliver what is waiting.
const eventGrace = 5 * time.Second

// sinks is what brings events to where the customer wants to see them. It is
// cheap to make; only one of them runs, in the daemon.
func (a *Agent) sinks() *outbox.Outbox {
	return outbox.New(outbox.Options{
		Audit: a.root.Audit(), Dir: a.root.Var("outbox"), Config: a.root.Etc("events.d"), Array: a.root.Etc("auth.d", "infinibox.json"),
		Record: a, System: a.system.ID(), Log: a.opts.Log,
		Vendor: func() string {
			v, err := a.system.Vendor()
			if err != nil {
				return ""
			}
			return v.Name
		},
		Open: func(plugin string, settings json.RawMessage) (outbox.Deliverer, error) {
			return a.host.EventSink(plugin, host.Use{Config: settings})
		},
	})
}

// startEvents delivers events until the function that it returns is called, which
// waits for what is left, but not for long.
func (a *Agent) startEvents() (stop func()) {
	o := a.sinks()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx, eventGrace) })
	a.events.Store(o)
	return func() {
		a.events.Store(nil)
		cancel()
		running.Wait()
	}
}

// wakeEvents says that the audit log has grown. It never waits.
func (a *Agent) wakeEvents() {
	if o := a.events.Load(); o != nil {
		o.Wake()
	}
}

// EventSinks tells how each event sink stands. The error is about settings with
// mistakes.
func (a *Agent) EventSinks() ([]outbox.State, error) { return a.sinks().States() }

// TestSinks sends a test through the named event sinks, or all, and reports each.
// The error is the first that failed.
func (a *Agent) TestSinks(ctx context.Context, by control.Caller, names []string, report func(sink, plugin string, took time.Duration, err error)) error {
	if err := a.outsider(by, "test the event sinks"); err != nil {
		return err
	}
	o := a.sinks()
	all, broken, err := o.Settings()
	for _, n := range names {
		if !slices.Contains(broken, n) && !slices.ContainsFunc(all, func(s outbox.Settings) bool { return s.Name == n }) {
			return usage("there is no event sink %q; its settings belong into %s", n, a.root.Etc("events.d", n+".json"))
		}
	}
	if len(names) == 0 && len(all) == 0 && err == nil {
		return &stateError{"no event sink is set up", "see docs/EVENTS.md: settings of sinks are in " + a.root.Etc("events.d")}
	}
	wanted := func(n string) bool { return len(names) == 0 || slices.Contains(names, n) }
	if slices.ContainsFunc(broken, wanted) || len(broken) == 0 && err != nil {
		report(strings.Join(broken, ", "), "", 0, err)
	} else {
		err = nil
	}
	for _, s := range all {
		if !wanted(s.Name) {
			continue
		}
		start := time.Now()
		one := o.Test(ctx, s, by.Actor())
		report(s.Name, s.Plugin, time.Since(start), one)
		err = cmp.Or(err, one)
	}
	return err
}

// eventStatus is what a status says of the sinks.
func (a *Agent) eventStatus(s *control.Status) {
	states, err := a.EventSinks()
	if err != nil {
		s.Problems = append(s.Problems, "settings of event sinks: "+firstLine(err.Error()))
	}
	for _, st := range states {
		s.EventSinks = append(s.EventSinks, control.EventSink{Name: st.Name, Record: st.Record, Waiting: st.Waiting, Dropped: st.Dropped, Failing: st.Failing, Error: st.Error})
	}
}

// eventPorts lists where the event sinks go.
func (a *Agent) eventPorts() ([]Port, error) {
	all, _, err := a.sinks().Settings()
	here := "this machine"
	if name, err := os.Hostname(); err == nil {
		here = name
	}
	var rows []Port
	add := func(address, standard, protocol, purpose string) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			host, port = strings.Trim(address, "[]"), standard
		}
		if host == "" {
			return
		}
		row := Port{here, host, "outbound", protocol, port, purpose}
		if !slices.Contains(rows, row) {
			rows = append(rows, append(named(here, host), row)...)
		}
	}
	for _, s := range all {
		if s.Missing != "" {
			continue
		}
		for _, address := range s.Arrays() {
			add(address, "443", "TCP", "the array: events, HTTPS")
		}
		switch s.Plugin {
		case "syslog":
			protocol, port := strings.ToUpper(cmp.Or(s.Public("protocol"), "tcp")), "514"
			if protocol == "TLS" {
				protocol, port = "TCP", "6514"
			}
			add(s.Public("address"), port, protocol, "events to syslog ("+s.Name+")")
		case "smtp":
			port := cmp.Or(s.Public("port"), map[bool]string{true: "465", false: "25"}[s.Public("security") == "tls"])
			if host := s.Public("host"); host != "" {
				add(net.JoinHostPort(host, port), port, "TCP", "events by mail ("+s.Name+")")
			} else {
				target := cmp.Or(s.Public("target"), "infinidat-smtp")
				rows = append(rows, Port{here, "the mail relay of the array's " + target, "outbound", "TCP", cmp.Or(s.Public("port"), "25, or the entry's own"), "events by mail (" + s.Name + ")"})
			}
		}
	}
	return rows, err
}

// withEvents adds the rows of the event sinks, each once.
func (a *Agent) withEvents(rows []Port) ([]Port, error) {
	more, err := a.eventPorts()
	for _, r := range more {
		if !slices.Contains(rows, r) {
			rows = append(rows, r)
		}
	}
	return rows, err
}
