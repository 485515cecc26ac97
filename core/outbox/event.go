package outbox

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/hardware"
	"github.com/latchstring/latchstring/core/host"
)

// supports are the events of sessions with the codes that arrays know (REQ E4).
var supports = map[audit.Type]string{
	audit.SessionOpened:    "SUPPORT_SESSION_STARTED",
	audit.ConnectionOpened: "SUPPORT_CONNECTED",
	audit.ConnectionClosed: "SUPPORT_DISCONNECTED",
	audit.SessionEnded:     "SUPPORT_SESSION_ENDED",
}

// groups are names for several types.
var groups = map[string][]string{
	"all":      {"*"},
	"hardware": {string(audit.HardwareFailed), string(audit.HardwareRecovered)},
	"session":  {string(audit.SessionOpened), string(audit.ConnectionOpened), string(audit.ConnectionClosed), string(audit.SessionEnded)},
	"security": {string(audit.LoginFailed), string(audit.LoginLocked), string(audit.PolicyRefused), string(audit.PolicyBroken), string(audit.PolicyNoticed),
		string(audit.PluginRefused), string(audit.PluginMisbehave), string(audit.ConnectionRefused), string(audit.ConnectionDenied),
		string(audit.LogDamaged), string(audit.RecordingFailed), string(audit.SystemSealed), string(audit.LinkInspected), "secret.wrong", "secret.burnt"},
}

// usual is what a sink gets when its settings do not say.
func usual(plugin string) []string {
	switch plugin {
	case Array:
		return []string{"session", "hardware"}
	case mail: // REQ F3
		return []string{"hardware"}
	}
	return []string{"all"}
}

var selector = regexp.MustCompile(`^[a-z0-9]+\.([a-z0-9_-]+|\*)$`)

// choice says which events a sink gets.
type choice []string

func choose(names []string) (choice, error) {
	var c choice
	for _, n := range names {
		switch {
		case groups[n] != nil:
			c = append(c, groups[n]...)
		case selector.MatchString(n):
			c = append(c, n)
		default:
			return nil, fmt.Errorf("%q is neither one of %s nor a type of event like login.failed or bundle.*", n, strings.Join(slices.Sorted(maps.Keys(groups)), ", "))
		}
	}
	if len(c) == 0 {
		return nil, fmt.Errorf("no event is named")
	}
	return c, nil
}

// has reports whether the sink gets the record. What sinks do makes no event for
// sinks: a sink that fails would feed itself.
func (c choice) has(r audit.Record) bool {
	kind := string(r.Type)
	if strings.HasPrefix(kind, "event.") || strings.HasPrefix(kind, "plugin.") && strings.HasPrefix(r.Subject, "eventsink/") {
		return false
	}
	noun, _, _ := strings.Cut(kind, ".")
	return slices.Contains(c, "*") || slices.Contains(c, kind) || slices.Contains(c, noun+".*")
}

// toEvent makes what sinks get of a record.
func (o *Outbox) toEvent(r audit.Record) host.Event {
	e := host.Event{ID: fmt.Sprintf("%d-%.16s", r.Seq, r.Hash), Code: supports[r.Type], Level: level(r), Time: r.Time, Data: map[string]string{}}
	maps.Copy(e.Data, r.Detail)
	e.Data["type"], e.Data["actor"], e.Data["system"] = string(r.Type), r.Actor, o.opt.System
	if r.Subject != "" {
		e.Data["subject"] = r.Subject
	}
	if e.Code == "" {
		e.Code = strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(string(r.Type)))
	}
	vendor := cmp.Or(o.vendor(), "Vendor")
	switch r.Type { // REQ E3
	case audit.SessionOpened:
		e.Data["session_name"], e.Data["session_expiry_time"] = cmp.Or(r.Detail["name"], r.Subject), cmp.Or(r.Detail["expires"], "no automatic expiry")
		e.Description = "Support session started"
	case audit.ConnectionOpened:
		e.Description = vendor + " Support connected to the system"
	case audit.ConnectionClosed:
		e.Description = vendor + " Support disconnected from the system"
	case audit.SessionEnded:
		e.Data["session_name"] = cmp.Or(r.Detail["name"], r.Subject)
		e.Description = "Support session ended"
	case audit.HardwareFailed:
		e.Description = "Hardware failure: " + r.Subject + ": " + r.Detail["what"]
		if said := r.Detail["evidence"]; said != "" {
			e.Description += " (" + said + ")"
		}
	case audit.HardwareRecovered:
		e.Description = "Hardware recovered: " + r.Subject + ": " + r.Detail["how"] + " (it was: " + r.Detail["what"] + ")"
		if r.Detail["how"] == hardware.Gone {
			e.Description = strings.Replace(e.Description, "Hardware recovered", "Failed hardware", 1)
		}
	default:
		e.Description = describe(r)
	}
	return e
}

// describe is a line about any record.
func describe(r audit.Record) string {
	text := strings.NewReplacer(".", " ", "_", " ").Replace(string(r.Type))
	if r.Subject != "" {
		text += ": " + r.Subject
	}
	if why := cmp.Or(r.Detail["what"], r.Detail["reason"]); why != "" {
		text += ": " + why
	}
	return text + " (by " + r.Actor + ")"
}

func level(r audit.Record) string {
	switch r.Type {
	case audit.HardwareFailed:
		if l := r.Detail["level"]; l == hardware.Warning || l == hardware.Critical {
			return l
		}
		return hardware.Error
	case audit.LogDamaged, audit.RecordingFailed, "secret.burnt", audit.SystemSealed:
		return "error"
	}
	if slices.Contains(groups["security"], string(r.Type)) {
		return "warning"
	}
	return "info"
}

func (o *Outbox) vendor() string {
	if o.opt.Vendor == nil {
		return ""
	}
	return o.opt.Vendor()
}
