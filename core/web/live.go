package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// How often a live page is looked after.
const (
	liveEvery = time.Second      // besides the events, for what is no event
	pingEvery = 20 * time.Second // proxies cut what is silent
	maxLive   = 6                // of one session
)

// events tells a page that the state has changed (REQ B9), as server-sent events
// (HTML, section 9.2). The page then asks for it. It ends with the login.
func (s *Server) events(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	b.mu.Lock()
	full := b.streak >= maxLive
	if !full {
		b.streak++
	}
	b.mu.Unlock()
	select {
	case s.streams <- struct{}{}:
	default:
		full = true
	}
	if full {
		http.Error(w, "too many pages are live", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		<-s.streams
		b.mu.Lock()
		b.streak--
		b.mu.Unlock()
	}()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	poke := make(chan struct{}, 1)
	go s.api.Watch(ctx, by, func(control.Event) error { //nolint:errcheck // it ends with the request; the ticker goes on
		select {
		case poke <- struct{}{}:
		default:
		}
		return nil
	})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := stream{w: w, rc: http.NewResponseController(w)}
	out.rc.SetReadDeadline(time.Time{}) //nolint:errcheck // a recorder in tests has none
	last := ""
	tick, ping := time.NewTicker(liveEvery), time.NewTicker(pingEvery)
	defer tick.Stop()
	defer ping.Stop()
	for {
		print, err := s.print(ctx, by)
		switch {
		case err != nil || b.isClosed() || b.over(s.opts.Now()):
			out.send("bye", "")
			return
		case print != last:
			if out.send("change", print) != nil {
				return
			}
			last = print
		}
		select {
		case <-poke:
		case <-tick.C:
		case <-ping.C:
			if out.send("ping", "") != nil {
				return
			}
		case <-b.closed:
		case <-ctx.Done():
			return
		}
	}
}

type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (o stream) send(event, data string) error {
	o.rc.SetWriteDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // a recorder in tests has none
	if _, err := fmt.Fprintf(o.w, "event: %s\ndata: %s\n\n", event, data); err != nil {
		return err
	}
	return o.rc.Flush()
}

// print changes when the live part of a page would look different, but for
// clocks that run and bytes that are counted.
func (s *Server) print(ctx context.Context, by control.Caller) (string, error) {
	now, err := s.api.Session(ctx, by)
	if err != nil {
		return "", err
	}
	now.SecondsLeft = 0
	for i := range now.Connections {
		now.Connections[i].Bytes = 0
	}
	b, err := json.Marshal(now)
	if err != nil {
		return "", fmt.Errorf("compare the state: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))[:16], nil
}

func escapeUser(name string) string { return url.User(name).String() }

// count is a number of things.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + one + "s"
}

// took is how long something took, where that is worth a word.
func took(d time.Duration) string {
	if d < 100*time.Microsecond {
		return ""
	}
	return d.Round(100 * time.Microsecond).String()
}

func itoa(n int) string { return strconv.Itoa(n) }

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
