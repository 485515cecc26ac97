package host

import (
	"context"
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

// logLine logs one line of a plugin.
func logLine(log *slog.Logger, line string) {
	level, message, _ := parseLine(line)
	log.Log(context.Background(), level, message, "line", line)
}

// parseLine takes a line of go-hclog apart as far as it is what it should be;
// anything else is the message, and of no level. routine are the lines that say
// nothing about why a plugin ended.
func parseLine(line string) (level slog.Level, message string, routine bool) {
	var entry struct {
		Message any `json:"@message"`
		Level   any `json:"@level"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return slog.LevelDebug, line, false
	}
	message = line
	if text, ok := entry.Message.(string); ok {
		message = launch.Clean(text)
	}
	switch entry.Level {
	case "trace", "debug":
		return slog.LevelDebug, message, true
	case "info":
		return slog.LevelInfo, message, true
	case "warn":
		return slog.LevelWarn, message, false
	case "error":
		return slog.LevelError, message, false
	}
	return slog.LevelDebug, message, false
}
