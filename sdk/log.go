package sdk

import (
	"io"
	"log/slog"
	"strings"
)

// logger writes records in the form in which a host reads the stderr of its
// plugins: one JSON object a line, with @level, @message and @timestamp.
func logger(w io.Writer, level string) *slog.Logger {
	var min slog.Level
	if min.UnmarshalText([]byte(level)) != nil {
		min = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: min,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				a.Key = "@timestamp"
			case slog.LevelKey:
				return slog.String("@level", strings.ToLower(a.Value.String()))
			case slog.MessageKey:
				a.Key = "@message"
			}
			return a
		},
	}))
}
