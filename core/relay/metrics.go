package relay

import (
	"fmt"
	"io"
	"sync/atomic"
)

// metrics are counters since the start, shown on the local socket in
// Prometheus' text format.
type metrics struct {
	ok, clientErrors, serverErrors atomic.Int64
	bundles, bytes                 atomic.Int64
	uploadsRefused, loginsRefused  atomic.Int64
}

func (m *metrics) request(status int) {
	switch {
	case status >= 500:
		m.serverErrors.Add(1)
	case status >= 400:
		m.clientErrors.Add(1)
	default:
		m.ok.Add(1)
	}
}

func (m *metrics) write(w io.Writer) error {
	for _, c := range []struct {
		name, help string
		value      int64
	}{
		{`latchstring_rss_requests_total{result="ok"}`, "requests", m.ok.Load()},
		{`latchstring_rss_requests_total{result="client_error"}`, "", m.clientErrors.Load()},
		{`latchstring_rss_requests_total{result="server_error"}`, "", m.serverErrors.Load()},
		{"latchstring_rss_bundles_total", "bundles accepted", m.bundles.Load()},
		{"latchstring_rss_bundle_bytes_total", "bytes of bundles accepted", m.bytes.Load()},
		{"latchstring_rss_uploads_refused_total", "uploads refused", m.uploadsRefused.Load()},
		{"latchstring_rss_logins_refused_total", "logins refused", m.loginsRefused.Load()},
	} {
		if c.help != "" {
			name := c.name
			for i := range name {
				if name[i] == '{' {
					name = name[:i]
					break
				}
			}
			if _, err := fmt.Fprintf(w, "# HELP %s %s since the start\n# TYPE %s counter\n", name, c.help, name); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "%s %d\n", c.name, c.value); err != nil {
			return err
		}
	}
	return nil
}
