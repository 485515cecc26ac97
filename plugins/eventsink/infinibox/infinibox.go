package infinibox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/latchstring/latchstring/plugins/eventsink/internal/box"
	"github.com/latchstring/latchstring/plugins/eventsink/internal/text"
	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the sink's name.
const Name = "infinibox"

// maxText bounds a text: the array takes events of 100 kB.
const maxText = 2048

type settings struct {
	Array  box.Settings `config:"array"`
	Vendor string       `config:"vendor" default:"Infinidat" help:"who connects, in the texts of custom events"`
}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	s.Array.Check(&p, "array.")
	if s.Vendor == "" || len(s.Vendor) > 64 || text.Line(s.Vendor, 64) != s.Vendor {
		p.Add("vendor", "want a name of at most 64 printable characters")
	}
	return p.Err()
}

// Sink writes events to an array.
type Sink struct {
	settings settings
	done     []string // IDs of the last events that are at their place
}

// New makes the sink.
func New() *Sink { return &Sink{} }

// Help is a line for `describe`.
func (s *Sink) Help() string { return "the event log of the array" }

// Config is where the host's settings go.
func (s *Sink) Config() any { return &s.settings }

// Needs declares the array's port, which only the settings know, and what the
// resolver reads.
func (s *Sink) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

type datum struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// registered are the codes that arrays know, with the names of their data.
var registered = map[string][]string{
	"SUPPORT_SESSION_STARTED": {"session_name", "session_expiry_time"},
	"SUPPORT_CONNECTED":       {},
	"SUPPORT_DISCONNECTED":    {},
	"SUPPORT_SESSION_ENDED":   {"session_name"},
}

// said is the text of a custom event (REQ E3, K5).
func (s *Sink) said(e eventsink.Event) string {
	switch e.Code {
	case "SUPPORT_SESSION_STARTED":
		return "Support session started"
	case "SUPPORT_CONNECTED":
		return s.settings.Vendor + " Support connected to the system"
	case "SUPPORT_DISCONNECTED":
		return s.settings.Vendor + " Support disconnected from the system"
	case "SUPPORT_SESSION_ENDED":
		return "Support session ended"
	}
	if e.Description == "" {
		return text.Line(e.Code, maxText)
	}
	return text.Line(e.Description, maxText)
}

var levels = map[string]string{"warning": "WARNING", "error": "ERROR", "critical": "CRITICAL"}

// Deliver implements [eventsink.Sink].
func (s *Sink) Deliver(ctx context.Context, e eventsink.Event) error {
	if e.ID != "" && slices.Contains(s.done, e.ID) {
		return nil // the host did not hear that it is there
	}
	if s.settings.Array.Insecure {
		slog.Warn("the certificate of the array is not verified (insecure_skip_verify); the password of the user for events can be read by whoever sits in between")
	}
	if err := s.post(ctx, e); err != nil {
		return box.Explain(err)
	}
	s.done = append(s.done, e.ID)
	s.done = s.done[max(0, len(s.done)-64):]
	return nil
}

func (s *Sink) post(ctx context.Context, e eventsink.Event) error {
	if names, known := registered[e.Code]; known {
		data := []datum{}
		for _, n := range names {
			data = append(data, datum{n, "String", text.Line(e.Data[n], maxText)})
		}
		err := s.settings.Array.Do(ctx, http.MethodPost, "events", map[string]any{"code": e.Code, "data": data}, nil)
		var status *box.StatusError
		if err == nil || !errors.As(err, &status) || status.Status < 400 || status.Status >= 500 || status.Status == http.StatusUnauthorized {
			return err
		}
		slog.Info("the array does not take the event by its code; it goes as a custom event", "code", e.Code, "status", status.Status)
	}
	level := levels[e.Level]
	if level == "" || registered[e.Code] != nil {
		level = "INFO"
	}
	// The text goes in as data: braces in it are no template.
	said, data := s.said(e), []datum{}
	if registered[e.Code] == nil {
		data = append(data, datum{"text", "String", said})
		said = "{text}"
	}
	return s.settings.Array.Do(ctx, http.MethodPost, "events/custom", map[string]any{"description_template": said, "level": level, "visibility": "CUSTOMER", "data": data}, nil)
}
