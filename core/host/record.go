package host

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/policy"
)

// The events that this package records.
const (
	pluginStarted    = audit.PluginStarted
	pluginExited     = audit.PluginExited
	pluginCrashed    = audit.PluginCrashed
	pluginRefused    = audit.PluginRefused
	pluginMisbehaved = audit.PluginMisbehave
)

// record appends an event about a plugin; detail are names and values.
func (h *Host) record(what audit.Type, id string, p catalog.Plugin, detail ...string) error {
	e := audit.Event{Type: what, Actor: h.opt.Actor, Subject: id, Detail: map[string]string{}}
	for name, value := range map[string]string{
		"plugin": p.Name, "version": p.Version, "sha256": p.SHA256, "state": string(p.State), "publisher": p.Publisher,
	} {
		if value != "" {
			e.Detail[name] = value
		}
	}
	if p.Development {
		e.Detail["development"] = "true"
	}
	for i := 0; i+1 < len(detail); i += 2 {
		if detail[i+1] != "" {
			e.Detail[detail[i]] = clip(detail[i+1])
		}
	}
	_, err := h.opt.Audit.Append(e)
	if err != nil {
		h.opt.Log.Error("an event could not be recorded", "event", string(what), "plugin", id, "error", err)
	}
	return err
}

// refused reports whether an error is a refusal rather than a failure.
func refused(err error) bool {
	return errors.As(err, new(*policy.Refusal)) || errors.As(err, new(*StateError)) || errors.As(err, new(*launch.SumError))
}

// logLine logs one line of a plugin. Lines of go-hclog are taken apart as far
// as they are what they should be; anything else is the message.
func logLine(log *slog.Logger, line string) {
	var entry struct {
		Message any `json:"@message"`
		Level   any `json:"@level"`
	}
	level, message := slog.LevelDebug, line
	if json.Unmarshal([]byte(line), &entry) == nil {
		if text, ok := entry.Message.(string); ok {
			message = text
		}
		switch entry.Level {
		case "info":
			level = slog.LevelInfo
		case "warn":
			level = slog.LevelWarn
		case "error":
			level = slog.LevelError
		}
	}
	log.Log(nil, level, launch.Clean(message), "line", line)
}
